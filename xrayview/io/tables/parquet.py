"""Tables of text cells as Parquet files, in which numbers are numbers and empty cells are null."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from xrayview.io.atomic import replacing_bytes
from xrayview.io.extras import optional_module

SUFFIX = ".parquet"
Kind = Literal["string", "int8", "int32", "int64", "float64"]
ROWS_PER_GROUP = 8_192
"""Rows of text that are in memory together, each of some kilobytes."""
_EXTRA, _WHAT = "parquet", "A Parquet file"


def is_parquet(path: Path) -> bool:
    """True for a table that is written and read as Parquet: its name decides."""
    return path.suffix.lower() == SUFFIX


def require_parquet() -> Any:
    """`pyarrow.parquet`. Raises: UsageError where it is not installed."""
    return optional_module("pyarrow.parquet", _EXTRA, _WHAT)


def require_arrow() -> Any:
    """`pyarrow`. Raises: UsageError where it is not installed."""
    return optional_module("pyarrow", _EXTRA, _WHAT)


def write_parquet(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    kind_of: Callable[[str], Kind],
) -> None:
    """Write a table in one step, in batches of rows.

    Args:
        path: where.
        header: the names of the columns.
        rows: cells as text, in the order of the header; an empty cell becomes null.
        kind_of: the type of a column by its name.

    Raises:
        UsageError: pyarrow is not installed.
        OSError: the file cannot be written.
    """
    arrow, parquet = require_arrow(), require_parquet()
    kinds = [kind_of(name) for name in header]
    types = [getattr(arrow, kind)() for kind in kinds]
    schema, source = arrow.schema(list(zip(header, types, strict=True))), iter(rows)
    with replacing_bytes(path) as stream, parquet.ParquetWriter(stream, schema) as writer:
        while batch := list(islice(source, ROWS_PER_GROUP)):
            arrays = [
                arrow.array([_PARSERS[kind](cell) if cell else None for cell in cells], type_)
                for cells, kind, type_ in zip(zip(*batch, strict=True), kinds, types, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema), ROWS_PER_GROUP)


def parquet_header(path: Path) -> tuple[str, ...]:
    """The names of the columns. Raises: ValueError where it is not a Parquet file, OSError."""
    with _opened(path) as file:
        return tuple(file.schema_arrow.names)


def read_parquet(path: Path, kind_of: Callable[[str], Kind]) -> Iterator[tuple[str, ...]]:
    """Yield the rows as text: numbers in their shortest form, null and NaN as an empty cell.

    Columns of whole numbers are read as such, also where another program has made floats of them.

    Raises:
        UsageError: pyarrow is not installed.
        ValueError: it is not a Parquet file, or is damaged.
        OSError: it cannot be read.
    """
    with _opened(path) as file:
        for batch in file.iter_batches(ROWS_PER_GROUP):
            columns = [
                [_text(value, kind_of(name)) for value in column.to_pylist()]
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            yield from zip(*columns, strict=True)


def _opened(path: Path) -> Any:
    return require_parquet().ParquetFile(path)


def _text(value: object, kind: Kind) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        is_whole = kind.startswith("int") and value.is_integer()
        return str(int(value)) if is_whole else repr(value)
    return str(value)


_PARSERS: Mapping[Kind, Callable[[str], object]] = {
    "string": str,
    "int8": int,
    "int32": int,
    "int64": int,
    "float64": float,
}


def require_table_format(path: Path) -> None:
    """Check that a table of this name can be written. Raises: UsageError."""
    if is_parquet(path):
        require_parquet()
