"""The distance of a film from the training films, its limits, and the file of the statistics."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundles import export, network_for, tiny_card, write_bundle
from xrayview.batch.outcome import result_of_film
from xrayview.batch.pipeline import FilmOutcome
from xrayview.domain.film import FilmRef
from xrayview.domain.model import Affine, GateVerdict, ModelInput
from xrayview.engine.protocol import PreparedFilm
from xrayview.errors import ModelError, Status, StatusCode
from xrayview.inference.classifier import classify
from xrayview.inference.gate_file import (
    GATE_NAME,
    read_statistics,
    require_matching_features,
    to_npz,
)
from xrayview.inference.loading import load
from xrayview.inference.ood_score import TrainingStatistics, feature_vectors
from xrayview.io.model.bundle import CARD_NAME, card_to_json
from xrayview.preprocessing.pipeline import Preprocessor

GRID, THUMBNAIL = 2, 4
VALUES = 2 * GRID**2 + THUMBNAIL**2  # the tiny network has two features
RNG = np.random.default_rng(0)
TRAINING_NV = RNG.normal(1, 0.5, (200, VALUES))


def statistics(axes: int = VALUES, **changes: Any) -> TrainingStatistics:
    """Statistics of independent values, so that distances can be worked out by hand."""
    found = TrainingStatistics(
        grid=GRID,
        thumbnail=THUMBNAIL,
        mean_V=np.ones(VALUES, np.float32),
        scale_V=np.full(VALUES, 0.5, np.float32),
        axes_RV=np.eye(VALUES, dtype=np.float32)[:axes],
        variances_R=np.full(axes, 4.0, np.float32),
        rest_variance=1.0,
        levels_Q=np.array([0, 50, 100], np.float32),
        distances_Q=np.array([0, 1, 2], np.float32),
        near=1.5,
        far=3.0,
        training_films=200,
        validation_films=40,
    )
    return replace(found, **changes)


def test_that_distance_is_that_of_mahalanobis_with_all_axes() -> None:
    films_NV = TRAINING_NV[:5]
    z_NV = (films_NV - 1) / 0.5
    expected = np.sqrt((z_NV**2 / 4).mean(axis=1))
    np.testing.assert_allclose(statistics().distances(films_NV), expected, rtol=1e-6)


def test_that_deviations_outside_the_axes_count_with_the_rest_variance() -> None:
    film_V = np.ones(VALUES)
    film_V[-1] += 0.5 * 6  # 6 standard deviations along an axis that is left out
    (distance,) = statistics(axes=3).distances(film_V[None])
    assert distance == pytest.approx(6 / np.sqrt(VALUES), rel=1e-6)


def test_that_brightness_and_contrast_do_not_change_a_thumbnail() -> None:
    x_BCHW = RNG.random((2, 1, 20, 24), np.float32)
    features = np.zeros((2, 2, 3, 5), np.float32)
    one = feature_vectors(x_BCHW, features, GRID, THUMBNAIL)
    np.testing.assert_allclose(feature_vectors(3 * x_BCHW + 7, features, 2, 4), one, atol=1e-4)
    assert one.shape == (2, VALUES)


def test_that_features_are_averaged_in_their_cell() -> None:
    features = np.zeros((1, 1, 4, 4), np.float32)
    features[0, 0, :2, 2:] = 8
    cells = feature_vectors(np.zeros((1, 1, 4, 4), np.float32), features, 2, 1)[0, :4]
    assert cells.tolist() == [0, 8, 0, 0]


@pytest.mark.parametrize(
    ("distance", "refused", "flags", "message"),
    [
        (1.0, False, (), ""),
        (1.5, False, (), ""),
        (1.6, False, ("OUT_OF_DISTRIBUTION",), "than 80.0 % of the validation films (distance"),
        (2.5, False, ("OUT_OF_DISTRIBUTION",), "than all 40 validation films (distance 2.50"),
        (3.1, True, ("OUT_OF_DISTRIBUTION",), "limit 3.00"),
    ],
)
def test_that_films_beyond_far_are_refused_and_beyond_near_flagged(
    distance: float, refused: bool, flags: tuple[str, ...], message: str
) -> None:
    verdict = statistics().verdict(distance)
    assert (verdict.refused, verdict.flags, verdict.ood_score) == (refused, flags, distance)
    assert bool(verdict.reasons) == bool(flags)
    assert message in "".join(verdict.reasons)


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (0.0, "Closer to the training films than all 40 validation films (caution beyond 75 %)"),
        (0.001, "Further from the training films than 0.1 % of the validation films"),
        (0.806, "Further from the training films than 40.3 % of the validation films"),
        (1.9999, "Further from the training films than 99.9 % of the validation films"),
        (2.0, "Further from the training films than all 40 validation films"),
        (9.0, "Further from the training films than all 40 validation films"),
    ],
)
def test_that_the_distance_is_put_in_words(distance: float, text: str) -> None:
    found = statistics().verdict(distance).ood_text
    assert found.startswith(text)
    assert "than 0.0 %" not in found
    assert "100" not in found


def test_that_a_limit_beyond_all_validation_films_is_not_given_as_their_share() -> None:
    assert "caution beyond" not in statistics(near=2.4).verdict(1.0).ood_text


def test_that_statistics_survive_a_round_trip(tmp_path: Path) -> None:
    card, written = tiny_card(), statistics()
    path = bundle_with(tmp_path, to_npz(written))
    found = read_statistics(path)
    assert found is not None
    np.testing.assert_array_equal(found.distances(TRAINING_NV), written.distances(TRAINING_NV))
    assert (found.near, found.far, found.training_films) == (1.5, 3.0, 200)
    require_matching_features(found, load(path, card, "cpu"), card, path)
    assert read_statistics(write_bundle(tmp_path / "without.pt")) is None


def bundle_with(folder: Path, gate: bytes) -> Path:
    card = tiny_card()
    extra = {CARD_NAME: json.dumps(card_to_json(card)), GATE_NAME: gate}
    return export(network_for(card), folder / "model.pt", card, extra=extra)


def npz(compress: bool = False, **changes: Any) -> bytes:
    """The file with changed arrays; None removes one."""
    arrays = dict(np.load(io.BytesIO(to_npz(statistics()))))
    arrays |= {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        if value is None:
            del arrays[name]
    stream = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(stream, **arrays)
    return stream.getvalue()


BAD = {
    "not an archive": (b"\0gate", "gate.npz"),
    "compressed": (npz(compress=True), "compressed"),
    "another version": (npz(version=np.array(2)), "version"),
    "a missing array": (npz(mean_V=None), "mean_V is missing"),
    "another size": (npz(mean_V=np.ones(3)), "elsewhere"),
    "text": (npz(mean_V=np.array(["a"] * VALUES)), "mean_V has shape"),
    "a pickle": (npz(mean_V=np.array([{}] * VALUES, object)), "gate.npz"),
    "NaN": (npz(near=np.array(np.nan)), "finite"),
    "no spread": (npz(scale_V=np.zeros(VALUES)), "greater than 0"),
    "falling percentiles": (npz(distances_Q=np.array([2.0, 1.0, 0.0])), "must not decrease"),
    "limits the wrong way": (npz(far=np.array(1.0)), "far"),
    "half a cell": (npz(grid=np.array(2.5)), "whole number"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_that_a_bad_file_is_reported_and_not_used(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        read_statistics(bundle_with(tmp_path, content))
    assert message in str(caught.value)


def test_that_statistics_of_another_network_are_refused(tmp_path: Path) -> None:
    card = tiny_card()
    path = bundle_with(tmp_path, to_npz(statistics()))
    with pytest.raises(ModelError, match="the network has"):
        require_matching_features(statistics(grid=3), load(path, card, "cpu"), card, path)


def model_input() -> ModelInput:
    card = tiny_card()
    preprocessor = Preprocessor(card.preprocessing)
    grey_HW = RNG.random(card.preprocessing.size, np.float32)
    x_CHW, preprocessing_id = preprocessor.finish(grey_HW), preprocessor.preprocessing_id
    return ModelInput("a.png#0", x_CHW, Affine(1, 1), (64, 64), preprocessing_id)


def test_that_a_prediction_has_its_distance_and_the_same_logits(tmp_path: Path) -> None:
    card = tiny_card()
    runtime = load(bundle_with(tmp_path, to_npz(statistics())), card, "cpu")
    film_input = model_input()
    (plain,) = classify(runtime, card, (film_input,))
    (checked,) = classify(runtime, card, (film_input,), statistics())
    features = runtime.features(film_input.x_CHW[None])
    expected = statistics().distances(
        feature_vectors(film_input.x_CHW[None], features, GRID, THUMBNAIL)
    )
    assert checked.gate.ood_score == pytest.approx(expected[0])
    assert checked.logits == pytest.approx(plain.logits, abs=1e-5)
    assert plain.gate == GateVerdict()


def test_that_a_refused_film_has_a_distance_but_no_score(tmp_path: Path) -> None:
    card = tiny_card()
    runtime = load(bundle_with(tmp_path, to_npz(statistics())), card, "cpu")
    film_input, ref = model_input(), FilmRef(Path("a.png"), "a.png", format="png")
    (prediction,) = classify(runtime, card, (film_input,), statistics(near=1e-6, far=1e-5))
    prepared = PreparedFilm(ref, film_input, "ab", GateVerdict())
    result = result_of_film(FilmOutcome(ref, prepared, prediction))
    assert (result.status, result.code) == (Status.REFUSED, StatusCode.OUT_OF_DISTRIBUTION)
    assert result.prediction is None
    assert result.gate is not None
    assert result.gate.ood_score == prediction.gate.ood_score


def test_that_a_film_has_the_same_distance_whatever_films_are_beside_it(tmp_path: Path) -> None:
    """A product of matrices sums in another order for another number of films."""
    card, grid, thumbnail, axes = tiny_card(), 2, 32, 64
    runtime = load(bundle_with(tmp_path, to_npz(statistics())), card, "cpu")
    values = 2 * grid * grid + thumbnail * thumbnail
    wide = TrainingStatistics(
        grid=grid,
        thumbnail=thumbnail,
        mean_V=RNG.random(values, np.float32),
        scale_V=1 + RNG.random(values, np.float32),
        axes_RV=np.linalg.qr(RNG.normal(size=(values, axes)))[0].T.astype(np.float32),
        variances_R=np.full(axes, 1e-3, np.float32),  # the axes decide the distance
        rest_variance=1e3,
        levels_Q=np.linspace(0, 100, 5, dtype=np.float32),
        distances_Q=np.linspace(0, 99, 5, dtype=np.float32),
        near=98.0,
        far=99.0,
        training_films=10,
        validation_films=10,
    )
    inputs = [model_input() for _ in range(40)]
    together = classify(runtime, card, inputs, wide)
    one_by_one = [classify(runtime, card, (one,), wide)[0] for one in inputs]
    assert [p.gate.ood_score for p in together] == [p.gate.ood_score for p in one_by_one]
    assert [p.logits for p in together] == [p.logits for p in one_by_one]
