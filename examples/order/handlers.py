"""The services of the order workflow, played by Python functions.

A Lambda function is found by its name, a service by "service:action". The cards and the orders
below decide what happens: a stand-in gives the same answer to the same question every time.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
from typing import Any

import doorstep

PRICES = {"teapot": 2900, "cup": 450, "tea": 790}

DECLINED_CARD = "4000-0002"
BUSY_CARD = "4000-0341"
LOST_ANSWER_CARD = "4000-0119"

# ":memory:" forgets; name a file in ORDERS_DB to look at what was charged, refunded and sent.
ledger = sqlite3.connect(
    os.environ.get("ORDERS_DB", ":memory:"), isolation_level=None, check_same_thread=False
)
atexit.register(ledger.close)
ledger.executescript(
    """
    CREATE TABLE IF NOT EXISTS charges (key TEXT PRIMARY KEY, order_id TEXT, cents INTEGER);
    CREATE TABLE IF NOT EXISTS refunds (key TEXT PRIMARY KEY, charge TEXT, cents INTEGER);
    CREATE TABLE IF NOT EXISTS messages (key TEXT PRIMARY KEY, text TEXT);
    """
)


class InvalidOrder(Exception):
    """The order can't be taken; no retry will help."""


class CardDeclined(Exception):
    """The bank said no."""


class GatewayBusy(Exception):
    """The payment gateway took nothing; trying again later is safe."""


class GatewayTimeout(Exception):
    """Nobody knows whether the gateway took the money."""


def validate_order(order: dict[str, Any]) -> dict[str, Any]:
    if not order["items"]:
        raise InvalidOrder("an order needs at least one item")
    return {"items": len(order["items"])}


def price_item(item: dict[str, Any]) -> dict[str, Any]:
    if item["sku"] not in PRICES:
        raise InvalidOrder(f"we do not sell {item['sku']}")
    return {**item, "cents": PRICES[item["sku"]] * item["quantity"]}


def charge_card(order: dict[str, Any], context: doorstep.Context) -> dict[str, Any]:
    """Charge once, however often this is called for the same order.

    The key is the same in every attempt of this state, and after a crash as well. The database
    decides in one step whether it is new: a look first and a write later would leave a gap.
    """
    if order["card"] == DECLINED_CARD:
        raise CardDeclined("insufficient funds")
    if order["card"] == BUSY_CARD and context.attempt < 2:
        raise GatewayBusy("503, try again later")
    key = context.idempotency_key
    cents = sum(item["cents"] for item in order["items"])
    ledger.execute(
        "INSERT INTO charges VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
        (key, order["orderId"], cents),
    )
    if order["card"] == LOST_ANSWER_CARD and context.attempt == 0:
        raise GatewayTimeout("the connection was closed before the answer came")
    return {"charge": key, "cents": cents}


def refund_card(payment: dict[str, Any], context: doorstep.Context) -> dict[str, Any]:
    ledger.execute(
        "INSERT INTO refunds VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
        (context.idempotency_key, payment["charge"], payment["cents"]),
    )
    return {"cents": payment["cents"]}


@doorstep.handler("sqs:sendMessage")
def send_to_warehouse(message: dict[str, Any]) -> doorstep.Answer | doorstep.TaskFailed:
    """The queue takes the message at once; the answer is the warehouse's, hours later."""
    order_id = message["MessageBody"]["orderId"]
    match order_id.split("-")[0]:
        case "stolen":
            return doorstep.fail("ParcelStolen", "taken from the loading bay", after="9h")
        case "forgotten":
            return doorstep.no_answer()
        case _:
            return doorstep.answer({"number": f"PX-{order_id}"}, after="5h")


@doorstep.handler("sns:publish")
def publish(notice: dict[str, Any], context: doorstep.Context) -> dict[str, Any]:
    ledger.execute(
        "INSERT INTO messages VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
        (context.idempotency_key, notice["Message"]),
    )
    return {"MessageId": context.idempotency_key}
