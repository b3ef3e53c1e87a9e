"""Films of several frames in the window: slider, keys, playback, and results by frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom
from tests.ui.conftest import WAIT_MS
from xrayview.engine.protocol import DecodeFilm
from xrayview.ui.shell.main_window import MainWindow

FRAMES = np.stack([np.roll(phantom(96, 80), 7 * step, axis=0) for step in range(6)])


@pytest.fixture
def cine(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> MainWindow:
    """The window with a film of six frames on screen, and one of one frame after it."""
    folder = tmp_path / "cine"
    folder.mkdir()
    common = {"windows": [(2048, 4096)], "BodyPartExamined": "CHEST", "bits_stored": 12}
    write_dicom(folder / "a.dcm", FRAMES, frames=6, FrameTime=20, **common)
    write_dicom(folder / "b.dcm", phantom(96, 80), **common)
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([folder])
    qtbot.waitUntil(lambda: workspace.session.radiograph is not None, timeout=WAIT_MS)
    return window


def wait_for_frame(qtbot: QtBot, window: MainWindow, frame: int) -> None:
    viewer = window.workspace.viewer
    qtbot.waitUntil(lambda: viewer.frames.frame == frame, timeout=WAIT_MS)
    assert viewer.radiograph is not None
    np.testing.assert_array_equal(viewer.radiograph.pixels_HW, FRAMES[frame])


def test_that_slider_and_keys_change_the_frame_and_keep_placement_and_window(
    qtbot: QtBot, cine: MainWindow
) -> None:
    workspace, viewer = cine.workspace, cine.workspace.viewer
    assert viewer.frames.isVisible()
    viewer.rotate(1)
    viewer.set_inverted(True)
    viewer.auto_window()
    before = viewer.placement, viewer.voi
    viewer.frames.slider.setValue(4)
    wait_for_frame(qtbot, cine, 4)
    workspace.commands()["next_frame"]()
    wait_for_frame(qtbot, cine, 5)
    workspace.commands()["next_frame"]()  # stays at the last frame
    workspace.commands()["previous_frame"]()
    wait_for_frame(qtbot, cine, 4)
    assert (viewer.placement, viewer.voi) == before
    assert viewer.inverted
    assert viewer.frames.count.text() == "5 / 6"
    assert any("frame 5/6" in line for line in viewer._corners.texts.bottom_left)


def test_that_the_frame_on_screen_is_current_and_the_row_stays_selected(
    qtbot: QtBot, cine: MainWindow
) -> None:
    workspace = cine.workspace
    workspace.viewer.frames.step(3)
    wait_for_frame(qtbot, cine, 3)
    current = workspace.session.current
    assert current is not None
    assert current.frame == 3
    assert workspace.films.position() == (1, 2)
    assert workspace.session.film(current.film_id) == replace(current, frame=0)
    workspace.films.step(1)
    qtbot.waitUntil(lambda: not workspace.viewer.frames.isVisible(), timeout=WAIT_MS)
    workspace.films.step(-1)
    wait_for_frame(qtbot, cine, 0)


def test_that_playing_shows_every_frame_in_turn_and_pauses_where_it_is(
    qtbot: QtBot, cine: MainWindow
) -> None:
    frames = cine.workspace.viewer.frames
    assert frames.rate.value() == 50
    seen: list[int] = []

    def note() -> None:
        if seen[-1:] != [frames.frame]:
            seen.append(frames.frame)

    cine.workspace.viewer.state_changed.connect(note)
    cine.workspace.commands()["play_frames"]()
    assert frames.playing
    qtbot.waitUntil(lambda: len(seen) > 8, timeout=WAIT_MS)
    cine.workspace.commands()["play_frames"]()
    assert not frames.playing
    assert seen == [(1 + n) % 6 for n in range(len(seen))]
    assert frames.slider.value() == frames.frame


def test_that_playing_ends_with_the_film(qtbot: QtBot, cine: MainWindow) -> None:
    frames = cine.workspace.viewer.frames
    frames.play()
    cine.workspace.films.step(1)
    qtbot.waitUntil(lambda: not frames.isVisible(), timeout=WAIT_MS)
    assert not frames.playing


def test_that_an_unreadable_frame_is_reported_and_the_one_on_screen_stays(
    qtbot: QtBot, cine: MainWindow
) -> None:
    workspace = cine.workspace
    path = workspace.session.films[0].path
    data = path.read_bytes()
    path.write_bytes(data[: -2 * FRAMES[0].nbytes])
    with qtbot.waitSignal(workspace.frame_controller.message, timeout=WAIT_MS) as reported:
        workspace.viewer.frames.slider.setValue(5)
    (message,) = reported.args
    assert (message.topic, message.kind) == ("film", "error")
    assert path.name in message.title
    assert workspace.viewer.frames.slider.value() == 0
    assert workspace.session.radiograph is not None
    np.testing.assert_array_equal(workspace.session.radiograph.pixels_HW, FRAMES[0])


def test_that_a_frame_requested_while_it_is_decoded_ahead_is_decoded_once(
    qtbot: QtBot, cine: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = cine.workspace
    engine, decoded = workspace.films._engine, []
    submit = engine.submit

    def count(request: object, **how: object) -> object:
        if isinstance(request, DecodeFilm):
            decoded.append(request.film.film_id)
        return submit(request, **how)

    monkeypatch.setattr(engine, "submit", count)
    frames, shown = workspace.viewer.frames, [0]

    def step_on() -> None:
        if shown[-1] != frames.frame:
            shown.append(frames.frame)
            # The frame that follows is being decoded by then, and has not arrived.
            QTimer.singleShot(0, lambda: frames.step(1))

    workspace.viewer.state_changed.connect(step_on)
    frames.step(1)
    wait_for_frame(qtbot, cine, 5)
    assert len(decoded) >= 5
    assert len(decoded) == len(set(decoded))
