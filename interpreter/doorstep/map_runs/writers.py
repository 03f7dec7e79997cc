"""ResultWriter: a map run's result, in the state's output or as files in the bucket's folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..engine import ResultTarget, StartMapRun
from ..runtime import Buckets, described
from ..values.json_values import encoded
from .buckets import present
from .readers import text_field

if TYPE_CHECKING:
    from ..runtime import Running


def record_of(command: StartMapRun, child: Running) -> Any:
    """Return the record of a child that has ended: its output or failure, or its description.

    Facts 139 and 284: without a Transformation an export has descriptions, the state's own output
    has none.
    """
    writer = command.writer
    exported = writer is not None and writer.bucket is not None
    transformation = (writer and writer.transformation) or ("NONE" if exported else "COMPACT")
    if transformation == "NONE":
        return described(child)
    return child.output if child.status == "SUCCEEDED" else failed_record(child.status, child)


class Failed(Protocol):
    """What a child ended with; either may be absent."""

    @property
    def error(self) -> str | None: ...
    @property
    def cause(self) -> str | None: ...


def failed_record(status: str, failure: Failed) -> dict[str, str]:
    """Return what stands in the result for a child whose failure is tolerated.

    Fact 139, measured for a child that failed; so also for one that was timed out or stopped.
    """
    members = {"Status": status, "Error": failure.error, "Cause": failure.cause}
    return {name: text for name, text in members.items() if text is not None}


def result(
    command: StartMapRun,
    succeeded: Mapping[int, Any],
    unsuccessful: Mapping[int, Running],
    buckets: Buckets | None,
) -> Any:
    """Return the result of a map run: its children's records, or where they were written.

    Facts 118, 139, 283 and 284: the records in order, or with an export the manifest's place.
    """
    writer = command.writer
    if writer is not None and writer.bucket is not None:
        bad = [unsuccessful[index] for index in sorted(unsuccessful)]
        return _export(command, writer, writer.bucket, in_order(command, succeeded), bad, buckets)
    failed = {index: record_of(command, child) for index, child in unsuccessful.items()}
    return in_order(command, {**succeeded, **failed})


def in_order(command: StartMapRun, records: Mapping[int, Any]) -> list[Any]:
    """Return children's records in the order of their items; FLATTEN concatenates arrays."""
    ordered = [records[index] for index in sorted(records)]
    if command.writer is None or command.writer.transformation != "FLATTEN":
        return ordered
    lists = [record if isinstance(record, list) else [record] for record in ordered]
    return [value for values in lists for value in values]


def _export(
    command: StartMapRun,
    writer: ResultTarget,
    bucket: str,
    good: list[Any],
    bad: list[Running],
    buckets: Buckets | None,
) -> dict[str, Any]:
    # Facts 118 and 284: a file for each status, failed children always with their description, and
    # a manifest that lists them.
    stored = present(buckets, text_field("Bucket", bucket))
    folder = _folder(writer, command.arn)
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    # What failed is always written with the child's description.
    for status, records in (
        ("SUCCEEDED", good),
        ("FAILED", [described(child) for child in bad]),
    ):
        if records:
            key = f"{folder}/{status}_0.{writer.output_type.lower()}"
            text = _written(records, writer.output_type)
            stored.write(bucket, key, text)
            files[status].append({"Key": key, "Size": len(text)})
    manifest = {
        "DestinationBucket": bucket,
        "MapRunArn": command.arn,
        "ResultFiles": files,
    }
    exported = export_result(writer, command.arn)
    stored.write(bucket, exported["ResultWriterDetails"]["Key"], encoded(manifest))
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


def _written(records: list[Any], output_type: str) -> bytes:
    if output_type == "JSONL":
        return b"".join(encoded(record) + b"\n" for record in records)
    return encoded(records)
