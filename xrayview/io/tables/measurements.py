"""Annotations saved beside the study, and their figures as CSV.

`xrayview-measurements.json` in the study's folder, one entry per SOPInstanceUID:

    {"schema": 1, "films": {UID: {"calibration": {"row_mm": 0.1, "column_mm": 0.1},
                                  "annotations": [{"kind": "length", "frame": 0,
                                                   "points": [[10.0, 20.5], [30.0, 40.0]],
                                                   "text": ""}]}}}
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xrayview.domain.measurement import Annotation, FilmMarks, Mark, Measured
from xrayview.domain.radiograph import Point, Spacing, SpacingKind
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing
from xrayview.io.tables.predictions import FORMULA

FILE_NAME = "xrayview-measurements.json"
SCHEMA = 1
MAX_BYTES = 64 * 1024**2
CSV_COLUMNS = (
    "path", "SOPInstanceUID", "frame", "number", "kind", "text", "name", "value", "unit",
    "spacing_kind", "points",
)  # fmt: skip

Films = Mapping[str, FilmMarks]


class _Invalid(ValueError):
    """What is wrong with the file, and where in it."""


def save_measurements(path: Path, films: Films) -> None:
    """Write the annotations of films in one step, those without any as films without any.

    Raises:
        OSError: the folder cannot be written.
    """
    entries = {uid: _film_entry(marks) for uid, marks in films.items()}
    text = json.dumps(
        {"schema": SCHEMA, "films": entries}, ensure_ascii=False, indent=1, allow_nan=False
    )
    with replacing(path) as stream:
        stream.write(text + "\n")


def _film_entry(marks: FilmMarks) -> dict[str, Any]:
    entry: dict[str, Any] = {"annotations": [_annotation_entry(a) for a in marks.annotations]}
    if marks.calibration is not None:
        spacing = marks.calibration
        entry["calibration"] = {"row_mm": spacing.row_mm, "column_mm": spacing.column_mm}
    return entry


def _annotation_entry(annotation: Annotation) -> dict[str, Any]:
    return {
        "kind": annotation.kind.value,
        "frame": annotation.frame,
        "points": [list(point) for point in annotation.points],
        "text": annotation.text,
    }


def load_measurements(path: Path) -> dict[str, FilmMarks]:
    """Read the annotations of a study; none where there is no file.

    Every field is looked at, so that what is loaded can be drawn; a file with a fault is refused
    as a whole and stays as it is.

    Raises:
        UsageError: with the place of the first fault.
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
        raise _unreadable(path, f"it is no JSON text ({type(error).__name__})") from error


def _json(path: Path) -> object:
    if path.stat().st_size > MAX_BYTES:
        raise _Invalid(f"it has more than {MAX_BYTES // 1024**2} MiB")
    return json.loads(path.read_text(encoding="utf-8"))


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        "The measurements cannot be read",
        path=path,
        why=why,
        hint="The file is left as it is: put a good copy in its place, or rename it.",
    )


def _films(data: object) -> Iterator[tuple[str, FilmMarks]]:
    top = _object(data, "the file")
    if top.get("schema") != SCHEMA:
        raise _Invalid(
            f"schema: {top.get('schema')!r:.40} is not {SCHEMA}; a newer version wrote it?"
        )
    for uid, entry in _object(top.get("films"), "films").items():
        place = f"films[{_text(uid, 'films'):.80}]"
        film = _object(entry, place)
        listed = _list(film.get("annotations"), f"{place}.annotations")
        annotations = tuple(
            _annotation(item, uid, f"{place}.annotations[{number}]")
            for number, item in enumerate(listed)
        )
        yield uid, FilmMarks(annotations, _calibration(film.get("calibration"), place))


def _annotation(data: object, uid: str, place: str) -> Annotation:
    entry = _object(data, place)
    kind, frame = _text(entry.get("kind"), f"{place}.kind"), entry.get("frame")
    if kind not in set(Mark):
        raise _Invalid(f"{place}.kind: {kind!r:.40} is unknown")
    if not isinstance(frame, int) or isinstance(frame, bool):
        raise _Invalid(f"{place}.frame: not a whole number")
    text = _text(entry.get("text"), f"{place}.text")
    points = tuple(
        _point(point, f"{place}.points[{number}]")
        for number, point in enumerate(_list(entry.get("points"), f"{place}.points"))
    )
    try:
        return Annotation(Mark(kind), points, uid, frame, text)
    except ValueError as error:
        raise _Invalid(f"{place}: {error}") from error


def _point(data: object, place: str) -> Point:
    pair = _list(data, place)
    if len(pair) != 2:
        raise _Invalid(f"{place}: not a row and a column")
    return _number(pair[0], place), _number(pair[1], place)


def _calibration(data: object, place: str) -> Spacing | None:
    if data is None:
        return None
    place = f"{place}.calibration"
    entry = _object(data, place)
    row, column = (_number(entry.get(name), f"{place}.{name}") for name in ("row_mm", "column_mm"))
    if not (row > 0 and column > 0):
        raise _Invalid(f"{place}: spacings are above 0")
    return Spacing(row, column, SpacingKind.USER)


def _object(data: object, place: str) -> dict[str, object]:
    if not isinstance(data, dict):
        raise _Invalid(f"{place}: missing, or not an object")
    return data


def _list(data: object, place: str) -> list[object]:
    if not isinstance(data, list):
        raise _Invalid(f"{place}: missing, or not a list")
    return data


def _text(data: object, place: str) -> str:
    # JSON may name half of a surrogate pair, which no file can be written with.
    if not isinstance(data, str) or data != data.encode("utf-8", "replace").decode("utf-8"):
        raise _Invalid(f"{place}: missing, or not a text")
    return data


def _number(data: object, place: str) -> float:
    try:
        number = float(data) if type(data) in {int, float} else math.nan  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _Invalid(f"{place}: not a number")
    return number


def export_measurements(
    path: Path, rows: Iterable[tuple[str, Annotation, tuple[Measured, ...]]]
) -> None:
    """Write figures as CSV: a row per figure, or one for an annotation without any.

    Each row begins with the film's path below the folder, as in the table of predictions: a film
    that is no DICOM has no other name that a reader knows.
    UTF-8, RFC 4180, dot decimal. Every length has its unit and the kind of its spacing.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(CSV_COLUMNS)
        for number, (film, annotation, figures) in enumerate(rows, start=1):
            for figure in figures or (Measured("", None, ""),):
                writer.writerow(_csv_row(film, number, annotation, figure))


def _csv_row(film: str, number: int, annotation: Annotation, figure: Measured) -> list[str]:
    points = " ".join(f"{row:.6g}:{column:.6g}" for row, column in annotation.points)
    return [
        _text_cell(film.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")),
        annotation.film,
        str(annotation.frame),
        str(number),
        annotation.kind.value,
        _text_cell(annotation.text),
        figure.name,
        "" if figure.value is None else repr(float(figure.value)),
        figure.unit,
        figure.spacing.value if figure.spacing else "",
        # A first row of -3 is no formula for a spreadsheet once it is text.
        _text_cell(points),
    ]


def _text_cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
