"""ItemReader and ItemBatcher: items streamed from objects of S3, wherever these are.

CSV and JSON behave as recorded on AWS; PARQUET and the manifests of Athena and of S3 inventories
are not read.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from io import TextIOWrapper
from itertools import islice
from typing import IO, Any, NamedTuple

from ..engine import BatchPlan, ItemSource, StartMapRun
from ..errors import StateFailed
from ..runtime import Buckets
from ..values.json_values import encoded, loads
from .buckets import failed, present, reported

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
MAX_ITEM_BYTES = 8 * 1024 * 1024
"""AWS: 8 MB an item, before ItemSelector."""
MAX_JSON = 128 * 1024 * 1024
"""Characters of a JSON file, which has to be read as a whole: a packed one may unfold to a thousand
times its size.
"""


class MapItem(NamedTuple):
    """One item, and where it comes from ($$.Map.Item.Source)."""

    value: Any
    source: str


def read_items(command: StartMapRun, buckets: Buckets | None) -> Generator[MapItem, None, None]:
    """Return the items of a map run: the state's own, or those that its ItemReader names.

    Fact 280.
    """
    if command.reader is None:
        yield from (MapItem(value, "STATE_DATA") for value in command.items or ())
    else:
        yield from _read(command.reader, buckets)


def _read(reader: ItemSource, buckets: Buckets | None) -> Iterator[MapItem]:
    most = most_items(reader)
    if reader.config.get("InputType") == "PARQUET" and "VersionId" in reader.arguments:
        # Fact 148.
        raise failed("S3 Version ID selection is not currently supported for PARQUET files")
    name = text_field("Bucket", reader.arguments.get("Bucket"))
    stored = present(buckets, name)
    if reader.resource.endswith("listObjectsV2"):
        items = _listed(reader, stored, name)
    else:
        items = _object(reader.config, stored, name, str(reader.arguments.get("Key", "")))
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
    config: Mapping[str, Any], buckets: Buckets, bucket: str, key: str
) -> Iterator[MapItem]:
    source = f"s3://{bucket}/{key}"
    with reported(source), buckets.open(bucket, key) as file, _text(file, key) as lines:
        for value in parse_items(config, lines):
            yield MapItem(value, source)


def parse_items(config: Mapping[str, Any], lines: IO[str]) -> Iterable[Any]:
    """Return the items of an object's text, as ReaderConfig says that they are written.

    Raises what `UNREADABLE` names, which `reported` makes a failure of the workflow.
    """
    kind = config.get("InputType", "JSON")
    read = _FORMATS.get(kind)
    if read is None:
        raise failed(f"Doorstep does not read items of InputType {kind}.")
    return read(config, lines)


def _text(file: IO[bytes], key: str) -> IO[str]:
    # Fact 279: a packed object says so by its name.
    plain: Any = gzip.GzipFile(mode="rb", fileobj=file) if key.endswith(".gz") else file
    return TextIOWrapper(plain, encoding="utf-8-sig", newline="")


def _csv(config: Mapping[str, Any], lines: IO[str]) -> Iterator[Any]:
    # Fact 276: every value is a text, header cells are taken as they are.
    # For the process, but only ever upwards: Python's own limit is below what AWS reads.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ITEM_BYTES))
    delimiter = _DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    rows = _rows(_lines(lines), delimiter)
    in_definition = config.get("CSVHeaderLocation") == "GIVEN"
    headers = config.get("CSVHeaders", []) if in_definition else next(rows, [])
    if len(set(headers)) < len(headers):
        raise failed("CSV headers cannot contain duplicates.")
    for row in rows:
        if row:
            # Short rows are filled up with "", cells beyond the headers are dropped.
            padded = row + [""] * (len(headers) - len(row))
            yield dict(zip(headers, padded, strict=False))


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the rows of a CSV file; in a cell that is not quoted, two quotes are one (fact 150).

    Python's reader halves them in quoted cells only, and does not say which cells are.
    """
    read: list[str] = []

    def remembered() -> Iterator[str]:
        for line in lines:
            read.append(line)
            yield line

    for row in csv.reader(remembered(), delimiter=delimiter, escapechar="\\", strict=False):
        if any('""' in cell for cell in row):
            quoted = _quoted("".join(read), _cell(delimiter))
            yield [
                cell if is_quoted else cell.replace('""', '"')
                for cell, is_quoted in zip(row, quoted, strict=False)
            ]
        else:
            yield row
        read.clear()


def _quoted(row: str, cell: re.Pattern[str]) -> Iterator[bool]:
    """Yield of each cell of a row whether it begins with a quote."""
    position = 0
    while match := cell.match(row, position):
        yield row.startswith('"', position)
        position = match.end() + 1


def _cell(delimiter: str) -> re.Pattern[str]:
    return re.compile(
        rf'(?:"(?:[^"\\]|\\.|"")*"?)?(?:[^{re.escape(delimiter)}\r\n\\]|\\.)*', re.DOTALL
    )


def _json(config: Mapping[str, Any], lines: IO[str]) -> Iterable[Any]:
    # Fact 277: only an array can be mapped over; ItemsPointer leads into the file.
    text = lines.read(MAX_JSON + 1)
    if len(text) > MAX_JSON:
        raise failed(f"A JSON file has {MAX_JSON:,} characters at most; JSONL may have any number.")
    value = loads(text)
    for name in _pointer(config.get("ItemsPointer", "")):
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (LookupError, TypeError, ValueError):
            raise failed(
                "The provided ReaderConfig.ItemsPointer does not match any valid path "
                "in the JSON structure."
            ) from None
    # Recorded for an object too, though the guide says that its members are iterated.
    if not isinstance(value, list):
        raise failed("Attempting to map over non-iterable node.")
    return value


def _pointer(text: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _jsonl(_: Mapping[str, Any], lines: IO[str]) -> Iterator[Any]:
    # Fact 277: a value a line.
    return (loads(line) for line in _lines(lines) if line.strip())


def _lines(text: IO[str]) -> Iterator[str]:
    while line := text.readline(MAX_ITEM_BYTES + 1):
        if len(line) > MAX_ITEM_BYTES:
            raise failed(f"A line has {MAX_ITEM_BYTES:,} characters at most, as an item has.")
        yield line


_FORMATS: dict[str, Callable[[Mapping[str, Any], IO[str]], Iterable[Any]]] = {
    "CSV": _csv,
    "JSON": _json,
    "JSONL": _jsonl,
}


class Batch(NamedTuple):
    """A child's input, and how many items stand in it."""

    input: Any
    size: int


def batches(command: StartMapRun, items: Iterator[MapItem], first: int = 0) -> Iterator[Batch]:
    """Return the children's inputs in order: an item each, or {"BatchInput": …, "Items": […]}.

    `first`: the index of the first item.

    Facts 116 and 281.
    """
    selected = (
        command.select(index, item.value, item.source) for index, item in enumerate(items, first)
    )
    if command.batch is None:
        return (Batch(value, 1) for value in selected)
    return batched(command.batch, selected)


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
