"""Transfer of grey values and sharpness from another film."""

import numpy as np
import pytest

from training.data.appearance import AppearanceDonors, draw, match_histogram, match_sharpness

SIZE = (48, 40)


@pytest.fixture
def films():
    """Return a film of coarse shapes and a darker one with fine grain."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / SIZE[0]
    smooth_HW = 0.5 + 0.3 * np.sin(5 * x) * np.cos(4 * y)
    grainy_HW = np.clip(0.3 + 0.15 * rng.standard_normal(SIZE), 0, 1)
    return smooth_HW.astype(np.float32), grainy_HW.astype(np.float32)


def fine(grey_HW):
    """Return the standard deviation between neighbouring rows."""
    return float(np.std(np.diff(grey_HW, axis=0)))


def test_that_a_matched_film_has_the_donors_histogram_and_its_own_order(films):
    own_HW, donor_HW = films
    got_HW = match_histogram(own_HW, donor_HW)
    assert np.allclose(np.quantile(got_HW, [0.1, 0.5, 0.9]),
                       np.quantile(donor_HW, [0.1, 0.5, 0.9]), atol=0.01)  # fmt: skip
    order = np.argsort(own_HW, axis=None)
    assert (np.diff(got_HW.ravel()[order]) >= -1e-6).all()


def test_that_a_film_gets_grain_or_smoothness_but_keeps_its_shapes(films):
    smooth_HW, grainy_HW = films
    assert fine(match_sharpness(grainy_HW, smooth_HW, 1.0)) < 0.5 * fine(grainy_HW)
    sharper_HW = match_sharpness(smooth_HW, grainy_HW, 1.0)
    assert fine(sharper_HW) > fine(smooth_HW)
    assert np.corrcoef(sharper_HW.ravel(), smooth_HW.ravel())[0, 1] > 0.9


def test_that_a_share_of_0_changes_nothing(films):
    smooth_HW, grainy_HW = films
    assert np.allclose(match_sharpness(smooth_HW, grainy_HW, 0.0), smooth_HW, atol=1e-6)


def test_that_films_stay_in_range_and_undrawn_ones_stay_bit_for_bit(films):
    greys_BHW = np.stack([films[index % 2] for index in range(64)])
    draws = draw(0.5, 0.5, 64, 64, np.random.default_rng(1))
    changed_BHW = greys_BHW.copy()
    AppearanceDonors(greys_BHW, np.arange(64)).transfer(changed_BHW, draws)
    assert changed_BHW.dtype == np.float32
    assert changed_BHW.min() >= 0
    assert changed_BHW.max() <= 1
    unchanged_B = (draws.tones_B == 0) & (draws.sharpness_B == 0)
    assert 4 < unchanged_B.sum() < 32
    assert np.array_equal(changed_BHW[unchanged_B], greys_BHW[unchanged_B])
    assert not np.array_equal(changed_BHW[~unchanged_B], greys_BHW[~unchanged_B])


def test_that_transfer_from_and_to_black_films_is_finite():
    black_HW = np.zeros(SIZE, np.float32)
    white_HW = np.ones(SIZE, np.float32)
    for own_HW, donor_HW in ((black_HW, white_HW), (white_HW, black_HW), (black_HW, black_HW)):
        assert np.isfinite(match_histogram(own_HW, donor_HW)).all()
        assert np.isfinite(match_sharpness(own_HW, donor_HW, 1.0)).all()


def test_that_histogram_matching_agrees_with_numpys_quantiles(films):
    own_HW, donor_HW = films
    own_HW[:9] = 0  # a black border: many equal quantiles
    at = np.linspace(0, 1, 65)
    own = np.quantile(own_HW, at) + np.arange(65) * 1e-6
    exact_HW = np.interp(own_HW, own, np.quantile(donor_HW, at))
    assert np.abs(match_histogram(own_HW, donor_HW) - exact_HW).mean() < 1 / 2048


def test_that_nan_stays_nan(films):
    own_HW, donor_HW = films
    own_HW[3, 4] = np.nan
    assert np.isnan(match_histogram(own_HW, donor_HW)[3, 4])
    assert np.isnan(match_sharpness(own_HW, donor_HW, 1.0)).any()
