"""Make the pictures of the README with the real program, under an X server of their own.

    python -m tests.screenshots [--out FOLDER] [--screen 3840x2160] [NAME ...]

The films are those of `resources/samples` and of pydicom, and small ones made from them: all may
be redistributed (CC BY 4.0, MIT). Each picture shows the whole main window; `figure` is a saved
figure.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pydicom.data

from tests.driving import Script, Wait, classify_with_heat_map, drive
from tests.many_films import write_many_films
from xrayview.domain.measurement import Annotation, Mark
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.services.resources import sample_study
from xrayview.ui.export.figure_dialog import FigureDialog
from xrayview.ui.measure.film_marks import film_key
from xrayview.ui.shell.main_window import MainWindow

ROOT = Path(__file__).parents[1]
OUT = ROOT / "resources" / "screenshots"
_CODE = "import sys; from tests.screenshots import take; sys.exit(take(*sys.argv[1:]))"
_SETTLED_S = 1.5
"""For what has no state to wait for: thumbnails, a blinking cursor."""
_FIGURE_HEIGHT_PX = 1000
_CHILD, _ADULT = "child-1/current.dcm", "others/adult_RG1_J2KI.dcm"
_COLLIMATED_MM, _COLUMNS = 368.0, 1841
"""Width of the field between the collimator edges, from the film's own tags."""


@dataclass(frozen=True)
class Picture:
    """One picture: the folder to open, what to do there, and the settings."""

    folder: Callable[[Path], None]
    script: Callable[[MainWindow, Path], Script]
    settings: Mapping[str, object] = field(default_factory=dict)


# Folders


def sample(folder: Path) -> None:
    """A copy, because measurements are saved beside the films."""
    shutil.copytree(sample_study(), folder)


