"""What `/health` tells: how the server stands, for whoever is woken by it."""

from __future__ import annotations

from typing import Any

from doorstep import __version__

from ..server import Server


def health(server: Server) -> dict[str, Any]:
    """Return {"status": "ok", …}. May be called from any thread, the server's may be busy.

    The status is "trouble" as long as something is wrong with the file, and "damaged" as long as
    this server lives when something of the file was lost.
    """
    clock, activities, store = server.clock, server.activities, server.store
    why = store.trouble or store.file_trouble()
    damage = store.damaged or store.missing or store.refused_documents
    calls = {"running": clock.calls_in_flight, "waiting": clock.calls_waiting, "most": clock.calls}
    return {
        "status": "trouble" if why else "damaged" if damage else "ok",
        "trouble": why,
        "version": __version__,
        "store": {"file": store.path, "commits": store.commits, "missing": store.missing},
        "damaged": store.damaged.copy(),
        "refused": store.refused_documents.copy(),
        "clock": {"ahead": round(clock.ahead(), 3)},
        "handlers": server.handlers_path,
        "running": len(server.keeper.rows),
        "lost": server.lost.copy(),
        "stuck": server.keeper.stuck.copy(),
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
