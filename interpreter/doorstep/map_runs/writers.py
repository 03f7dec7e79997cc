"""ResultWriter: a map run's result, in the state's output or as files in the bucket's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine import ResultTarget, StartMapRun
from ..errors import StateFailed
from ..runtime import described
from ..values.json_values import encoded
from .readers import locate, text_field

if TYPE_CHECKING:
    from ..runtime import Running


def record_of(command: StartMapRun, child: Running) -> Any:
    """Return the record of a child that succeeded: its output, or its description (fact 284)."""
    writer = command.writer
    if writer is None:
        return child.output
    # Without a Transformation an export has descriptions, the state's own output has none.
    transformation = writer.transformation or ("NONE" if writer.bucket is not None else "COMPACT")
    return described(child) if transformation == "NONE" else child.output


def result(
    command: StartMapRun,
    succeeded: Mapping[int, Any],
    unsuccessful: Mapping[int, Running],
    buckets: Path | None,
) -> Any:
    """Return the result of a map run: its children's records, or where they were written.

    Facts 118, 283 and 284: the outputs in order, or with an export the manifest's place; FLATTEN
    concatenates arrays.
    """
    writer = command.writer
    good = [succeeded[index] for index in sorted(succeeded)]
    if writer is None:
        return good
    if writer.transformation == "FLATTEN":
        lists = [value if isinstance(value, list) else [value] for value in good]
        good = [value for values in lists for value in values]
    if writer.bucket is None:
        return good
    bad = [unsuccessful[index] for index in sorted(unsuccessful)]
    return _export(command, writer, writer.bucket, good, bad, buckets)


def _export(
    command: StartMapRun,
    writer: ResultTarget,
    bucket: str,
    good: list[Any],
    bad: list[Running],
    buckets: Path | None,
) -> dict[str, Any]:
    # Facts 118 and 284: a file for each status, failed children always with their description, and
    # a manifest that lists them.
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
            _write(buckets, bucket, key, text)
            files[status].append({"Key": key, "Size": len(text)})
    manifest = {
        "DestinationBucket": bucket,
        "MapRunArn": command.arn,
        "ResultFiles": files,
    }
    exported = export_result(writer, command.arn)
    _write(buckets, bucket, exported["ResultWriterDetails"]["Key"], encoded(manifest))
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


def _write(buckets: Path | None, bucket: str, key: str, text: bytes) -> None:
    path = locate(buckets, text_field("Bucket", bucket), key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError as problem:
        cause = f"can't write {problem.filename}: {problem.strerror}"
        raise StateFailed("States.ResultWriterFailed", cause) from None