def mixed(folder: Path) -> None:
    """Chests, ankles, and the other files that real folders hold."""
    sample(folder)
    write_many_films(folder / "series", 28)
    for name in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "emri_small.dcm"):
        shutil.copy(pydicom.data.get_testdata_file(name, download=False), folder)
    (folder / "notes.txt").write_text("not a film", encoding="utf-8")
    film = (folder / _ADULT).read_bytes()
    (folder / "half.dcm").write_bytes(film[: len(film) // 2])


# Scripts


def classified(window: MainWindow, path: Path) -> Script:
    """A classified film with its heat map."""
    yield from _open(window)
    yield from classify_with_heat_map(window)
    yield from _save(window, path)


def measuring(window: MainWindow, path: Path) -> Script:
    """Marks of four kinds on the adult's film, with a spacing set by the user."""
    yield from _open(window, _ADULT)
    viewer = window.workspace.viewer
    layer = viewer.measure
    yield "marks can be drawn", lambda: layer.marks is not None and layer.marks.is_loaded
    each = _COLLIMATED_MM / _COLUMNS
    window.workspace.measurement_controller.calibrate(Spacing(each, each, SpacingKind.USER))
    assert viewer.radiograph is not None
    key = film_key(viewer.radiograph)
    for kind, points, text in (
        (Mark.CARDIOTHORACIC, ((1333, 802), (1333, 1437), (1437, 188), (1437, 1646)), ""),
        (Mark.ELLIPSE, ((765, 1370), (955, 1565)), ""),
        (Mark.LENGTH, ((1083, 406), (1250, 594)), ""),
        (Mark.ARROW, ((440, 1290), (478, 1100)), "opacity"),
    ):
        layer.marks.add(Annotation(kind, points, key, text=text))
    layer.select(layer.annotations()[2])
    measured = [mark for mark in layer.annotations() if mark.kind is not Mark.ARROW]
    yield "the marks are measured", lambda: all(map(layer.values, measured))
    yield from _save(window, path)


def compare(window: MainWindow, path: Path) -> Script:
    """A film beside its prior, linked."""
    yield from _open(window)
    workspace = window.workspace
    workspace.view_controller.prior_beside()
    yield (
        "two films are on screen",
        lambda: all(view.radiograph for view in workspace.session.views),
    )
    workspace.view_controller.linking.set_on(True)
    yield from _save(window, path)


def batch(window: MainWindow, path: Path) -> Script:
    """The table of results of a mixed folder."""
    yield from _open(window)
    workspace = window.workspace
    ended: list[object] = []
    workspace.batch_runner.finished.connect(ended.append)
    workspace.batch_runner.start()
    yield "the batch has ended", lambda: ended and not workspace.batch_runner.running
    workspace.result_table.show()
    yield from _save(window, path)


def light(window: MainWindow, path: Path) -> Script:
    """The light theme, with the display pipeline of the film."""
    yield from _open(window)
    window.workspace.model_controller.classify()
    yield "the film is classified", lambda: _result(window)
    window.panels.dock.open_page("pipeline")
    yield from _save(window, path)


def figure(window: MainWindow, path: Path) -> Script:
    """A figure with heat map, colour bar, caption and scale bar, scaled down for a page."""
    yield from _open(window)
    yield from classify_with_heat_map(window)
    window.panels.exports.save_figure()
    dialog = window.panels.exports.dialog("save_figure")
    assert isinstance(dialog, FigureDialog)
    dialog.write(path)
    yield "the figure is written", path.exists
    yield "its dialog is closed", lambda: window.panels.exports.dialog("save_figure") is None
    whole = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    share = _FIGURE_HEIGHT_PX / whole.shape[0]
    _write(path, cv2.resize(whole, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))
    window.close()


PICTURES: dict[str, Picture] = {
    "classified": Picture(sample, classified),
    "measuring": Picture(sample, measuring),
    "compare": Picture(sample, compare),
    "batch": Picture(mixed, batch),
    "light": Picture(sample, light, {"theme": "light"}),
    "figure": Picture(sample, figure),
}


# Steps


def _open(window: MainWindow, path: str = _CHILD) -> Script:
    screen = window.screen().availableGeometry()
    window.setGeometry(screen)
    workspace = window.workspace
    yield "the folder is listed", lambda: "film" in workspace.films.listing_text()
    yield "the model is loaded", lambda: workspace.session.model
    yield "the window has its size", lambda: window.size() == screen.size()
    film = next(film for film in workspace.session.films if film.relative_path == path)
    workspace.films.open_film(film)
    yield (
        "the chest is on screen",
        lambda: (
            workspace.viewer.film_id == film.film_id and workspace.session.radiograph is not None
        ),
    )


def _result(window: MainWindow) -> object:
    session = window.workspace.session
    return session.result(session.current)


def _save(window: MainWindow, path: Path) -> Script:
    yield _settled()
    picture = window.grab()
    assert picture.save(str(path))
    _write(path, cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR))
    window.close()


def _settled() -> Wait:
    end = time.monotonic() + _SETTLED_S
    return "the window has settled", lambda: time.monotonic() > end


def _write(path: Path, picture: np.ndarray) -> None:
    """Write a PNG at its highest compression."""
    best = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_ALL_FILTERS]
    done, data = cv2.imencode(".png", picture, best)
    assert done
    path.write_bytes(data.tobytes())


# One process for each


def take(name: str, folder: str, path: str) -> int:
    """Make one picture in this process; return the exit code of the program."""
    return drive(lambda window: PICTURES[name].script(window, Path(path)), [folder])


def _in_own_process(name: str, out: Path, screen: str) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        films, home = Path(folder, "films"), Path(folder, "home")
        PICTURES[name].folder(films)
        folders = {f"XDG_{kind}_HOME": str(home / kind) for kind in
                   ("CONFIG", "CACHE", "DATA", "STATE")}  # fmt: skip
        settings = home / "CONFIG" / "xrayview" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"device": "cpu", **PICTURES[name].settings}))
        path = out / f"{name}.png"
        server = ("xvfb-run", "-a", "-s", f"-screen 0 {screen}x24 -dpi 96")
        subprocess.run(
            [*server, sys.executable, "-c", _CODE, name, str(films), str(path)],
            cwd=ROOT,
            env={**os.environ, **folders, "HOME": str(home), "QT_QPA_PLATFORM": "xcb"},
            check=True,
        )
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--screen", default="1280x800")
    options = parser.parse_args()
    if unknown := set(options.names) - PICTURES.keys():
        parser.error(f"there is no picture called {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or PICTURES:
        path = _in_own_process(name, options.out.absolute(), options.screen)
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
