"""The shortcut audit finds label information outside the lungs, and reports it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.conftest import write_table
from training.audit import files
from training.audit.appearance_swap import ASPECT_CHANGE, SWAPS, change_aspect, score_swapped
from training.audit.audit import AucEvaluation, audit, source_rows
from training.audit.linear_baseline import (
    SIDE,
    SMALL,
    LabelledFeatures,
    linear_scores,
    outer_frame,
    thumbnail,
)
from training.audit.lung_masking import LUNG_MASKINGS, hide, score_masked
from training.bundle.card import draft_card
from training.bundle.export import export
from training.cli import main
from training.config import TrainingConfig
from training.data.cache import load_greys
from training.data.films import select_rows
from training.data.lung_masks import LungMasks, to_input
from training.data.manifest import FilmRow
from training.data.splits import TEST, VALIDATION
from training.data.targets import targets_NK
from training.evaluation.models import EvaluatedModel
from training.networks import build as networks
from training.recipes import recipe
from xrayview.domain.model import PreprocessSpec
from xrayview.errors import ExitCode, UsageError
from xrayview.inference import loading
from xrayview.preprocessing.pipeline import Preprocessor

ROWS, COLUMNS = 40, 48
LUNGS = (slice(12, 30), slice(8, 40))


def write_picture(path: Path, pixels_HW: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels_HW)[1].tobytes())


def make_marked_data(folder: Path, sources: tuple[str, ...] = ("kermany",)) -> Path:
    """Noise in which only the film's rim shows the label, as a marker would; with lung masks."""
    rows = []
    for number in range(72):
        rng = np.random.default_rng(number)
        pixels = rng.integers(0, 90, (ROWS, COLUMNS)).astype(np.uint8)
        positive = bool(number % 2)
        if positive:
            pixels[:4] = 220
        split = "train" if number < 48 else "test"
        name = f"{split}-{number:02d}"
        source = sources[number % len(sources)]
        write_picture(folder / f"films/{name}.png", pixels)
        mask = np.zeros((ROWS, COLUMNS), np.uint8)
        mask[LUNGS] = 255
        if number != 50:
            write_picture(folder / f"lungs/{name}.png", mask)
        label = ("normal", "viral pneumonia")[positive]
        rows.append((f"films/{name}.png", source, split, label, f"{split}:{number}", "", "", "AP"))
    write_table(folder, rows)
    return folder


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_marked_data(tmp_path_factory.mktemp("marked"))


