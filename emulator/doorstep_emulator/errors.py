"""What the server and its store raise beside the API's own errors, and what contains a bug."""

from __future__ import annotations

import logging
from collections.abc import Callable

from doorstep.errors import ApiError, DoorstepError

log = logging.getLogger("doorstep")


class Unavailable(ApiError):  # noqa: N818  what the server is
    """ServiceUnavailable (HTTP 503): there is no answer now; clients try again."""

    def __init__(self, why: str = "The server was shut down before it had an answer") -> None:
        super().__init__("ServiceUnavailable", why)


class StoreError(DoorstepError):
    """The store can't be used: another server has it, or the file is damaged."""


class SinkError(DoorstepError):
    """A target of events or log lines can't be used."""


def guarded(act: Callable[[], None]) -> None:
    """Do something; a bug in it must not end the server."""
    try:
        act()
    except Exception:
        log.exception("this is a bug in Doorstep")
