"""How long a window drag and the opening of a film take in the display branch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xrayview.display.greyscale import apply_lut, build_lut
from xrayview.display.pyramid import build_pyramid
from xrayview.display.voi import auto_window
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Radiograph, VoiFunction, Window


def film(side: int, greyscale: Greyscale) -> Radiograph:
    pixels_HW = np.random.default_rng(0).integers(0, 4096, (side, side), dtype=np.uint16)
    pixels_HW[: side // 10] = 0
    return Radiograph(FilmRef(Path("film"), "film"), pixels_HW, greyscale)


@pytest.mark.parametrize("function", list(VoiFunction))
@pytest.mark.parametrize("side", [1500, 3000])
def test_step_of_a_window_drag(benchmark: Any, side: int, function: VoiFunction) -> None:
    radiograph = film(side, Greyscale())
    window = Window(2048, 4096, function)

    def step() -> None:
        lut = build_lut(radiograph.greyscale, window, radiograph.pixels_HW.dtype)
        apply_lut(radiograph.pixels_HW, lut)

    benchmark(step)


@pytest.mark.parametrize("greyscale", [Greyscale(), Greyscale(padding=(0, 0))], ids=["", "padded"])
def test_pyramid_of_3000_x_3000(benchmark: Any, greyscale: Greyscale) -> None:
    benchmark(build_pyramid, film(3000, greyscale))


def test_automatic_window_of_3000_x_3000(benchmark: Any) -> None:
    benchmark(auto_window, film(3000, Greyscale()))