@pytest.fixture(scope="module")
def model(tiny_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> EvaluatedModel:
    """A bundle of an untrained network: its metrics are those of chance, which is enough here."""
    network = networks.build(tiny_config.network, 1, 1, seed=0).eval()
    card = draft_card(tiny_config, {}, network.stride)
    path = tmp_path_factory.mktemp("bundle") / "small.pt"
    export(network, card, path)
    return EvaluatedModel(path, card, tiny_config)


def quiet(_line: str) -> None:
    """Print nothing."""


def test_that_a_marker_on_the_rim_is_found_and_named(
    model: EvaluatedModel, marked: Path, tmp_path: Path
):
    found = audit(model, marked, None, tmp_path, "cpu", quiet)
    (frame,) = [row for row in found.rows if row.key == "frame"]
    assert frame.finding == "Pneumonia"
    assert frame.auc.value == 1
    assert frame.auc.n == found.films == 24
    assert "not with 0.50" in frame.meaning
    swaps = SWAPS.keys() - {"surroundings", "placement"}
    assert {row.key for row in found.rows} == {"frame", "thumbnail"} | swaps
    assert any("one source" in note for note in found.notes)
    assert any("No masks" in note for note in found.notes)


def test_that_films_without_a_mask_are_counted_and_left_out(
    model: EvaluatedModel, marked: Path, tmp_path: Path
):
    found = audit(model, marked, marked / "lungs", tmp_path, "cpu", quiet)
    assert (found.with_mask, found.without_mask) == (23, 1)
    (outline,) = [row for row in found.rows if row.key == "outline"]
    assert outline.auc.n == 23
    assert outline.auc.value == 0.5  # all masks are alike
    assert "was not shown to predict" in outline.meaning
    masked = {row.key: row.auc.n for row in found.rows if row.key in LUNG_MASKINGS}
    assert masked == dict.fromkeys(LUNG_MASKINGS, 23)
    swapped = {row.key: row.auc.n for row in found.rows if row.key in SWAPS}
    assert swapped.pop("placement") <= 23  # the donor's mask may be the one that is missing
    assert swapped == dict.fromkeys(swapped, 24) | {"surroundings": 23}


def test_that_a_model_that_reads_the_rim_is_caught(
    model: EvaluatedModel, marked: Path, tmp_path: Path
):
    found = audit(model, marked, marked / "lungs", tmp_path, "cpu", quiet)
    whole, without_box, only_lungs = (
        next(row for row in found.rows if row.key == key)
        for key in ("whole", "no-lung-box", "only-lungs")
    )
    # Even an untrained network separates these films by their rim: hiding the lungs leaves it,
    # and showing only the lungs removes it.
    assert abs(without_box.auc.value - 0.5) > 0.4
    assert abs(whole.auc.value - 0.5) > 0.4
    assert abs(only_lungs.auc.value - 0.5) < 0.35


def test_that_a_model_that_reads_the_rim_is_misled_by_swapped_surroundings(
    model: EvaluatedModel, marked: Path, tmp_path: Path
):
    found = {row.key: row for row in audit(
        model, marked, marked / "lungs", tmp_path, "cpu", quiet
    ).rows}  # fmt: skip
    own, swapped = (abs(found[swap].auc.value - 0.5) for swap in ("own", "surroundings"))
    assert own > 0.4
    assert swapped < 0.8 * own
    assert "the rest came from there" in found["surroundings"].meaning


def test_that_a_film_is_made_wider_about_its_centre_at_equal_area():
    grey_HW = np.zeros((41, 61), np.float32)
    grey_HW[10:31, 20:41] = 1
    wide_HW, narrow_HW = (
        change_aspect(grey_HW, ASPECT_CHANGE),
        change_aspect(grey_HW, 1 / ASPECT_CHANGE),
    )
    assert wide_HW.sum() == pytest.approx(grey_HW.sum(), rel=0.02)
    assert wide_HW.any(axis=0).sum() > 21 > wide_HW.any(axis=1).sum() - 1
    assert narrow_HW.any(axis=0).sum() - 1 < 21 < narrow_HW.any(axis=1).sum()
    np.testing.assert_allclose(wide_HW, wide_HW[::-1, ::-1], atol=1e-5)


def test_that_sources_are_predicted_where_they_differ(
    marked: Path, tmp_path: Path, tiny_config: TrainingConfig
):
    """Every second film is from another source, and the same films are positive."""
    rows = tuple(
        FilmRow(
            path=f"films/{split}-{n:02d}.png",
            source=("kermany", "elsewhere")[n % 2],
            patient=str(n),
            labels=(("normal", "viral pneumonia")[n % 2],),
            official_split=split,
            split=split,
        )
        for n in range(72)
        for split in ("train" if n < 48 else "test",)
    )
    greys = load_greys(rows, marked, Preprocessor(SMALL), tmp_path)
    found = list(source_rows(tiny_config.target, greys, AucEvaluation(20), []))
    assert [(row.key, row.finding, row.auc.value) for row in found] == [
        ("source", "elsewhere", 1.0),
        ("source-alone", "Pneumonia", 1.0),
    ]


def test_that_the_command_prints_a_table_and_writes_it_as_json(
    model: EvaluatedModel, marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["audit", str(model.bundle), "--data", str(marked), "--out", str(tmp_path)]
    options = ["--masks", str(marked / "lungs"), "--cache", str(tmp_path / "cache")]
    assert main([*arguments, *options]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert "outer frame only, linear model" in printed
    written = json.loads((tmp_path / "audit.json").read_text())
    assert written == files.read(tmp_path)
    assert written["without_mask"] == 1
    assert all(row["meaning"] and row["auc"]["n"] for row in written["rows"])


def test_that_an_audit_of_validation_films_uses_no_test_film(
    model: EvaluatedModel, marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["audit", str(model.bundle), "--data", str(marked), "--out", str(tmp_path)]
    options = ["--cache", str(tmp_path / "cache"), "--split", "validation"]
    assert main([*arguments, *options]) == ExitCode.OK
    written = json.loads((tmp_path / "audit-validation.json").read_text())
    rows = select_rows(recipe(model.config.recipe), marked)[0]
    held_out = sum(row.split == VALIDATION for row in rows)
    assert (written["split"], written["films"]) == ("validation", held_out)
    assert all(row["auc"]["n"] == held_out for row in written["rows"])
    assert f"on {held_out} validation films" in capsys.readouterr().out
    # The report only shows an audit of test films, and there is none.
    assert files.read(tmp_path) is None


def test_that_no_film_chooses_the_linear_model_that_is_evaluated_on_it(
    marked: Path, tmp_path: Path, tiny_config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
):
    parts: list[LabelledFeatures | None] = []

    def spy(
        train: LabelledFeatures, chosen_on: LabelledFeatures | None, features_NP: np.ndarray
    ) -> np.ndarray | None:
        parts.append(chosen_on)
        return linear_scores(train, chosen_on, features_NP)

    monkeypatch.setattr("training.audit.audit.linear_scores", spy)
    greys = load_greys(select_rows(tiny_config, marked)[0], marked, Preprocessor(SMALL), tmp_path)
    target = tiny_config.target
    two_sources = dataclasses.replace(greys, rows=tuple(
        dataclasses.replace(row, source=("here", "there")[i % 2])
        for i, row in enumerate(greys.rows)
    ))  # fmt: skip
    list(source_rows(target, two_sources, AucEvaluation(20, TEST), []))
    assert all(part is not None for part in parts)
    parts.clear()
    list(source_rows(target, two_sources, AucEvaluation(20, VALIDATION), []))
    assert parts == [None, None]


def test_that_swaps_leave_out_films_that_cannot_be_read(model: EvaluatedModel, marked: Path):
    rows = [row for row in select_rows(model.config, marked)[0] if row.split == TEST]
    rows[3] = dataclasses.replace(rows[3], path="films/gone.png")
    loaded = loading.load(model.bundle, model.card, "cpu")
    targets = targets_NK(rows, model.config.target)
    found = score_swapped(loaded, model.card, rows, targets, marked, None)
    indices = found["own"].indices
    assert 3 not in indices
    assert 18 <= indices.size <= 23  # films whose donor it was to be are left out too
    readable = [rows[i] for i in indices]
    masked = score_masked(loaded, model.card, readable, marked, LungMasks(marked / "lungs"))
    with_mask = [i for i in indices if rows[i] in masked.rows]
    np.testing.assert_allclose(
        found["own"].scores_NF[np.isin(indices, with_mask)], masked.scores_NF["whole"], atol=1e-6
    )


def test_that_a_missing_folder_of_masks_is_named(
    model: EvaluatedModel, marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["audit", str(model.bundle), "--data", str(marked), "--out", str(tmp_path)]
    assert main([*arguments, "--masks", "nowhere"]) == ExitCode.USAGE
    assert "There is no folder nowhere" in capsys.readouterr().err


def test_that_the_whole_film_has_the_score_of_the_app(model: EvaluatedModel, marked: Path):
    from training.evaluation.scoring import score_films

    loaded = loading.load(model.bundle, model.card, "cpu")
    rows = [
        FilmRow(f"films/test-{n}.png", "kermany", f"p{n}", ("normal",), "test")
        for n in (48, 49, 51)
    ]
    masks = LungMasks(marked / "lungs")
    masked = score_masked(loaded, model.card, rows, marked, masks)
    scored = score_films(loaded, model.card, rows, marked)
    np.testing.assert_array_equal(
        masked.scores_NF["whole"][:, 0], scored.scores_N(model.card, "Pneumonia")
    )


def test_that_a_hidden_part_has_the_mean_of_the_rest_and_nothing_else_changes():
    grey_HW = np.random.default_rng(0).random((6, 8)).astype(np.float32)
    hidden_HW = np.zeros((6, 8), dtype=bool)
    hidden_HW[2:4, 3:6] = True
    found_HW = hide(grey_HW, hidden_HW)
    assert found_HW.dtype == np.float32
    np.testing.assert_array_equal(found_HW[~hidden_HW], grey_HW[~hidden_HW])
    assert found_HW[hidden_HW] == pytest.approx(grey_HW[~hidden_HW].mean())
    assert not hide(grey_HW, np.ones_like(hidden_HW)).any()


def test_that_the_box_covers_the_lungs_and_all_between_them():
    lungs_HW = np.zeros((6, 8), dtype=bool)
    lungs_HW[1, 2] = lungs_HW[4, 6] = True
    box_HW = LUNG_MASKINGS["no-lung-box"](lungs_HW)
    assert box_HW.sum() == 4 * 5
    assert box_HW[1:5, 2:7].all()


def test_that_a_mask_is_mapped_to_the_input_like_the_film(tmp_path: Path):
    mask = np.zeros((20, 10), np.uint8)
    mask[:10] = 255
    write_picture(tmp_path / "film.png", mask)
    lungs_HW = LungMasks(tmp_path).load_mask("somewhere/film.dcm", (40, 20))
    assert lungs_HW is not None
    assert lungs_HW.shape == (40, 20)
    mapped_HW = to_input(lungs_HW, PreprocessSpec(size=(32, 32)))
    assert mapped_HW[:16, 8:24].all()
    assert mapped_HW.sum() == 16 * 16  # nothing of the letterbox, nothing below


def test_that_a_missing_an_empty_and_a_broken_mask_do_not_count(tmp_path: Path):
    write_picture(tmp_path / "empty.png", np.zeros((8, 8), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    masks = LungMasks(tmp_path)
    assert [masks.load_mask(f"{name}.jpeg", (8, 8)) for name in ("none", "empty", "broken")] == [
        None, None, None,
    ]  # fmt: skip
    with pytest.raises(UsageError):
        LungMasks(tmp_path / "nowhere")


def test_that_the_frame_is_the_rim_and_the_thumbnail_the_mean_of_its_blocks():
    greys_NHW = np.zeros((1, SIDE, SIDE), np.float32)
    greys_NHW[0, 2:-2, 2:-2] = 1
    assert outer_frame(greys_NHW).shape == (1, SIDE * SIDE - 28 * 28)
    assert not outer_frame(greys_NHW).any()
    greys_NHW[0, :4, 4:8] = 0.25
    assert thumbnail(greys_NHW).shape == (1, 64)
    assert thumbnail(greys_NHW)[0, 1] == 0.25


def test_that_nothing_can_be_learned_from_one_class():
    features_NP = np.zeros((4, 2), np.float32)
    one_class = LabelledFeatures(features_NP, np.ones(4, dtype=bool))
    assert linear_scores(one_class, one_class, features_NP) is None
