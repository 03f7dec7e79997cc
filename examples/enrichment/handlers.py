"""The lookups and the table of the enrichment pipeline."""

from __future__ import annotations

import atexit
import os
import sqlite3
from typing import Any

import doorstep

COUNTRIES = {"203.0.113": "NL", "198.51.100": "JP"}
COMPANIES = {"example.com": {"name": "Example Ltd", "employees": 4200}}

# Name a file in SIGNUPS_DB to keep the table from one command to the next.
table = sqlite3.connect(
    os.environ.get("SIGNUPS_DB", ":memory:"), isolation_level=None, check_same_thread=False
)
atexit.register(table.close)
table.execute(
    "CREATE TABLE IF NOT EXISTS signups (event_id TEXT PRIMARY KEY, email TEXT, profile TEXT)"
)


class NotFound(Exception):
    """The directory knows no such company."""


def locate(event: dict[str, Any]) -> dict[str, Any]:
    network = event["ip"].rpartition(".")[0]
    return {"country": COUNTRIES.get(network, "unknown")}


def find_company(event: dict[str, Any]) -> dict[str, Any]:
    if event["domain"] not in COMPANIES:
        raise NotFound(event["domain"])
    return COMPANIES[event["domain"]]


@doorstep.handler("dynamodb:putItem")
def put_item(request: dict[str, Any]) -> dict[str, Any] | doorstep.TaskFailed:
    """`attribute_not_exists(eventId)` in SQL: the insert itself tells whether the row was there."""
    item = request["Item"]
    inserted = table.execute(
        "INSERT INTO signups VALUES (?, ?, ?) ON CONFLICT (event_id) DO NOTHING",
        (item["eventId"]["S"], item["email"]["S"], item["profile"]["S"]),
    )
    if not inserted.rowcount:
        return doorstep.fail(
            "DynamoDB.ConditionalCheckFailedException", "The conditional request failed"
        )
    return {}
