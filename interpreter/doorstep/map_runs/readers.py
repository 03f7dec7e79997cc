"""ItemReader and ItemBatcher: items streamed from objects of S3, wherever these are."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from io import SEEK_END
from itertools import islice, repeat
from typing import IO, Any, NamedTuple

from ..engine import BatchPlan, ItemSource, StartMapRun
from ..errors import StateFailed
from ..runtime import Buckets
from ..values.json_values import encoded, loads
from . import formats
from .buckets import failed, present, reported
from .json_stream import Member

_new_tuple = tuple.__new__


class MapItem(NamedTuple):
    """One item, where it comes from ($$.Map.Item.Source), and its name if it has one."""

    value: Any
    source: str
    key: str | None = None
    """$$.Map.Item.Key: of a member of an object."""

    @classmethod
    def of(cls, item: Any, source: str) -> MapItem:
        """Return the item that is a value, or a member of an object."""
        if isinstance(item, Member):
            return cls(item.value, source, item.key)
        # As `cls(…)`, without the call of Python that a NamedTuple has for it.
        return _new_tuple(cls, (item, source, None))

    @property
    def named(self) -> dict[str, str]:
        """Key, if it has one."""
        return {} if self.key is None else {"Key": self.key}

    @property
    def whole(self) -> Any:
        """What a child gets without an ItemSelector (fact 287)."""
        return self.value if self.key is None else {**self.named, "Value": self.value}


class Reading:
    """How far a reader has come in the object that holds the items."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._size = 0

    def follow(self, file: IO[bytes]) -> None:
        """Look from now on at where a file is read."""
        with suppress(OSError, ValueError, AttributeError):
            self._size = file.seek(0, SEEK_END)
            file.seek(0)
            self._file = file

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where that is not known. May be asked for from any thread."""
        with suppress(ValueError):
            if self._file and self._size:
                return self._file.tell() / self._size
        return None


def read_items(
    command: StartMapRun, buckets: Buckets | None, reading: Reading | None = None
) -> Generator[MapItem, None, None]:
    """Return the items of a map run: the state's own, or those that its ItemReader names.

    `reading` says where.

    Facts 280 and 287: the members of an object are items as well.
    """
    if command.reader is not None:
        yield from _read(command.reader, buckets, reading or Reading())
    else:
        yield from own_items(command.items or ())


def own_items(values: Iterable[Any]) -> Iterator[MapItem]:
    """Return the items that a state has itself: an array's elements or an object's members."""
    if isinstance(values, dict):
        return (MapItem(value, "STATE_DATA", key) for key, value in values.items())
    return (MapItem(value, "STATE_DATA") for value in values)


def _read(reader: ItemSource, buckets: Buckets | None, reading: Reading) -> Iterator[MapItem]:
    most, config = most_items(reader), reader.config
    if config.get("InputType") == "PARQUET" and "VersionId" in reader.arguments:
        # Fact 148.
        raise failed("S3 Version ID selection is not currently supported for PARQUET files")
    name = text_field("Bucket", reader.arguments.get("Bucket"))
    stored, key = present(buckets, name), str(reader.arguments.get("Key", ""))
    if reader.resource.endswith("listObjectsV2"):
        items = _listed(reader, stored, name)
    elif config.get("ManifestType") == "S3_INVENTORY" or config.get("InputType") == "MANIFEST":
        items = _inventory(stored, name, key)
    elif config.get("ManifestType") == "ATHENA_DATA":
        items = _athena(config, stored, name, key)
    else:
        # A Parquet file is read from its end.
        columns = config.get("InputType") == "PARQUET"
        items = _object(config, stored, name, key, *([] if columns else [reading.follow]))
    return islice(items, most)


def most_items(reader: ItemSource) -> int | None:
    """MaxItems; None for no limit, as 0 is: AWS was recorded accepting it (fact 278)."""
    if reader.max_items is not None and reader.max_items < 0:
        raise failed("field MaxItems must be positive")
    return reader.max_items or None


def text_field(name: str, value: object) -> str:
    """Return a member of a reader's or writer's Parameters, which have to be texts."""
    if not isinstance(value, str):
        raise failed(f"The field '{name}' must be a string.")
    return value


def _listed(reader: ItemSource, buckets: Buckets, bucket: str) -> Iterator[MapItem]:
    # Facts 119 and 279: an item for each object, or with LOAD_AND_FLATTEN what is in them.
    prefix = text_field("Prefix", reader.arguments.get("Prefix") or "")
    flatten = reader.config.get("Transformation") == "LOAD_AND_FLATTEN"
    for described in buckets.listed(bucket, prefix):
        if flatten:
            yield from _object(reader.config, buckets, bucket, described["Key"])
        else:
            yield MapItem(described, f"s3://{bucket}")


def _object(
    config: Mapping[str, Any],
    buckets: Buckets,
    bucket: str,
    key: str,
    opened: Callable[[IO[bytes]], None] = lambda _: None,
) -> Iterator[MapItem]:
    source = f"s3://{bucket}/{key}"
    with reported(source), buckets.open(bucket, key) as file:
        opened(file)
        yield from map(MapItem.of, formats.parse_object(config, file, key), repeat(source))


# Manifests: objects that name the objects with the items --------------------------------------


def _inventory(buckets: Buckets, bucket: str, key: str) -> Iterator[MapItem]:
    """Yield the rows of an S3 inventory's reports, with the names of its fileSchema.

    Fact 289: manifest.json lists the reports, which are CSV files without a header.
    """
    source = f"s3://{bucket}/{key}"
    with reported(source), buckets.open(bucket, key) as file:
        manifest = loads(file.read(formats.MAX_ITEM_BYTES).decode())
        try:
            written = str(manifest["fileFormat"])
            where = str(manifest.get("destinationBucket") or bucket).rpartition(":")[2]
            names = [name.strip() for name in str(manifest["fileSchema"]).split(",")]
            keys = [str(report["key"]) for report in manifest["files"]]
        except (KeyError, TypeError, AttributeError) as problem:
            raise failed(f"{source} is no manifest of an S3 inventory: {problem}") from None
    for report in keys:
        yield from (MapItem(row, source) for row in _report(buckets, where, report, written, names))


def _report(
    buckets: Buckets, bucket: str, key: str, written: str, names: list[str]
) -> Iterator[Any]:
    with reported(f"s3://{bucket}/{key}"), buckets.open(bucket, key) as file:
        if written.upper() == "PARQUET":
            yield from formats.parse_object({"InputType": "PARQUET"}, file, key)
        elif written.upper() == "CSV":
            with formats.unpacked(file, key) as text:
                yield from formats.named(names, formats.rows_of(text))
        else:
            raise failed(f"Doorstep reads inventories in CSV and Parquet, not in {written}.")


def _athena(
    config: Mapping[str, Any], buckets: Buckets, bucket: str, key: str
) -> Iterator[MapItem]:
    """Yield the items of the objects that an Athena query wrote.

    Fact 290: the manifest has a line for each, `s3://BUCKET/KEY`; InputType says how they are
    written.
    """
    source = f"s3://{bucket}/{key}"
    with reported(source), buckets.open(bucket, key) as file, formats.unpacked(file, key) as text:
        for number, line in enumerate(text, start=1):
            place = re.fullmatch(r"s3://([^/]+)/(.+)", line.strip().strip('"'))
            if place:
                yield from _object(config, buckets, place[1], place[2])
            elif line.strip():
                raise failed(
                    f"{source}, line {number}: {line.strip()[:200]!r} is no s3://BUCKET/KEY"
                )


# Batches ----------------------------------------------------------------------------------------


class Batch(NamedTuple):
    """A child's input, and how many items stand in it."""

    input: Any
    size: int


