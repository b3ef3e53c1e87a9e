"""A film's prediction does not depend on the other films, or frames, of its batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_dicom
from tests.bundles import Tiny, export, network_for, tiny_card, write_bundle
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.film import FilmRef
from xrayview.domain.model import Finding, ModelCard, ModelInput
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.engine.client import Engine
from xrayview.engine.protocol import Classify, ModelRef, PrepareInput
from xrayview.engine.scan import scan_folder
from xrayview.inference.classifier import BATCH_FILMS, classify
from xrayview.inference.loading import load
from xrayview.io.model.bundle import sha256_of
from xrayview.io.tables.predictions import read_predictions
from xrayview.preprocessing.pipeline import Preprocessor

FILMS = BATCH_FILMS + 5
CARDS = {
    "sigmoid": tiny_card(flip_average=True),
    "softmax": tiny_card(
        task="multiclass", activation="softmax", findings=(Finding("A"), Finding("B"), Finding("C"))
    ),
}


def films(card: ModelCard) -> list[ModelInput]:
    rng = np.random.default_rng(11)
    preprocessor = Preprocessor(card.preprocessing)
    return [
        preprocessor(
            Radiograph(
                FilmRef(Path(f"{i}.png"), f"{i}.png"),
                rng.integers(0, 4096, rng.integers(40, 90, 2)).astype(np.uint16),
                Greyscale(),
            )
        )
        for i in range(FILMS)
    ]


@pytest.mark.parametrize("name", CARDS)
def test_that_a_batch_equals_one_by_one_in_any_order(tmp_path: Path, name: str) -> None:
    card = CARDS[name]
    runtime = load(export(network_for(card, Tiny), tmp_path / "m.pt", card), card, "cpu")
    inputs = films(card)
    together = classify(runtime, card, inputs)
    reversed_order = classify(runtime, card, inputs[::-1])[::-1]
    single = [classify(runtime, card, (one,))[0] for one in inputs]
    assert len({prediction.logits for prediction in together}) == FILMS
    for other in (single, reversed_order):
        for a, b in zip(together, other, strict=True):
            assert a.logits == pytest.approx(b.logits, abs=1e-5)
            assert a.scores == pytest.approx(b.scores, abs=1e-6)
            assert replace(a, logits=(), scores=(), uncertainty=0) == replace(
                b, logits=(), scores=(), uncertainty=0
            )


def test_that_the_rows_of_a_film_of_several_frames_equal_those_of_single_frames(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    grey_HW = phantom(60, 50) / 4095
    # A grey curve that bends further with each frame, so that no two have similar scores.
    frames = np.stack([4095 * grey_HW ** (1 + n / 4) for n in range(BATCH_FILMS)]).astype(np.uint16)
    write_dicom(folder / "a.dcm", phantom(40, 64), bits_stored=12)
    write_dicom(folder / "b.dcm", frames, frames=len(frames), bits_stored=12)
    bundle = write_bundle(tmp_path / "m.pt")
    model = ModelRef(bundle, sha256_of(bundle), "cpu")
    with Engine(2, spare_workers=0) as engine:
        list(run_batch(engine, folder, model, tmp_path / "p.csv", BatchOptions("none")))
        rows = {(r["path"], r["frame"]): r for r in read_predictions(tmp_path / "p.csv").rows}
        films = [film for film in scan_folder(engine, folder) if isinstance(film, FilmRef)]
        single = [replace(film, frame=n) for film in films for n in range(film.frames)]
        assert list(rows) == [(film.relative_path, str(film.frame)) for film in single]
        spec = tiny_card().preprocessing
        for film in single:
            prepared = engine.submit(PrepareInput(film, spec)).result()
            (single,) = engine.submit(Classify(model, (prepared.model_input,))).result()
            row = rows[film.relative_path, str(film.frame)]
            # To the last digit: each film is a pass of its own through the network.
            assert row["logit_Opacity"] == repr(single.logits[0])
            assert row["score_Opacity"] == repr(single.scores[0])
    logits = sorted(float(row["logit_Opacity"]) for row in rows.values())
    assert np.diff(logits).min() > 1e-4  # swapped frames would be noticed
