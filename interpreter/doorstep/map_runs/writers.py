"""ResultWriter: a map run's result, in the state's output or as files in the bucket's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from ..engine import Journal, ResultTarget, StartMapRun
from ..errors import Failure
from ..runtime import Buckets, Texts, described
from ..values.json_values import dumps, encoded, loads, text_of
from .buckets import present
from .readers import text_field

MAX_FILE = 5 * 2**30
"""Bytes of one file of results (guide: input-output-resultwriter; fact 284)."""


class Records(NamedTuple):
    """The records of a map run's children: JSON texts in the order of their items."""

    texts: Texts
    succeeded: bytes
    """1 for each child that succeeded, else 0."""

    def of(self, succeeded: bool) -> Iterator[bytes]:
        """Return the records of the children that succeeded, or of the others."""
        wanted = (index for index, one in enumerate(self.succeeded) if one == succeeded)
        return filter(None, map(self.texts.get, wanted))

    def values(self) -> dict[int, Any]:
        """Return all records as values, by their indexes."""
        texts = enumerate(map(self.texts.get, range(len(self.texts))))
        return {index: loads(text.decode()) for index, text in texts if text}


def exports(command: StartMapRun) -> bool:
    """Return whether the results are written to a bucket."""
    return command.writer is not None and command.writer.bucket is not None


def record_of(command: StartMapRun, journal: Journal, status: str) -> str:
    """Return the record of a child that has ended: its output or failure, or its description.

    Facts 118, 139 and 284: without a Transformation an export has descriptions, the state's own
    output has none; what failed is always exported with its description.
    """
    exported = exports(command)
    transformation = command.writer.transformation if command.writer else None
    succeeded = status == "SUCCEEDED"
    if (transformation or ("NONE" if exported else "COMPACT")) == "NONE" or (
        exported and not succeeded
    ):
        return text_of(described(journal), nests=False)
    details = journal.end.details or {}
    if succeeded:
        return str(details["output"])
    return dumps(failed_record(status, Failure(**details)))


def failed_record(status: str, failure: Failure) -> dict[str, str]:
    """Return what stands in the result for a child whose failure is tolerated.

    Fact 139, measured for a child that failed; so also for one that was timed out or stopped.
    """
    members = {"Status": status, "Error": failure.error, "Cause": failure.cause}
    return {name: text for name, text in members.items() if text is not None}


def in_order(command: StartMapRun, records: Mapping[int, Any]) -> list[Any]:
    """Return children's records in the order of their items; FLATTEN concatenates arrays."""
    ordered = [records[index] for index in sorted(records)]
    if command.writer is None or command.writer.transformation != "FLATTEN":
        return ordered
    return [value for record in ordered for value in _elements(record)]


def export(command: StartMapRun, records: Records, buckets: Buckets | None) -> dict[str, Any]:
    """Write the results of a map run to its bucket, and return the manifest's place.

    Facts 118, 283 and 284: files for each status, and a manifest that lists them.
    """
    writer = command.writer
    assert writer
    bucket = text_field("Bucket", writer.bucket)
    stored, folder = present(buckets, bucket), _folder(writer, command.arn)

    def write(status: str, texts: Iterator[bytes]) -> list[dict[str, Any]]:
        written: list[dict[str, Any]] = []
        for content in _files(texts, writer.output_type):
            key = f"{folder}/{status}_{len(written)}.{writer.output_type.lower()}"
            stored.write(bucket, key, content)
            written.append({"Key": key, "Size": content.size})
        return written

    exported = export_result(writer, command.arn)
    manifest = {
        "DestinationBucket": bucket,
        "MapRunArn": command.arn,
        "ResultFiles": {
            "FAILED": write("FAILED", records.of(succeeded=False)),
            "PENDING": [],
            "SUCCEEDED": write("SUCCEEDED", _shaped(writer, records.of(succeeded=True))),
        },
    }
    stored.write(bucket, exported["ResultWriterDetails"]["Key"], [encoded(manifest)])
    return exported


def export_result(writer: ResultTarget, map_run: str) -> dict[str, Any]:
    """Return the result of a map run that writes its children's to a bucket, from its ARN.

    Fact 283.
    """
    details = {"Bucket": writer.bucket, "Key": f"{_folder(writer, map_run)}/manifest.json"}
    return {"MapRunArn": map_run, "ResultWriterDetails": details}


def _folder(writer: ResultTarget, map_run: str) -> str:
    prefix = text_field("Prefix", writer.prefix).strip("/")
    return f"{prefix}/{map_run.rpartition(':')[2]}".lstrip("/")


def _shaped(writer: ResultTarget, records: Iterator[bytes]) -> Iterator[bytes]:
    """Return what stands in the files for records: with FLATTEN the elements of arrays."""
    if writer.transformation != "FLATTEN":
        return records
    return (encoded(value) for record in records for value in _elements(loads(record.decode())))


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _File:
    """The content of one file of results, in parts; its size is known when it was written."""

    def __init__(self, first: bytes, others: Iterator[bytes], output_type: str) -> None:
        self._others = others
        self._part = first
        self._punctuation = _PUNCTUATION[output_type]
        self.size = 0
        self.next: bytes | None = None
        """The text that does not fit into it."""

    def __iter__(self) -> Iterator[bytes]:
        lead, between, after = self._punctuation
        size, most = 0, MAX_FILE - len(after)
        for text in chain([self._part], self._others):
            part = lead + text
            if size and size + len(part) > most:
                self.next = text
                break
            size += len(part)
            lead = between
            yield part
        self.size = size + len(after)
        yield after


_PUNCTUATION = {"JSON": (b"[", b",", b"]"), "JSONL": (b"", b"\n", b"\n")}
"""What stands before the first text of a file, between two and after the last one."""


def _files(texts: Iterator[bytes], output_type: str) -> Iterator[_File]:
    """Yield the files that hold the texts, each to be read to its end before the next.

    Fact 284: no file is larger than 5 GB; JSON is an array, JSONL has a line for each record.
    """
    first = next(texts, None)
    while first is not None:
        file = _File(first, texts, output_type)
        yield file
        first = file.next