def batches(command: StartMapRun, items: Iterator[MapItem], first: int = 0) -> Iterator[Batch]:
    """Return the children's inputs in order: an item each, or {"BatchInput": …, "Items": […]}.

    `first`: the index of the first item.

    Facts 116 and 281.
    """
    select, numbered = command.select, enumerate(items, first)
    if command.batch is None:
        return (_new_tuple(Batch, (select(index, *item), 1)) for index, item in numbered)
    return batched(command.batch, (select(index, *item) for index, item in numbered))


def batched(plan: BatchPlan, values: Iterator[Any]) -> Iterator[Batch]:
    """Return the children's inputs that an ItemBatcher makes of the items'.

    Facts 116 and 281: an item too large for a batch of its own fails; the last batch may be
    smaller.
    """
    empty = len(encoded({**plan.shared, "Items": []}))
    held: list[Any] = []
    size = empty
    for value in values:
        length = len(encoded(value)) + 1
        if plan.max_bytes is not None and empty + length > plan.max_bytes:
            raise StateFailed(
                "States.ItemReaderFailed",
                f"An item of {length} bytes does not fit into a batch of "
                f"MaxInputBytesPerBatch {plan.max_bytes}.",
            )
        full = plan.max_items is not None and len(held) >= plan.max_items
        if full or (held and plan.max_bytes is not None and size + length > plan.max_bytes):
            yield _batch(plan, held)
            held, size = [], empty
        held.append(value)
        size += length
    if held:
        yield _batch(plan, held)


def _batch(plan: BatchPlan, items: list[Any]) -> Batch:
    return Batch({**plan.shared, "Items": items}, len(items))
