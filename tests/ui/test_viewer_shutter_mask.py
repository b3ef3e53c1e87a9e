"""Overlay planes and shutter on screen: the same as in `render`, in any placement of the film."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_dicom
from tests.golden.test_overlay_parity import add_plane
from tests.ui.test_viewer_film import film_part, real_film
from xrayview.display.corners import ViewState, corner_texts
from xrayview.display.inspector import pipeline_steps
from xrayview.display.picture import displayed_picture
from xrayview.display.shutter_mask import IDENTITY_MAP, make_shutter_mask, sample_shutter_mask
from xrayview.display.voi import default_voi
from xrayview.domain.radiograph import Greyscale, OverlayPlane, Radiograph
from xrayview.io.readers import read_film, read_header
from xrayview.ui.viewer.film_view import FilmViewer

SHUTTER = {
    "ShutterShape": ["RECTANGULAR", "CIRCULAR"],
    "ShutterUpperHorizontalEdge": 21, "ShutterLowerHorizontalEdge": 140,
    "ShutterLeftVerticalEdge": 31, "ShutterRightVerticalEdge": 180,
    "CenterOfCircularShutter": [80, 105], "RadiusOfCircularShutter": 70,
    "ShutterPresentationValue": 0x4000,
}  # fmt: skip


@pytest.fixture
def covered(tmp_path: Path) -> Radiograph:
    """A film of 160 x 210 with a shutter, graphics across its edge, and a region of interest."""
    path = write_dicom(
        tmp_path / "film.dcm", phantom(160, 210), bits_stored=12, windows=[(2048, 4096)], **SHUTTER
    )
    add_plane(path, 0x6000, **{"0050": [15, 60]})
    add_plane(path, 0x6002, **{"0050": [100, 90]})
    add_plane(path, 0x6004, **{"0040": "R", "0050": [80, 80]})
    return read_film(read_header(path, path.parent))


@pytest.mark.parametrize("overlays", [True, False], ids=["overlays", "no overlays"])
@pytest.mark.parametrize("shutter", [True, False], ids=["shutter", "no shutter"])
@pytest.mark.parametrize("invert", [False, True], ids=["", "inverted"])
def test_that_one_to_one_is_the_picture_that_render_writes(
    viewer: FilmViewer, covered: Radiograph, overlays: bool, shutter: bool, invert: bool
) -> None:
    viewer.show_film(covered, (1, 1))
    viewer.one_to_one()
    viewer.set_overlays_shown(overlays)
    viewer.set_shutter_shown(shutter)
    viewer.set_inverted(invert)
    expected = displayed_picture(covered, invert=invert, overlays=overlays, shutter=shutter)
    np.testing.assert_array_equal(film_part(viewer), expected)


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (lambda v: v.rotate(1), lambda grey: np.rot90(grey, -1)),
        (lambda v: v.rotate(-1), np.rot90),
        (lambda v: v.flip_horizontal(), np.fliplr),
        (lambda v: v.flip_vertical(), np.flipud),
    ],
    ids="RLHV",
)
def test_that_shutter_and_overlays_move_with_the_film(
    viewer: FilmViewer,
    covered: Radiograph,
    move: Callable[[FilmViewer], object],
    expected: Callable[[np.ndarray], np.ndarray],
) -> None:
    viewer.show_film(covered, (1, 1))
    viewer.one_to_one()
    move(viewer)
    np.testing.assert_array_equal(film_part(viewer), expected(displayed_picture(covered)))


def test_that_the_graphics_of_a_real_film_are_on_screen(viewer: FilmViewer) -> None:
    radiograph = real_film("examples_overlay.dcm")
    viewer.resize(1400, 900)  # the corner texts lie beside the film
    viewer.show_film(radiograph, (1, 1))
    viewer.one_to_one()
    with_graphics = displayed_picture(radiograph)
    np.testing.assert_array_equal(film_part(viewer), with_graphics)
    viewer.set_overlays_shown(False)
    without = displayed_picture(radiograph, overlays=False)
    np.testing.assert_array_equal(film_part(viewer), without)
    assert (with_graphics != without).any()


@pytest.mark.parametrize("scale", [1.0, 1.3, 2.0, 3.7, 8.0, 21.0])
@pytest.mark.parametrize("turned", [False, True])
def test_that_no_line_of_graphics_is_lost_in_a_smaller_picture(scale: float, turned: bool) -> None:
    size = 301, 407
    for index in range(100, 140):
        bits = np.zeros(size, np.bool_)
        bits[index], bits[:, index] = True, True
        radiograph = Radiograph(
            real_film("RG1_UNCR.dcm").ref, np.zeros(size, np.uint8), Greyscale(),
            overlays=(OverlayPlane(bits),),
        )  # fmt: skip
        mask = make_shutter_mask(radiograph)
        assert mask is not None
        grid = tuple(int(side / scale) for side in (size[::-1] if turned else size))
        to_film = np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5]])
        sampled = sample_shutter_mask(mask, to_film[::-1].copy() if turned else to_film, grid)
        assert sampled is not None
        assert sampled.set_HW.max(axis=0).all()
        assert sampled.set_HW.max(axis=1).all()


def test_that_a_film_without_graphics_and_shutter_has_no_mask(covered: Radiograph) -> None:
    assert make_shutter_mask(real_film("RG1_UNCR.dcm")) is None
    mask = make_shutter_mask(covered)
    assert mask is not None
    assert (
        sample_shutter_mask(mask, IDENTITY_MAP, (160, 210), overlays=False, shutter=False) is None
    )


def test_that_a_switched_off_layer_is_named_on_the_film_and_in_the_pipeline(
    covered: Radiograph,
) -> None:
    voi = default_voi(covered)
    off = ViewState(voi, 1.0, 1, 1, overlays=False, shutter=False)
    lines = corner_texts(covered, off, hide_identity=True).bottom_right
    assert {"shutter off", "overlays off"} <= set(lines)
    plain = corner_texts(covered, ViewState(voi, 1.0, 1, 1), hide_identity=True).bottom_right
    assert not [line for line in plain if line.endswith(" off")]
    steps = pipeline_steps(covered, overlays=False, shutter=False)
    off_steps = [step.name for step in steps if re.search("switched off", step.value)]
    assert off_steps == ["Shutter", "Overlay plane", "Overlay plane"]
    assert all(step.origin == "user" for step in steps if "switched off" in step.value)


def test_that_a_layer_stays_switched_off_for_later_films(
    viewer: FilmViewer, covered: Radiograph
) -> None:
    viewer.show_film(covered, (1, 2))
    viewer.set_shutter_shown(False)
    viewer.show_film(covered, (2, 2))
    viewer.one_to_one()
    np.testing.assert_array_equal(film_part(viewer), displayed_picture(covered, shutter=False))
