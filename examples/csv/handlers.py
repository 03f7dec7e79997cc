"""Turns a batch of meter readings into bills."""

from __future__ import annotations

from typing import Any


def bill_batch(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """One bill per reading; CSV cells are text, so "n/a" raises ValueError and fails the batch."""
    shared = batch["BatchInput"]
    return [
        {
            "meter": reading["meter"],
            "month": shared["month"],
            "cents": round(float(reading["kwh"]) * shared["centsPerKwh"]),
        }
        for reading in batch["Items"]
    ]
