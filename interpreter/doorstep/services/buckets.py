"""The target's S3 for readers and writers of distributed Maps: the one that tasks and code use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from ..map_runs import failed
from .target import Target

_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of an object that are held in memory while it is read; more go to a temporary file."""


class S3Buckets:
    """The buckets of a target of services."""

    def __init__(self, target: Target) -> None:
        """Make no client before it is needed."""
        self._target = target

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """Open a copy of an object: its items are read for as long as children run.

        Raises StateFailed with what S3 said.
        """
        copy: Any = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  whoever reads it closes it

        def fetch(s3: Any) -> None:
            with s3.get_object(Bucket=bucket, Key=key)["Body"] as body:
                shutil.copyfileobj(body, copy)

        try:
            self._ask(f"s3://{bucket}/{key}", fetch)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy  # type: ignore[no-any-return]

    def listed(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield the description of each object; raise StateFailed with what S3 said."""
        after: dict[str, Any] = {}
        while True:
            asked = {"Bucket": bucket, "Prefix": prefix, **after}
            page = self._ask(f"s3://{bucket}", lambda s3: s3.list_objects_v2(**asked))  # noqa: B023
            yield from map(_described, page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    def write(self, bucket: str, key: str, parts: Iterable[bytes]) -> None:
        """Store an object; raise StateFailed with what S3 said."""
        with SpooledTemporaryFile(_IN_MEMORY) as content:
            content.writelines(parts)
            content.seek(0)
            self._ask(
                f"s3://{bucket}/{key}",
                lambda s3: s3.put_object(Bucket=bucket, Key=key, Body=content),
            )

    def _ask(self, what: str, ask: Callable[[Any], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        s3 = self._target.client("s3")
        try:
            with self._target.one_at_a_time:
                return ask(s3)
        except ClientError as problem:
            raise failed(f"{problem.response['Error'].get('Message', problem)} ({what})") from None
        except BotoCoreError as problem:
            raise failed(f"{what}: {problem}") from None
        except Exception as problem:
            # A gap in moto is a plain exception of Python in this process.
            why = f"the service target {self._target.name} broke: {problem}"
            raise failed(f"{what}: {why}") from problem


def _described(entry: dict[str, Any]) -> dict[str, Any]:
    # Fact 119: Etag has its quotes, LastModified is in seconds.
    return {
        "Etag": entry["ETag"],
        "Key": entry["Key"],
        "LastModified": float(int(entry["LastModified"].timestamp())),
        "Size": entry["Size"],
        "StorageClass": entry.get("StorageClass", "STANDARD"),
    }
