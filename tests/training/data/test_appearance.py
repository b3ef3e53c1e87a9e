"""Grey values and sharpness lent by another film."""

import numpy as np
import pytest

from training.data.appearance import Lenders, draw, matched, sharpened

SIZE = (48, 40)


@pytest.fixture
def films():
    """A film of coarse shapes, and a darker one full of fine grain."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / SIZE[0]
    smooth_HW = 0.5 + 0.3 * np.sin(5 * x) * np.cos(4 * y)
    grainy_HW = np.clip(0.3 + 0.15 * rng.standard_normal(SIZE), 0, 1)
    return smooth_HW.astype(np.float32), grainy_HW.astype(np.float32)


def fine(grey_HW):
    """Deviation of what is left beside the neighbours' mean."""
    return float(np.std(np.diff(grey_HW, axis=0)))


def test_that_a_matched_film_has_the_donors_histogram_and_its_own_order(films):
    own_HW, donor_HW = films
    got_HW = matched(own_HW, donor_HW)
    assert np.allclose(np.quantile(got_HW, [0.1, 0.5, 0.9]),
                       np.quantile(donor_HW, [0.1, 0.5, 0.9]), atol=0.01)  # fmt: skip
    order = np.argsort(own_HW, axis=None)
    assert (np.diff(got_HW.ravel()[order]) >= -1e-6).all()


def test_that_a_film_takes_grain_or_smoothness_but_keeps_its_shapes(films):
    smooth_HW, grainy_HW = films
    assert fine(sharpened(grainy_HW, smooth_HW, 1.0)) < 0.5 * fine(grainy_HW)
    grown_HW = sharpened(smooth_HW, grainy_HW, 1.0)
    assert fine(grown_HW) > fine(smooth_HW)
    assert np.corrcoef(grown_HW.ravel(), smooth_HW.ravel())[0, 1] > 0.9


def test_that_no_share_of_a_spectrum_changes_nothing(films):
    smooth_HW, grainy_HW = films
    assert np.allclose(sharpened(smooth_HW, grainy_HW, 0.0), smooth_HW, atol=1e-6)


def test_that_films_stay_in_range_and_undrawn_ones_stay_bit_for_bit(films):
    greys_BHW = np.stack([films[place % 2] for place in range(64)])
    draws = draw(0.5, 0.5, 64, 64, np.random.default_rng(1))
    changed_BHW = greys_BHW.copy()
    Lenders(greys_BHW, np.arange(64)).lend(changed_BHW, draws)
    assert changed_BHW.dtype == np.float32
    assert changed_BHW.min() >= 0
    assert changed_BHW.max() <= 1
    kept_B = (draws.tones_B == 0) & (draws.sharpness_B == 0)
    assert 4 < kept_B.sum() < 32
    assert np.array_equal(changed_BHW[kept_B], greys_BHW[kept_B])
    assert not np.array_equal(changed_BHW[~kept_B], greys_BHW[~kept_B])


def test_that_black_films_lend_and_take_without_a_number_that_is_none():
    black_HW = np.zeros(SIZE, np.float32)
    white_HW = np.ones(SIZE, np.float32)
    for own_HW, donor_HW in ((black_HW, white_HW), (white_HW, black_HW), (black_HW, black_HW)):
        assert np.isfinite(matched(own_HW, donor_HW)).all()
        assert np.isfinite(sharpened(own_HW, donor_HW, 1.0)).all()


def test_that_a_matched_film_is_that_of_numpys_quantiles(films):
    own_HW, donor_HW = films
    own_HW[:9] = 0  # a black border: many equal quantiles
    at = np.linspace(0, 1, 65)
    own = np.quantile(own_HW, at) + np.arange(65) * 1e-6
    exact_HW = np.interp(own_HW, own, np.quantile(donor_HW, at))
    assert np.abs(matched(own_HW, donor_HW) - exact_HW).mean() < 1 / 2048


def test_that_what_is_no_number_is_not_made_one(films):
    own_HW, donor_HW = films
    own_HW[3, 4] = np.nan
    assert np.isnan(matched(own_HW, donor_HW)[3, 4])
    assert np.isnan(sharpened(own_HW, donor_HW, 1.0)).any()
