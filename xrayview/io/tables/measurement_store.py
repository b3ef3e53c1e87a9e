"""Annotations saved beside their films.

`xrayview-measurements.json` in the folder, one entry per SOPInstanceUID:

    {"schema": 2, "films": {UID: {"annotations": [{"id": "3f0c…", "modified_ms": 1760000000000,
                                                   "kind": "length", "frame": 0,
                                                   "points": [[10.0, 20.5], [30.0, 40.0]],
                                                   "text": ""}],
                                  "calibration": {"row_mm": 0.1, "column_mm": 0.1,
                                                  "modified_ms": 1760000000000},
                                  "deleted": {"77ab…": 1760000000000},
                                  "file": "NAME SHA256"}}}

`file` says which file the entry belongs to. Further files with the same UID have it in their key,
`UID NAME SHA256` (`domain.mark_keys`). Schema 1 had neither ids nor times, and is still read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xrayview.domain.mark_keys import film_of
from xrayview.domain.mark_merge import identified
from xrayview.domain.measurement import Annotation, FilmMarks, Mark
from xrayview.domain.radiograph import Point, Spacing, SpacingKind
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing

FILE_NAME = "xrayview-measurements.json"
SCHEMA = 2
_READABLE_SCHEMAS = (1, 2)
MAX_BYTES = 64 * 1024**2


class _Invalid(ValueError):
    """What is wrong with the file, with its location: `films[1.2.3].annotations: missing`."""


def save_measurements(path: Path, films: Mapping[str, FilmMarks]) -> None:
    """Write the annotations of films in one step; a film without annotations keeps its entry.

    Raises:
        OSError: the file cannot be written.
    """
    entries = {key: _film_entry(marks) for key, marks in films.items()}
    text = json.dumps(
        {"schema": SCHEMA, "films": entries}, ensure_ascii=False, indent=1, allow_nan=False
    )
    with replacing(path) as stream:
        stream.write(text + "\n")


def _film_entry(marks: FilmMarks) -> dict[str, Any]:
    marks = identified(marks)
    entry: dict[str, Any] = {"annotations": [_annotation_entry(a) for a in marks.annotations]}
    spacing = marks.calibration
    if spacing is not None or marks.calibrated_ms:
        lengths = {"row_mm": spacing.row_mm, "column_mm": spacing.column_mm} if spacing else {}
        entry["calibration"] = {**lengths, "modified_ms": marks.calibrated_ms}
    if marks.deleted:
        entry["deleted"] = dict(marks.deleted)
    if marks.file:
        entry["file"] = marks.file
    return entry


def _annotation_entry(annotation: Annotation) -> dict[str, Any]:
    return {
        "id": annotation.mark_id,
        "modified_ms": annotation.modified_ms,
        "kind": annotation.kind.value,
        "frame": annotation.frame,
        "points": [list(point) for point in annotation.points],
        "text": annotation.text,
    }


def load_measurements(path: Path) -> dict[str, FilmMarks]:
    """Read annotations by SOPInstanceUID; empty when there is no file.

    Every field is checked, so that everything loaded can be drawn. A file with an error is
    rejected as a whole and left unchanged.

    Raises:
        UsageError: with the location of the first error.
    """
    try:
        return dict(_films(_json(path)))
    except FileNotFoundError:
        return {}
    except RecursionError as error:
        raise _unreadable(path, "it is nested too deeply") from error
    except _Invalid as error:
        raise _unreadable(path, str(error)) from error
    except (ValueError, OSError) as error:
        raise _unreadable(path, f"it is not valid JSON ({type(error).__name__})") from error


def _json(path: Path) -> object:
    if path.stat().st_size > MAX_BYTES:
        raise _Invalid(f"it is larger than {MAX_BYTES // 1024**2} MiB")
    return json.loads(path.read_text(encoding="utf-8"))


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        "The measurements cannot be read",
        path=path,
        why=why,
        hint="The file has not been changed. Replace it with a good copy, or rename it.",
    )


def _films(data: object) -> Iterator[tuple[str, FilmMarks]]:
    top = _object(data, "the file")
    if top.get("schema") not in _READABLE_SCHEMAS:
        raise _Invalid(
            f"schema: {top.get('schema')!r:.40} is not {SCHEMA}; "
            "was it written by a newer version of XrayView?"
        )
    for key, entry in _object(top.get("films"), "films").items():
        where = f"films[{_text(key, 'films'):.80}]"
        film = _object(entry, where)
        items = _list(film.get("annotations"), f"{where}.annotations")
        annotations = tuple(
            _annotation(item, film_of(key), f"{where}.annotations[{i}]")
            for i, item in enumerate(items)
        )
        spacing, calibrated_ms = _calibration(film.get("calibration"), where)
        deleted = _deleted(film.get("deleted", {}), f"{where}.deleted")
        file = _text(film.get("file", ""), f"{where}.file")
        if file and not re.fullmatch("[0-9a-f]+ [0-9a-f]*", file):
            raise _Invalid(f"{where}.file: not two hashes")
        yield key, identified(FilmMarks(annotations, spacing, calibrated_ms, deleted, file))


def _annotation(data: object, film: str, where: str) -> Annotation:
    entry = _object(data, where)
    kind, frame = _text(entry.get("kind"), f"{where}.kind"), entry.get("frame")
    if kind not in set(Mark):
        raise _Invalid(f"{where}.kind: {kind!r:.40} is unknown")
    if not isinstance(frame, int) or isinstance(frame, bool):
        raise _Invalid(f"{where}.frame: not a whole number")
    text = _text(entry.get("text"), f"{where}.text")
    points = tuple(
        _point(point, f"{where}.points[{i}]")
        for i, point in enumerate(_list(entry.get("points"), f"{where}.points"))
    )
    mark_id = _text(entry.get("id", ""), f"{where}.id")
    modified_ms = _time(entry.get("modified_ms", 0), f"{where}.modified_ms")
    try:
        return Annotation(Mark(kind), points, film, frame, text, mark_id, modified_ms)
    except ValueError as error:
        raise _Invalid(f"{where}: {error}") from error


def _point(data: object, where: str) -> Point:
    pair = _list(data, where)
    if len(pair) != 2:
        raise _Invalid(f"{where}: not a row and a column")
    return _number(pair[0], where), _number(pair[1], where)


def _calibration(data: object, film: str) -> tuple[Spacing | None, int]:
    """The user's spacing, None where it was removed, and when that was."""
    if data is None:
        return None, 0
    where = f"{film}.calibration"
    entry = _object(data, where)
    modified_ms = _time(entry.get("modified_ms", 0), f"{where}.modified_ms")
    if modified_ms and "row_mm" not in entry and "column_mm" not in entry:
        return None, modified_ms
    row, column = (_number(entry.get(name), f"{where}.{name}") for name in ("row_mm", "column_mm"))
    if not (row > 0 and column > 0):
        raise _Invalid(f"{where}: spacings must be above 0")
    return Spacing(row, column, SpacingKind.USER), modified_ms


def _deleted(data: object, where: str) -> dict[str, int]:
    entries = _object(data, where)
    return {_text(i, where): _time(time_ms, f"{where}[{i:.40}]") for i, time_ms in entries.items()}


def _time(data: object, where: str) -> int:
    if not isinstance(data, int) or isinstance(data, bool) or data < 0:
        raise _Invalid(f"{where}: not a time in milliseconds")
    return data


def _object(data: object, where: str) -> dict[str, object]:
    if not isinstance(data, dict):
        raise _Invalid(f"{where}: missing, or not an object")
    return data


def _list(data: object, where: str) -> list[object]:
    if not isinstance(data, list):
        raise _Invalid(f"{where}: missing, or not a list")
    return data


def _text(data: object, where: str) -> str:
    # JSON can hold half of a surrogate pair, which cannot be written as UTF-8 again.
    if not isinstance(data, str) or data != data.encode("utf-8", "replace").decode("utf-8"):
        raise _Invalid(f"{where}: missing, or not a text")
    return data


def _number(data: object, where: str) -> float:
    try:
        number = float(data) if type(data) in {int, float} else math.nan  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _Invalid(f"{where}: not a number")
    return number
