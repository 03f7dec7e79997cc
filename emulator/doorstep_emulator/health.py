"""What `/health` tells: how the server stands, for whoever is woken by it."""

from __future__ import annotations

from typing import Any

from doorstep import __version__

from .server import Server


def health(server: Server) -> dict[str, Any]:
    """{"status": "ok", …}. May be called from any thread."""
    clock, activities = server.clock, server.activities
    calls = {"running": clock.calls_in_flight, "waiting": clock.calls_waiting, "most": clock.calls}
    return {
        "status": "ok",
        "version": __version__,
        "store": {"file": server.store.path, "commits": server.store.commits},
        "handlers": server.handlers_path,
        "running": len(server.keeper.rows),
        "lost": server.lost,
        "stuck": server.keeper.stuck,
        "calls": calls,
        "activities": {"tasks": activities.open_tasks, "polls": activities.waiting_polls},
        "sinks": [
            {
                "target": sink.name,
                "delivered": sink.delivered,
                "failed": sink.failed,
                "waiting": sink.waiting,
            }
            for sink in server.sinks.all
        ],
    }


def trouble(why: str) -> dict[str, Any]:
    """{"status": "trouble", "trouble": why, …}."""
    return {"status": "trouble", "trouble": why, "version": __version__}
