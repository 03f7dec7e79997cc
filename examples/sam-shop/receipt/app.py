"""Sends the parcel on its way, and gives the receipt's number."""

import json
import os
from typing import Any

import boto3
from util import number_of

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
sqs = boto3.client("sqs")


def handler(order: dict[str, Any], context: Any) -> dict[str, str]:
    """Read the order as it was stored, and tell those who pack it."""
    stored = table.get_item(Key={"id": order["id"]})["Item"]
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps({"pack": stored["id"]}))
    return {"number": number_of(stored)}
