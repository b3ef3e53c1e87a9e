"""A whole reading session under a real X server, and what it leaves."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from PySide6.QtGui import QImage

from tests.many_films import (
    BIRTH_DATE,
    FAMILY_NAME,
    FILMS_OF_A_PATIENT,
    SPACING_MM,
    write_many_films,
)
from xrayview.io.tables.measurement_store import FILE_NAME, load_measurements
from xrayview.services.catalogue import trust_model

ROOT = Path(__file__).parents[2]
NEEDED = ("xvfb-run", "xdotool")
FILMS = 200
_MARK = "XRAYVIEW_READING_SESSION"
_CODE = "import sys; from tests.ui.reading_session import run; sys.exit(run(*sys.argv[1:]))"
_LONGEST_S = 280


@dataclass(frozen=True)
class Session:
    """What the session leaves."""

    films: tuple[Path, ...]
    out: Path
    home: Path
    report: dict[str, Any]
    code: int
    errors: str
    left_running: tuple[str, ...]


@pytest.fixture(scope="module")
def session(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    if sys.platform != "linux" or not all(map(shutil.which, NEEDED)):
        pytest.skip("needs xvfb-run and xdotool")
    folder = tmp_path_factory.mktemp("session")
    home, out = folder / "home", folder / "out"
    films = tuple(write_many_films(folder / "films", FILMS))
    out.mkdir()
    mark = uuid.uuid4().hex
    environment = _environment(home, mark)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", environment["XDG_CONFIG_HOME"])
        trust_model(bundle)
    errors = folder / "errors.txt"
    with errors.open("w") as stream:  # a pipe would wait for processes left running
        done = subprocess.run(
            [
                *("xvfb-run", "-a", "-s", "-screen 0 1280x800x24", sys.executable, "-c", _CODE),
                *map(str, (folder / "films", bundle, FILMS, out)),
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            timeout=_LONGEST_S,
            check=False,
        )
    report = out / "report.json"
    return Session(
        films,
        out,
        home,
        json.loads(report.read_text(encoding="utf-8")) if report.exists() else {},
        done.returncode,
        errors.read_text(),
        _left_running(mark),
    )


def _environment(home: Path, mark: str) -> dict[str, str]:
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in
               ("CONFIG", "CACHE", "DATA", "STATE")}  # fmt: skip
    own = {"HOME": str(home), "QT_QPA_PLATFORM": "xcb", _MARK: mark, "PYTHONPATH": str(ROOT)}
    return {**os.environ, **folders, **own}


def _left_running(mark: str) -> tuple[str, ...]:
    """Command lines of the processes that were started in the session and have not ended."""
    end = time.monotonic() + 10
    while (found := tuple(_marked(mark))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _marked(mark: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has ended, or belongs to another user
            continue
    return found


def rows_of(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


pytestmark = pytest.mark.xserver


def test_that_the_session_ends_without_an_error(session: Session) -> None:
    assert session.code == 0, session.errors[-3000:]
    assert session.left_running == ()
    assert "Traceback" not in session.errors


def test_that_no_banner_was_an_error(session: Session) -> None:
    banners = session.report["banners"]
    assert [title for _topic, kind, title in banners if kind != "info"] == []
    assert "figure.png was saved" in [title for _topic, _kind, title in banners]


def test_that_the_length_is_the_distance_of_its_ends(session: Session) -> None:
    length = session.report["marks"]["length"]
    (ay, ax), (by, bx) = length["points"]
    expected = math.hypot(by - ay, bx - ax) * SPACING_MM
    assert length["values"] == {"length": pytest.approx(expected)}
    assert expected > 20
    assert length["spacing"] == "at detector"


def test_that_the_region_has_the_statistics_of_its_pixels(session: Session) -> None:
    region = session.report["marks"]["rectangle"]
    (top, left), (bottom, right) = region["points"]
    values = dcmread(session.films[0]).pixel_array[
        math.ceil(top) : math.floor(bottom) + 1, math.ceil(left) : math.floor(right) + 1
    ]
    statistics = region["values"]
    assert statistics["mean"] == pytest.approx(values.mean())
    assert statistics["SD"] == pytest.approx(values.std())
    assert (statistics["minimum"], statistics["maximum"]) == (values.min(), values.max())
    assert statistics["area"] == pytest.approx((bottom - top) * (right - left) * SPACING_MM**2)


def test_that_annotations_are_stored_beside_the_study_and_exported(session: Session) -> None:
    stored = load_measurements(session.films[0].parent / FILE_NAME)
    (film,) = stored.values()
    drawn = session.report["marks"]
    assert {str(mark.kind) for mark in film.annotations} == set(drawn)
    written = rows_of(session.out / "measurements.csv")
    assert {row["kind"] for row in written} == set(drawn)


def test_that_the_prior_was_the_film_of_the_year_before(session: Session) -> None:
    assert session.report["prior"] == ["P000/2.dcm", "P000/1.dcm"]
    current, prior = session.report["notes"]
    assert current.startswith("Current")
    assert "1 y earlier" in prior


def test_that_a_cancelled_batch_has_some_rows_and_the_next_one_has_all(session: Session) -> None:
    cancelled, early_csv = session.report["cancelled"]
    assert cancelled
    early = rows_of(early_csv)
    assert len(early) < FILMS
    assert {row["status"] for row in early} <= {"ok", "refused"}
    cancelled, csv_path = session.report["finished"]
    assert not cancelled
    assert csv_path != early_csv
    rows = rows_of(csv_path)
    folder = session.films[0].parents[1]
    assert [row["path"] for row in rows] == [
        f.relative_to(folder).as_posix() for f in session.films
    ]
    ankles = FILMS // FILMS_OF_A_PATIENT
    assert Counter(row["status"] for row in rows) == {"ok": FILMS - ankles, "refused": ankles}
    assert all(not row["score_Opacity"] for row in rows if row["status"] == "refused")
    assert session.report["film_status"] == "ok"


def test_that_the_figure_shows_the_film_at_its_own_resolution(session: Session) -> None:
    figure = QImage(str(session.out / "figure.png"))
    height, width = dcmread(session.films[0]).pixel_array.shape
    assert figure.width() >= width
    assert figure.height() >= height


def test_that_the_copies_are_the_films_without_the_patient(session: Session) -> None:
    copies = [dcmread(path) for path in (session.out / "copies").rglob("*.dcm")]
    films = [dcmread(path) for path in session.films]
    assert len(copies) == FILMS
    assert not {c.SOPInstanceUID for c in copies} & {f.SOPInstanceUID for f in films}
    assert not any(FAMILY_NAME in str(copy) or BIRTH_DATE in str(copy) for copy in copies)
    pixels = [np.sort(np.array([hash(d.PixelData) for d in each])) for each in (copies, films)]
    assert np.array_equal(*pixels)


def test_that_no_name_and_no_birth_date_stays_at_home(session: Session) -> None:
    files = [path for path in session.home.rglob("*") if path.is_file()]
    assert any(path.name == "xrayview.log" for path in files)
    assert any(path.name == "predictions.csv" for path in files)
    written = {path: path.read_bytes() for path in files}
    written[session.out] = (session.out / "measurements.csv").read_bytes()
    for secret in (FAMILY_NAME, BIRTH_DATE):
        assert [str(path) for path, data in written.items() if secret.encode() in data] == []
