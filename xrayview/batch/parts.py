"""The parts of an index in a folder: which there are, and whether they belong together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xrayview.batch.report import report_path
from xrayview.domain.film_index import IndexedFile, Shard
from xrayview.errors import StatusCode, UsageError
from xrayview.io.dated_copy import is_dated_copy
from xrayview.io.tables.film_index import FilmIndex
from xrayview.io.tables.predictions import Row, stream_predictions

SUFFIXES = (".csv", ".parquet")
OF_THE_MACHINE = ("device", "runtime", "precision", "packages", "app_version")
"""What may differ between parts where the user allows it."""


@dataclass(frozen=True)
class Part:
    """The table of one shard, and its report."""

    table: Path
    shard: Shard
    report: Mapping[str, Any]

    @property
    def run_key(self) -> Mapping[str, Any]:
        """What the rows depend on."""
        key: Mapping[str, Any] = self.report["films"]["run_key"]
        return key


@dataclass(frozen=True)
class Gap:
    """What the parts lack: a whole shard (no path), or the rows of a file in a part."""

    shard: Shard
    path: str = ""

    @property
    def text(self) -> str:
        """`shard 3/100`, or `shard 3/100: a/b.dcm`."""
        return f"shard {self.shard}{f': {self.path}' if self.path else ''}"


def find_parts(folder: Path, index: FilmIndex, skip: Path) -> tuple[Part, ...]:
    """The parts of `index` in a folder, by shard.

    Args:
        folder: the folder; its subfolders are not looked at.
        index: the index that the parts must be of.
        skip: a table that is not a part: the merged one.

    Raises:
        UsageError: a table there is not a part of this index, or two are of one shard, or the
            shards are of different counts, or there is no table.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    originals = [p for p in paths if p != skip and not any(is_dated_copy(p, q) for q in paths)]
    parts = [_part(path, index) for path in originals if not path.name.startswith(".")]
    if not parts:
        raise UsageError(
            "The folder contains no parts",
            path=folder,
            hint="Make them with `xrayview classify --films INDEX --shard K/N --out PART`.",
        )
    by_shard: dict[Shard, Part] = {}
    for part in parts:
        other = by_shard.setdefault(part.shard, part)
        if other is not part:
            raise UsageError(
                f"There are two parts of shard {part.shard}",
                path=part.table,
                why=f"the other is {other.table.name}",
                hint="Move one of them out of the folder.",
            )
        if part.shard.count != parts[0].shard.count:
            raise UsageError(
                "The parts are of different divisions",
                path=part.table,
                why=f"it is shard {part.shard}, {parts[0].table.name} is shard {parts[0].shard}",
                hint="Merge parts of one division only.",
            )
    return tuple(sorted(by_shard.values(), key=lambda part: part.shard.number))


def check_run_keys(parts: tuple[Part, ...], *, allow_mixed: bool) -> tuple[str, ...]:
    """Check that all parts are of one kind of run; the names of what differs and may differ.

    Raises:
        UsageError: something differs that decides the rows, or may not differ.
    """
    first, mixed = parts[0], set[str]()
    for part in parts[1:]:
        keys = first.run_key, part.run_key
        different = sorted(name for name in {*keys[0], *keys[1]} if _differs(keys, name))
        refused = [name for name in different if not allow_mixed or name not in OF_THE_MACHINE]
        if refused:
            is_machine = set(refused) <= set(OF_THE_MACHINE)
            raise UsageError(
                "The parts belong to different kinds of runs",
                path=part.table,
                why=f"different {', '.join(refused)} from {first.table.name}",
                hint="Allow it with --allow-mixed, or classify one of them again."
                if is_machine
                else "Classify one of them again, with the options of the other.",
            )
        mixed.update(different)
    return tuple(sorted(mixed))


def rows_of_part(part: Part, files: Mapping[str, IndexedFile]) -> Iterator[tuple[int, int, Row]]:
    """Yield the rows of a part with the id of their file and their frame (-1 for none).

    Args:
        part: the part.
        files: the files of its shard by path.

    Raises:
        UsageError: a row is of another file or occurs twice, or the table cannot be read.
    """
    seen: set[tuple[int, int]] = set()
    for row in stream_predictions(part.table)[1]:
        file = files.get(row["path"])
        if file is None:
            raise _wrong_row(part, row, f"it is not a file of shard {part.shard}")
        frame = int(row["frame"]) if row["frame"] else -1
        if (file.id, frame) in seen:
            raise _wrong_row(part, row, "it occurs twice")
        seen.add((file.id, frame))
        yield file.id, frame, row


def has_all_rows(file: IndexedFile, frames: set[int]) -> bool:
    """True where a file has its one row without a frame, or one for each frame."""
    if frames == {-1}:
        return True
    # A file whose header could not be read when it was indexed may have any number of frames.
    expected = file.frames if file.status_code == StatusCode.OK else len(frames)
    return bool(frames) and frames == set(range(expected))


def _differs(keys: tuple[Mapping[str, Any], Mapping[str, Any]], name: str) -> bool:
    return bool(keys[0].get(name) != keys[1].get(name))


def _part(path: Path, index: FilmIndex) -> Part:
    report = report_path(path)
    try:
        plain = json.loads(report.read_text(encoding="utf-8"))
        films = plain["films"]
        shard = Shard.parse(films["shard"])
        index_id = films["index_id"]
        part = Part(path, shard, plain)
        dict(part.run_key)
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise UsageError(
            "The table is not a part of an index",
            path=path,
            why=f"{report.name} beside it is missing or does not describe one",
            hint="Copy part and report together, or move the table out of the folder.",
        ) from error
    if index_id != index.metadata.index_id:
        raise UsageError(
            "The part is of another index",
            path=path,
            why=f"of {films.get('index', 'one')} as it was when the part was made",
            hint="Name that index, or classify the shard again.",
        )
    return part


def _wrong_row(part: Part, row: Row, why: str) -> UsageError:
    frame = f" frame {int(row['frame']) + 1}" if row["frame"] else ""
    return UsageError(
        f"The part has a row that it should not have: {row['path']}{frame}",
        path=part.table,
        why=why,
        hint="Classify the shard again with --restart.",
    )
