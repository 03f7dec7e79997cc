"""What an order costs."""

from typing import Any

from util import CENTS


def handler(order: dict[str, Any], context: Any) -> int:
    """Return the sum of the order's pieces, in cents."""
    return sum(CENTS[piece] for piece in order["pieces"])
