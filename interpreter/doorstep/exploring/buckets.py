"""The objects that an ItemReader reads, written into a folder just before it does."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..commands import ItemSource, StartMapRun
from ..drivers import Execution
from ..drivers.readers import locate
from ..errors import StateFailed
from ..jsontext import dumps
from .script import Script


def fill(bucket: Path, execution: Execution, script: Script) -> None:
    """Write what the map runs that are about to begin will read."""
    for commands in execution.engine.open.values():
        for command in commands.values():
            if isinstance(command, StartMapRun) and command.reader:
                items = script.found(command.state)
                if items is not None:
                    _write(bucket, command.reader, items)


def _write(bucket: Path, reader: ItemSource, items: Sequence[Any]) -> None:
    name, key = reader.arguments.get("Bucket"), str(reader.arguments.get("Key", ""))
    if not isinstance(name, str):
        return
    with suppress(StateFailed):  # outside of the folder: the map run says so
        folder = locate(bucket, name)
        folder.mkdir(parents=True, exist_ok=True)
        if not reader.resource.endswith("listObjectsV2"):
            _file(locate(bucket, name, key), _text(reader.config, items))
            return
        shutil.rmtree(folder)
        folder.mkdir()
        prefix = str(reader.arguments.get("Prefix") or "")
        for index in range(len(items)):
            _file(locate(bucket, name, f"{prefix}{index}"), "[{}]")


def _file(path: Path, text: str) -> None:
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _text(config: dict[str, Any], items: Sequence[Any]) -> str:
    kind = config.get("InputType", "JSON")
    if kind == "CSV":
        return _csv(config, items)
    if kind == "JSONL":
        return "".join(f"{dumps(item)}\n" for item in items)
    value: Any = items
    for name in reversed(config.get("ItemsPointer", "").split("/")[1:]):
        value = {name: value}
    return dumps(value)


def _csv(config: dict[str, Any], items: Sequence[Any]) -> str:
    rows = [item if isinstance(item, dict) else {} for item in items]
    headers = config.get("CSVHeaders") or list(dict.fromkeys(key for row in rows for key in row))
    lines = [] if config.get("CSVHeaderLocation") == "GIVEN" else [headers or ["column"]]
    # A row without a cell would be no item.
    lines += [[str(row.get(name, "-")) for name in headers] or ["-"] for row in rows]
    buffer = _Lines()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return "".join(buffer)


class _Lines(list[str]):
    write = list.append
