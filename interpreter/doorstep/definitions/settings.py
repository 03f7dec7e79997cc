"""`doorstep.yaml`: the choices of a project, which stands in its folder.

    services: moto
    handlers: [handlers.py]
    mocks: mocks.yaml
    clock: virtual

Paths are relative to the file. What a command line or a test says of its own comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "doorstep.yaml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a `doorstep.yaml` says; without one, nothing."""

    folder: Path
    project: Path | None = None
    services: str | None = None
    handlers: tuple[str, ...] = ()
    """Sources of handlers, with paths that hold wherever they are used."""
    mocks: str | None = None
    clock: str | None = None
    executors: Mapping[str, str] = field(default_factory=dict)
    """Where children of distributed Maps run, by the names of Maps; `*`: all others."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def settings_of(folder: Path) -> Settings:
    """Return the settings of a folder; raise InputError with the line that is wrong."""
    file = folder / FILE
    if not file.is_file():
        return Settings(folder)
    # Imported here: most folders have no such file.
    from .config_schema import Record, load
    from .settings_schema import FORM

    source = load(file)
    record = FORM.read(source) if source.value is not None else Record(source, {})
    project, mocks = record.get("project"), record.get("mocks")
    connections, executors = record.get("connections", {}), record.get("executors", {})
    return Settings(
        folder,
        folder / project if project else None,
        record.get("services"),
        tuple(_located(folder, one) for one in record.get("handlers", ())),
        str(folder / mocks) if mocks else None,
        record.get("clock"),
        {**({"*": record.get("executor")} if "executor" in record else {}), **executors},
        record.get("parameters", {}),
        tuple(record.get("ignore", ())),
        tuple(record.get("allow_hosts", ())),
        {name: dict(one.members) for name, one in connections.items()},
    )


def settings_above(folder: Path) -> Settings | None:
    """Return the settings of the nearest folder upwards that has some; None without any.

    The folder of a repository or of a Python project is the last that is looked at.
    """
    folder = folder.resolve()
    for one in (folder, *folder.parents):
        if (one / FILE).is_file():
            return settings_of(one)
        if is_top(one):
            return None
    return None


def is_top(folder: Path) -> bool:
    """Return whether no settings above this folder are meant for what lies in it."""
    return (folder / ".git").exists() or (folder / "pyproject.toml").exists()


def _located(folder: Path, source: str) -> str:
    """Return a path beside the file as it is from here; a module's name as it stands."""
    return str(folder / source) if (folder / source).exists() else source
