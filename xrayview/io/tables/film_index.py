"""The index of a folder as a Parquet file: one row per file, films of a patient side by side.

What concerns the whole index is JSON under the key `xrayview` of the file's own metadata.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, astuple, dataclass, fields
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from xrayview.domain.film_index import IndexedFile, Shard
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing_bytes
from xrayview.io.tables.parquet import require_arrow, require_parquet

SCHEMA = 1
METADATA_KEY = b"xrayview"
ROWS_PER_GROUP = 65_536
"""A shard of 1,000 films reads one or two row groups; the footer of 10^8 rows is a few MB."""
COLUMNS = tuple(field.name for field in fields(IndexedFile))
_TYPES = {"id": "int64", "size": "int64", "mtime_ns": "int64", "frames": "int32", "group": "int64"}
"""Other columns are text."""


@dataclass(frozen=True)
class IndexMetadata:
    """What concerns the whole index."""

    root: str
    """The folder as an absolute path when it was indexed."""
    index_id: str
    """SHA-256 of all rows, in hexadecimal digits: the same for an unchanged folder."""
    rows: int
    table_rows: int
    """Rows of the table of predictions: one per frame, one for any other file."""
    identity: str
    identity_key: str
    """A fingerprint, from which the key cannot be found."""
    app_version: str
    created_utc: str


class IndexDigest:
    """Computes `index_id` row by row."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, file: IndexedFile) -> None:
        """Take one more row."""
        text = json.dumps(astuple(file), separators=(",", ":"))
        self._digest.update(text.encode("ascii") + b"\n")

    def hexdigest(self) -> str:
        """The hash of the rows so far."""
        return self._digest.hexdigest()


def write_film_index(
    path: Path, files: Iterable[IndexedFile], metadata: Callable[[], IndexMetadata]
) -> None:
    """Write an index in one step, batch by batch.

    Args:
        path: where.
        files: in their final order.
        metadata: called when all files have been taken.

    Raises:
        UsageError: pyarrow is not installed.
        OSError: the folder cannot be written.
    """
    arrow, parquet = require_arrow(), require_parquet()
    kinds = [(name, getattr(arrow, _TYPES.get(name, "string"))()) for name in COLUMNS]
    schema, source = arrow.schema(kinds), iter(files)
    with replacing_bytes(path) as stream, parquet.ParquetWriter(stream, schema) as writer:
        while batch := list(islice(source, ROWS_PER_GROUP)):
            columns = zip(*map(astuple, batch), strict=True)
            arrays = [
                arrow.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema), ROWS_PER_GROUP)
        plain = {"schema": SCHEMA, **asdict(metadata())}
        writer.add_key_value_metadata({METADATA_KEY: json.dumps(plain)})


class FilmIndex:
    """An index that is read in parts: memory does not grow with its number of rows.

    Raises:
        UsageError: pyarrow is not installed, or the file is not an index or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        parquet = require_parquet()
        try:
            self._file = parquet.ParquetFile(path)
            plain = json.loads((self._file.metadata.metadata or {})[METADATA_KEY])
            schema = plain.pop("schema")
            if schema != SCHEMA:
                raise _not_an_index(path, f"its schema is {schema}, this version reads {SCHEMA}")
            self.metadata = IndexMetadata(**plain)
        except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:
            raise _not_an_index(path, _reason(error)) from error
        if self._file.metadata.num_rows != self.metadata.rows or self._columns() != COLUMNS:
            raise _not_an_index(path, "its rows are not those that its metadata describes")
        groups = range(self._file.num_row_groups)
        counts = (self._file.metadata.row_group(i).num_rows for i in groups)
        self._starts = tuple(accumulate(counts, initial=0))

    def __enter__(self) -> FilmIndex:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self.metadata.rows

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[IndexedFile]:
        """Yield the rows from `start` to before `stop`, in the order of the file.

        Raises:
            UsageError: the file is damaged.
        """
        stop = len(self) if stop is None else min(stop, len(self))
        for group, first in enumerate(self._starts[:-1]):
            last = self._starts[group + 1]
            if first >= stop or last <= start or start >= stop:
                continue
            table = self._read_group(group, list(COLUMNS))
            part = table.slice(max(start - first, 0), min(stop, last) - max(start, first))
            columns = [part.column(name).to_pylist() for name in COLUMNS]
            for values in zip(*columns, strict=True):
                yield IndexedFile(*values)

    def bounds(self, shard: Shard) -> tuple[int, int]:
        """First row of a shard, and the one after its last; patients are never split.

        Shards of one count cover all rows once. A patient with many films makes the shards after
        the first of them smaller, down to none.
        """
        stop = Shard(shard.number + 1, shard.count) if shard.number < shard.count else None
        return self._boundary(shard.start(len(self))), (
            self._boundary(stop.start(len(self))) if stop else len(self)
        )

    def shard(self, shard: Shard) -> Iterator[IndexedFile]:
        """Yield the rows of a shard."""
        yield from self.rows(*self.bounds(shard))

    def _boundary(self, row: int) -> int:
        """The first row from `row` on with which a group begins."""
        if row == 0:
            return 0
        before: int | None = None
        for group, first in enumerate(self._starts[:-1]):
            if self._starts[group + 1] < row:
                continue
            values = self._read_group(group, ["group"]).column("group").to_pylist()
            for i, value in enumerate(values, first):
                if before is not None and i >= row and value != before:
                    return i
                before = value if i >= row - 1 else None
        return len(self)

    def _read_group(self, group: int, columns: list[str]) -> Any:
        try:
            return self._file.read_row_group(group, columns=columns)
        except (OSError, ValueError) as error:
            raise _not_an_index(self.path, _reason(error)) from error

    def _columns(self) -> tuple[str, ...]:
        return tuple(self._file.schema_arrow.names)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it is not a Parquet file that `xrayview index` has written"


def _not_an_index(path: Path, why: str) -> UsageError:
    return UsageError(
        "Not an index of films",
        path=path,
        why=why,
        hint="Make one with `xrayview index FOLDER --out index.parquet`.",
    )
