"""Numbers of receipts."""

from typing import Any


def number_of(order: dict[str, Any]) -> str:
    """Return the receipt's number of an order."""
    return f"R-{order['id']}-{int(order['cents'])}"
