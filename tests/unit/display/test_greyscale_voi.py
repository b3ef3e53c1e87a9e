"""The choice of the window or LUT of a film."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from xrayview.display import voi
from xrayview.display.greyscale import render
from xrayview.display.voi import (
    MIN_WIDTH,
    VoiKind,
    auto_window,
    automatic,
    default_voi,
    drag_window,
    image_values,
    of_next_frame,
    voi_choices,
    window_to_drag,
)
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Lut, Radiograph, Shutter, VoiFunction, Window

LUT = Lut(100, np.arange(400, dtype=np.uint16), 9, explanation="CHEST")
BONE = Window(500, 200, explanation="BONE")
SOFT = Window(300, 900)


def film(pixels_HW: npt.NDArray[Any], greyscale: Greyscale) -> Radiograph:
    return Radiograph(FilmRef(Path("film"), "film"), pixels_HW, greyscale)


def noise(dtype: str = "uint16") -> npt.NDArray[Any]:
    return np.random.default_rng(3).integers(0, 4096, (100, 100)).astype(dtype)


def test_that_the_menu_lists_luts_then_windows_then_auto_then_presets() -> None:
    choices = voi_choices(film(noise(), Greyscale(windows=(BONE, SOFT), voi_luts=(LUT,))))
    assert [(c.kind, c.title) for c in choices] == [
        (VoiKind.LUT, "CHEST"),
        (VoiKind.WINDOW, "BONE"),
        (VoiKind.WINDOW, "Window 2"),
        (VoiKind.AUTO, "Auto"),
        (VoiKind.PRESET, "Lungs"),
        (VoiKind.PRESET, "Bone"),
        (VoiKind.PRESET, "Full range"),
    ]
    assert automatic(choices) == choices[3].voi
    assert choices[0].voi is LUT
    assert choices[2].voi is SOFT


@pytest.mark.parametrize(
    ("greyscale", "expected"),
    [
        (Greyscale(windows=(BONE, SOFT), voi_luts=(LUT,)), LUT),
        (Greyscale(windows=(SOFT, BONE)), SOFT),
    ],
)
def test_that_the_lut_comes_first_then_the_first_window(
    greyscale: Greyscale, expected: Window | Lut
) -> None:
    assert default_voi(film(noise(), greyscale)) is expected


def test_that_a_film_without_voi_gets_the_automatic_window() -> None:
    bare = film(noise(), Greyscale())
    assert default_voi(bare) == auto_window(bare)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_that_presets_spread_the_dark_or_the_bright_displayed_part(photometric: str) -> None:
    radiograph = film(noise(), Greyscale(photometric))
    by_name = {choice.title: choice.voi for choice in voi_choices(radiograph)}
    grey = {name: render(radiograph, voi) for name, voi in by_name.items()}
    # Noise is spread evenly: 30 of 100 pixels are past the end of each.
    assert (grey["Lungs"] == 255).mean() == pytest.approx(0.3, abs=0.02)
    assert (grey["Lungs"] == 0).mean() < 0.02
    assert (grey["Bone"] == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert (grey["Bone"] == 255).mean() < 0.02
    full = by_name["Full range"]
    assert isinstance(full, Window)
    assert (full.center, full.width) == (4095 / 2, 4095)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "uint32", "float32"])
def test_that_the_automatic_window_runs_between_the_percentiles(dtype: str) -> None:
    pixels = noise(dtype)
    window = auto_window(film(pixels, Greyscale(slope=0.5, intercept=-100)))
    low, high = np.percentile(pixels * 0.5 - 100, (0.5, 99.5), method="inverted_cdf")
    assert window.center - window.width / 2 == pytest.approx(low)
    assert window.center + window.width / 2 == pytest.approx(high)
    assert window.function is VoiFunction.LINEAR_EXACT


def test_that_a_modality_lut_that_falls_does_not_disturb_the_percentiles() -> None:
    falling = Lut(0, np.arange(4096, dtype=np.uint16)[::-1], 12)
    window = auto_window(film(noise(), Greyscale(modality_lut=falling)))
    low, high = np.percentile(4095 - noise().astype(int), (0.5, 99.5), method="inverted_cdf")
    assert (window.center, window.width) == ((low + high) / 2, high - low)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32"])
def test_that_padding_does_not_affect_the_automatic_window(dtype: str) -> None:
    pixels = noise(dtype) + 100
    padded = pixels.copy()
    padded[:60] = 7
    greyscale = Greyscale(padding=(7.0, 7.0))
    assert auto_window(film(padded, greyscale)) == auto_window(film(pixels[60:], Greyscale()))


@pytest.mark.parametrize("dtype", ["uint16", "int32"])
def test_that_the_area_behind_the_shutter_does_not_affect_the_windows(dtype: str) -> None:
    pixels = noise(dtype)
    collimated = np.full((160, 140), 60_000, dtype)
    collimated[30:130, 20:120] = pixels
    shutter = Shutter(rectangle=(30, 129, 20, 119))
    shuttered = replace(film(collimated, Greyscale()), shutter=shutter)
    alone = film(pixels, Greyscale())
    assert [choice.voi for choice in voi_choices(shuttered)] == [
        choice.voi for choice in voi_choices(alone)
    ]
    assert auto_window(shuttered) == default_voi(shuttered) == auto_window(alone)


def test_that_a_shutter_that_hides_everything_gives_the_window_of_the_whole_film() -> None:
    whole = film(noise(), Greyscale())
    closed = replace(whole, shutter=Shutter(rectangle=(500, 600, 500, 600)))
    assert auto_window(closed) == auto_window(whole)


def test_that_missing_values_do_not_affect_the_automatic_window() -> None:
    pixels = noise("float32") / 4096
    holed = pixels.copy()
    holed[:50, :50] = np.nan
    holed[50:, :50] = np.inf
    assert auto_window(film(holed, Greyscale())) == auto_window(film(pixels[:, 50:], Greyscale()))


@pytest.mark.parametrize("value", [0, 77])
def test_that_a_film_of_one_value_has_a_window_around_it(value: int) -> None:
    window = auto_window(film(np.full((4, 4), value, np.uint8), Greyscale()))
    assert (window.center, window.width) == (value, 1.0)


def test_that_a_film_of_padding_only_is_black() -> None:
    grey = render(film(np.full((4, 4), 9, np.uint16), Greyscale("MONOCHROME1", padding=(9.0, 9.0))))
    assert (grey == 0).all()


def test_that_a_film_with_a_voi_lut_can_be_windowed_over_the_luts_input() -> None:
    window = window_to_drag(LUT)
    pixels = np.array([[100, 101, 498, 499]], dtype=np.uint16)
    grey = render(film(pixels, Greyscale(voi_luts=(LUT,))), window)
    assert (window.width, grey[0, 0], grey[0, -1]) == (400, 0, 255)
    assert 0 < grey[0, 1] + 0.5 < grey[0, 2] < 255.5


def test_that_a_drag_starts_from_the_current_window() -> None:
    assert window_to_drag(BONE) is BONE


def test_that_a_drag_scales_with_the_width() -> None:
    narrow, wide = Window(0, 100), Window(0, 10_000)
    for right, down in ((10, 0), (0, 10), (-7, 3)):
        a, b = drag_window(narrow, right, down), drag_window(wide, right, down)
        assert (b.center, b.width) == pytest.approx((a.center * 100, a.width * 100))


def test_that_a_drag_to_the_right_widens_and_down_darkens() -> None:
    pixels = noise()
    greyscale = Greyscale(windows=(SOFT,))
    assert drag_window(SOFT, 10, 0).width > SOFT.width
    darker = render(film(pixels, greyscale), drag_window(SOFT, 0, 20))
    assert darker.mean() < render(film(pixels, greyscale), SOFT).mean()


def test_that_dragging_back_restores_the_window() -> None:
    back = drag_window(drag_window(SOFT, 30, 0), -30, 0)
    assert (back.center, back.width) == pytest.approx((SOFT.center, SOFT.width))


@pytest.mark.parametrize("function", list(VoiFunction))
def test_that_a_drag_never_makes_a_width_that_the_standard_forbids(function: VoiFunction) -> None:
    window = drag_window(Window(0, 5, function), -100_000, 0)
    assert window.width == MIN_WIDTH[function]


def test_that_a_dragged_window_loses_the_name_from_the_file() -> None:
    assert drag_window(BONE, 1, 1).explanation == ""


def test_that_each_frame_is_shown_in_its_own_window_or_the_one_the_user_set() -> None:
    pixels, third = noise(), replace(SOFT, center=700.0)
    before = voi_choices(film(pixels, Greyscale(windows=(BONE, SOFT))))
    after = voi_choices(film(pixels // 2, Greyscale(windows=(BONE, third))))
    assert of_next_frame(SOFT, before, after) is third
    dragged = replace(SOFT, width=901.0)
    assert of_next_frame(dragged, before, after) is dragged
    assert of_next_frame(automatic(before), before, after) == automatic(before)
    without = voi_choices(film(pixels, Greyscale()))
    assert of_next_frame(SOFT, before, without) is SOFT
    luts = [voi_choices(film(pixels, Greyscale(voi_luts=(replace(LUT),)))) for _ in range(2)]
    assert of_next_frame(luts[0][0].voi, *luts) is luts[1][0].voi


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("at_once", [voi.MOST_COUNTED_AT_ONCE, 1000])
def test_that_every_value_of_a_film_is_counted(
    dtype: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voi, "MOST_COUNTED_AT_ONCE", at_once)
    info = np.iinfo(dtype)
    pixels_HW = np.random.default_rng(4).integers(info.min, info.max + 1, (70, 90)).astype(dtype)
    pixels_HW[:3, :4] = info.min, info.max, 0, 1
    for part in (pixels_HW, pixels_HW[5:40, 7:60], pixels_HW[pixels_HW > 3], pixels_HW[:0]):
        values, counts = image_values(part, Greyscale())
        assert counts is not None
        found = dict(zip(values.tolist(), counts.tolist(), strict=True))
        each, times = np.unique(part, return_counts=True)
        assert found == dict(zip(each.tolist(), times.tolist(), strict=True))
