"""The server's own log on stderr: a line for a person, or a JSON object for a program.

    {"time": "2026-11-25T20:46:12.000+00:00", "level": "WARNING", "message": …, "traceback": …}

A record's `fields` (`extra={"fields": {…}}`) are members beside these.
"""

from __future__ import annotations

import logging

from doorstep.values.json_values import encoded
from doorstep.values.printable import escaped, printable
from doorstep.values.timestamps import isoformat

_TEXT = "%(asctime)s %(levelname)s %(message)s"


def report(form: str, level: str) -> None:
    """Write the server's log from now on.

    `form`: text or json; `level`: debug, info, warning or error.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines() if form == "json" else _Text(_TEXT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("doorstep").setLevel(level.upper())


class _Text(logging.Formatter):
    """A record as a line for a person, who may look at it on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _Lines(logging.Formatter):
    """A record as a JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        members = {
            "time": isoformat(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            members["traceback"] = self.formatException(record.exc_info)
        return escaped(encoded(members).decode())
