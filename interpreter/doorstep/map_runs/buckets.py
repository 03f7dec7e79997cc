"""Where objects of S3 are for readers and writers: in a folder that stands for the buckets.

`DIR/NAME/KEY` is the object KEY of the bucket NAME. With services, buckets that have no folder are
those of the services' target.
"""

from __future__ import annotations

import csv
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import InputError, StateFailed, shortened
from ..runtime import Buckets
from ..values.file_names import is_possible_here

UNREADABLE = (OSError, EOFError, ValueError, zlib.error, csv.Error, InputError)
"""What reading a file of somebody else's may raise: damaged, not packed at all, no UTF-8, a name
that no file can have.
"""


def failed(cause: str) -> StateFailed:
    """Return States.ItemReaderFailed."""
    return StateFailed("States.ItemReaderFailed", cause)


@contextmanager
def reported(what: object) -> Iterator[None]:
    """Let what is raised while an object is read be States.ItemReaderFailed, which names it."""
    try:
        yield
    except UNREADABLE as problem:
        why = getattr(problem, "strerror", None) or problem
        raise failed(f"{shortened(str(what))}: {why}") from None


def buckets_in(folder: Path | str | None, others: Buckets | None = None) -> Buckets | None:
    """Return the buckets of a folder, and beside them the others; None where there are none."""
    return others if folder is None else Folder(Path(folder), others)


def present(buckets: Buckets | None, bucket: str) -> Buckets:
    """Return the buckets; raise StateFailed, with what would give some, when there are none."""
    if buckets is None:
        raise failed(
            f"No folder stands for the bucket {bucket!r}: give one with --s3-root DIR "
            f"(in Python s3_root=DIR), and put the objects under DIR/{bucket}/; or let S3 be "
            "answered by --services."
        )
    return buckets


class Folder:
    """A folder with a folder for each bucket."""

    def __init__(self, root: Path, others: Buckets | None = None) -> None:
        """`others`: where the buckets are that have no folder."""
        self._root = root
        self._others = others

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """Open an object to be read; raise StateFailed when it is not there."""
        if others := self._elsewhere(bucket):
            return others.open(bucket, key)
        path = self._locate(bucket, key)
        if not path.is_file():
            raise failed(f"The specified key does not exist. ({path})")
        return path.open("rb")

    def listed(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield the description of each object whose key begins so, in order of the keys."""
        if others := self._elsewhere(bucket):
            yield from others.listed(bucket, prefix)
            return
        folder = self._locate(bucket)
        if not folder.is_dir():
            raise failed(f"The specified bucket does not exist ({folder})")
        with reported(folder):
            files = (path for path in folder.rglob("*") if path.is_file())
            keys = sorted(path.relative_to(folder).as_posix() for path in files)
        for key in keys:
            if key.startswith(prefix):
                yield _described(self._locate(bucket, key), key)

    def write(self, bucket: str, key: str, parts: Iterable[bytes]) -> None:
        """Store an object; raise StateFailed or OSError."""
        if others := self._elsewhere(bucket):
            others.write(bucket, key, parts)
            return
        path = self._locate(bucket, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(parts)
        except OSError as problem:
            cause = f"can't write {problem.filename}: {problem.strerror}"
            raise StateFailed("States.ResultWriterFailed", cause) from None

    def _elsewhere(self, bucket: str) -> Buckets | None:
        if self._others is None or self._locate(bucket).is_dir():
            return None
        return self._others

    def _locate(self, bucket: str, key: str = "") -> Path:
        """Return what stands for an object or a bucket; never outside the folder."""
        with reported(f"{bucket}/{key}"):
            if not all(map(is_possible_here, (bucket, *key.split("/")))):
                raise failed(f"{bucket}/{key} can't be a file on Windows: rename it, or use S3.")
            root = (self._root / bucket).resolve()
            path = (root / key).resolve()
            if not path.is_relative_to(root) or root.parent != self._root.resolve():
                raise failed(f"{bucket}/{key} is outside the folder that stands for the buckets.")
            return path


def _described(path: Path, key: str) -> dict[str, Any]:
    # Fact 119: Etag has its quotes, LastModified is in seconds.
    with reported(path), path.open("rb") as file:
        stat = path.stat()
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return {
        "Etag": f'"{digest}"',
        "Key": key,
        "LastModified": float(int(stat.st_mtime)),
        "Size": stat.st_size,
        "StorageClass": "STANDARD",
    }
