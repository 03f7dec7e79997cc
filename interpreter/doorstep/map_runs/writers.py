"""ResultWriter: a map run's result, in the state's output or as files in the bucket's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..engine import Journal, ResultTarget, StartMapRun
from ..errors import Failure, StateFailed
from ..runtime import described
from ..values.json_values import dumps, encoded, loads
from .readers import locate, text_field
from .results import Texts

MAX_FILE = 5 * 2**30
"""Bytes of one file of results (guide: input-output-resultwriter; fact 284)."""


class Records(NamedTuple):
    """The records of a map run's children: JSON texts in the order of their items."""

    texts: Texts
    succeeded: Callable[[int], bool]

    def of(self, succeeded: bool) -> Iterator[bytes]:
        """Return the records of the children that succeeded, or of the others."""
        return (text for index, text in self.texts.all() if self.succeeded(index) is succeeded)

    def values(self) -> dict[int, Any]:
        """Return all records as values, by their indexes."""
        return {index: loads(text.decode()) for index, text in self.texts.all()}


def exports(command: StartMapRun) -> bool:
    """Return whether the results are written to a bucket."""
    return command.writer is not None and command.writer.bucket is not None


def record_of(command: StartMapRun, journal: Journal) -> str:
    """Return the record of a child that has ended: its output or failure, or its description.

    Facts 118, 139 and 284: without a Transformation an export has descriptions, the state's own
    output has none; what failed is always exported with its description.
    """
    exported = exports(command)
    transformation = command.writer.transformation if command.writer else None
    succeeded = journal.status == "SUCCEEDED"
    if (transformation or ("NONE" if exported else "COMPACT")) == "NONE" or (
        exported and not succeeded
    ):
        return dumps(described(journal))
    details = journal.end.details or {}
    if succeeded:
        return str(details["output"])
    return dumps(failed_record(journal.status, Failure(**details)))


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
    lists = [record if isinstance(record, list) else [record] for record in ordered]
    return [value for values in lists for value in values]


def export(command: StartMapRun, records: Records, buckets: Path | None) -> dict[str, Any]:
    """Write the results of a map run to its bucket, and return the manifest's place.

    Facts 118, 283 and 284: files for each status, and a manifest that lists them.
    """
    writer = command.writer
    assert writer
    folder, extension = _folder(writer, command.arn), writer.output_type.lower()
    bucket = text_field("Bucket", writer.bucket)

    def write(status: str, texts: Iterable[bytes]) -> list[dict[str, Any]]:
        names = (f"{folder}/{status}_{number}.{extension}" for number in range(1 << 62))
        opened = ((name, locate(buckets, bucket, name)) for name in names)
        sizes = _write_files(texts, opened, writer.output_type)
        return [{"Key": key, "Size": size} for key, size in sizes]

    exported = export_result(writer, command.arn)
    try:
        manifest = {
            "DestinationBucket": bucket,
            "MapRunArn": command.arn,
            "ResultFiles": {
                "FAILED": write("FAILED", records.of(succeeded=False)),
                "PENDING": [],
                "SUCCEEDED": write("SUCCEEDED", _shaped(writer, records.of(succeeded=True))),
            },
        }
        path = locate(buckets, bucket, exported["ResultWriterDetails"]["Key"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(manifest))
    except OSError as problem:
        cause = f"can't write {problem.filename}: {problem.strerror}"
        raise StateFailed("States.ResultWriterFailed", cause) from None
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


def _write_files(
    texts: Iterable[bytes], files: Iterator[tuple[str, Path]], output_type: str
) -> Iterator[tuple[str, int]]:
    """Write texts to as many files as it takes; yield each one's key and size.

    Fact 284: no file is larger than 5 GB; JSON is an array, JSONL has a line for each record.
    """
    before, between, after = (b"", b"", b"\n") if output_type == "JSONL" else (b"[", b",", b"")
    end = b"" if output_type == "JSONL" else b"]"
    key, file, size = "", None, 0
    with ExitStack() as stack:
        for text in texts:
            if file and size + len(text) + len(between + after + end) > MAX_FILE:
                file.write(end)
                stack.close()
                yield key, size + len(end)
                file = None
            if file is None:
                key, path = next(files)
                file, size = stack.enter_context(_opened(path)), 0
            part = (between if size else before) + text + after
            file.write(part)
            size += len(part)
        if file:
            file.write(end)
    if file:
        yield key, size + len(end)


def _opened(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")
