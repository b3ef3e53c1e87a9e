"""A session under a real X server: keys and mouse through the server, pixels from its screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("xvfb-run", "xdotool")

_SESSION = r"""
import os, subprocess, sys, time
from pathlib import Path
from PySide6.QtWidgets import QApplication

def main(films, bundle, settings):
    from xrayview import app as program
    program._scale_by_screen()
    app = QApplication([])
    from xrayview.engine.client import Engine
    from xrayview.services.settings import Settings
    from xrayview.ui.style import theme
    from xrayview.ui.shell.main_window import MainWindow
    theme.apply(app)
    window = MainWindow(Settings(Path(settings)), Path(settings).parent / "results")
    window.resize(1200, 780)
    window.show()

    def until(true, what):
        end = time.monotonic() + 90
        while not true():
            app.processEvents()
            time.sleep(0.01)
            assert time.monotonic() < end, what

    def xdo(*words):
        done = subprocess.Popen(["xdotool", *map(str, words)])
        until(lambda: done.poll() is not None, words)

    window.open_paths([Path(films)])
    window.build_panels(Engine(1), Path(bundle))
    workspace = window.workspace
    session = workspace.session
    until(lambda: session.radiograph is not None and session.model is not None, "film and model")
    first = workspace.viewer.film_id
    window.activateWindow()
    viewer = workspace.viewer
    middle = viewer.mapToGlobal(viewer.rect().center()) * window.devicePixelRatio()
    xdo("mousemove", middle.x(), middle.y())
    plain = workspace.viewer.picture()
    xdo("mousedown", 1, "mousemove_relative", "--", 60, 25, "mouseup", 1)
    until(lambda: workspace.viewer.picture() != plain, "left drag changes the window")
    xdo("key", "space")
    until(lambda: workspace.viewer.picture() == plain, "space resets the view")
    xdo("key", "Down")
    until(lambda: workspace.viewer.film_id not in ("", first), "down opens the next film")
    xdo("click", 4)
    until(lambda: workspace.viewer.film_id == first, "wheel up opens the one before")
    xdo("key", "Return")
    until(lambda: session.result(session.current) is not None, "enter classifies")
    xdo("key", "g")
    until(lambda: bool(session._heat_maps), "g computes the heat map")
    finding = workspace.findings.findings_in_order()[1]
    xdo("key", "shift+2")
    until(lambda: any(heat.finding == finding for heat in session._heat_maps.values()), "shift+2")
    xdo("key", "ctrl+f")
    xdo("type", "png")
    until(lambda: len(workspace.browser.films()) == 1, "the filter takes its letters")
    assert not workspace.viewer.inverted
    for _ in range(20):
        app.processEvents()
    screen = app.primaryScreen().grabWindow(0).toImage()
    corner = window.mapToGlobal(window.rect().topLeft())
    assert not screen.isNull() and screen.width() >= 1280
    print("scale", window.devicePixelRatio())
    window.close()

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@pytest.mark.xserver
@pytest.mark.skipif(
    sys.platform != "linux" or not all(map(shutil.which, NEEDED)),
    reason="needs xvfb-run and xdotool",
)
@pytest.mark.parametrize(("screen", "scale"), [("1280x800", "1"), ("3840x2160", "2")])
def test_that_a_session_works_under_an_x_server(
    films: Path, bundle: Path, tmp_path: Path, screen: str, scale: str
) -> None:
    script = tmp_path / "session.py"
    script.write_text(_SESSION, encoding="utf-8")
    command = ["xvfb-run", "-a", "-s", f"-screen 0 {screen}x24", sys.executable, str(script)]
    done = subprocess.run(
        [*command, str(films), str(bundle), str(tmp_path / "settings.json")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=250,
        env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "xcb"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert float(done.stdout.split()[-1]) == float(scale)
