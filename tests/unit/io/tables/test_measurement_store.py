"""Annotations beside their films: what is saved is loaded, and invalid files are rejected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xrayview.domain.measurement import POINTS, Annotation, FilmMarks, Mark
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.errors import UsageError
from xrayview.io.tables.measurement_store import FILE_NAME, load_measurements, save_measurements

UID = "1.2.826.0.1"
LENGTH = Annotation(Mark.LENGTH, ((1.5, 2.0), (30.25, 4.0)), UID, 1, "Größe")
MARKS = FilmMarks((LENGTH,), Spacing(0.2, 0.1, SpacingKind.USER))


def test_that_every_kind_of_annotation_survives_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    all_kinds = tuple(
        Annotation(kind, tuple((n + 0.1, n / 3) for n in range(POINTS[kind][0])), "1.2", text="x")
        for kind in Mark
    )
    films = {UID: MARKS, "1.2": FilmMarks(all_kinds), "1.3": FilmMarks()}
    save_measurements(path, films)
    assert load_measurements(path) == films
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_that_a_folder_without_a_file_has_no_annotations(tmp_path: Path) -> None:
    assert load_measurements(tmp_path / FILE_NAME) == {}


def _set(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return change


FILM = ("films", UID)
FIRST = (*FILM, "annotations", 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_set("schema", value=3), "schema: 3 is not 2"),
        (_set("films", value=[]), "films: missing, or not an object"),
        (_set(*FILM, value=3), r"films\[1.2.826.0.1\]: missing"),
        (_set(*FILM, "annotations", value=None), "annotations: missing, or not a list"),
        (_set(*FIRST, "kind", value="circle"), r"annotations\[0\].kind: 'circle' is unknown"),
        (_set(*FIRST, "kind", value=[]), "kind: missing, or not a text"),
        (_set(*FIRST, "frame", value=1.5), "frame: not a whole number"),
        (_set(*FIRST, "frame", value=-1), "frames count from 0"),
        (_set(*FIRST, "text", value="\ud800"), "text: missing, or not a text"),
        (_set(*FIRST, "points", value=[[1, 2]]), "length needs 2 points, not 1"),
        (_set(*FIRST, "points", 1, value=[1]), r"points\[1\]: not a row and a column"),
        (_set(*FIRST, "points", 1, value=[1, True]), r"points\[1\]: not a number"),
        (_set(*FIRST, "points", 1, value=[1, 10**400]), r"points\[1\]: not a number"),
        (_set(*FIRST, "points", 1, value=[1, float("nan")]), r"points\[1\]: not a number"),
        (_set(*FIRST, "id", value=7), r"annotations\[0\].id: missing, or not a text"),
        (_set(*FIRST, "modified_ms", value=-1), "modified_ms: not a time"),
        (_set(*FILM, "deleted", value=[]), "deleted: missing, or not an object"),
        (_set(*FILM, "deleted", value={"a": "b"}), r"deleted\[a\]: not a time"),
        (_set(*FILM, "calibration", "row_mm", value=0), "calibration: spacings must be above 0"),
        (_set(*FILM, "calibration", "row_mm", value="1"), "row_mm: not a number"),
    ],
)
def test_that_an_error_is_reported_with_its_location(
    change: Callable[[Any], None], why: str, tmp_path: Path
) -> None:
    path = tmp_path / FILE_NAME
    save_measurements(path, {UID: MARKS})
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(UsageError, match=why) as caught:
        load_measurements(path)
    assert caught.value.path == path
    assert json.dumps(data) == path.read_text(encoding="utf-8")


@given(st.binary(max_size=200) | st.text(alphabet='[]{}":,1schemafl', max_size=200).map(str.encode))
@settings(deadline=None, max_examples=50)
def test_that_arbitrary_bytes_raise_our_own_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        load_measurements(path)


def test_that_deep_nesting_raises_our_own_error(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("[" * 200_000)
    with pytest.raises(UsageError):
        load_measurements(path)
