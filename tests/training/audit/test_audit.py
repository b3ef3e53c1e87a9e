"""The shortcut audit: it finds what a film gives away outside the lungs, and says so."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.conftest import write_table
from training.audit import files
from training.audit.appearance_swap import BORROWED, SHAPE, drawn, judge_borrowed
from training.audit.audit import Judge, audit, source_rows
from training.audit.linear_baseline import SIDE, SMALL, Part, linear_scores, outer_frame, thumbnail
from training.audit.lung_masking import BLANKED, blank, judge_blanked
from training.bundle.card import draft_card
from training.bundle.export import export
from training.cli import main
from training.config import TrainingConfig
from training.data.cache import load_greys
from training.data.films import select_rows
from training.data.lung_masks import LungMasks, on_input
from training.data.manifest import FilmRow
from training.data.splits import TEST, VALIDATION
from training.data.targets import targets_NK
from training.evaluation.evaluate import Subject
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
    """Noise with the label written on the film's rim only, as a marker would; masks beside it."""
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
def subject(tiny_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A bundle of an untrained network: its figures are chance, which is all that is asked."""
    network = networks.build(tiny_config.network, 1, 1, seed=0).eval()
    card = draft_card(tiny_config, {}, network.stride)
    path = tmp_path_factory.mktemp("bundle") / "small.pt"
    export(network, card, path)
    return Subject(path, card, tiny_config)


def quiet(_line: str) -> None:
    """Says nothing."""


def test_that_a_marker_on_the_rim_is_found_and_named(
    subject: Subject, marked: Path, tmp_path: Path
):
    found = audit(subject, marked, None, tmp_path, "cpu", quiet)
    (frame,) = [row for row in found.rows if row.key == "frame"]
    assert frame.finding == "Pneumonia"
    assert frame.auc.value == 1
    assert frame.auc.n == found.films == 24
    assert "not against 0.50" in frame.meaning
    borrowed = BORROWED.keys() - {"surroundings", "placement"}
    assert {row.key for row in found.rows} == {"frame", "thumbnail"} | borrowed
    assert any("one source" in note for note in found.notes)
    assert any("No masks" in note for note in found.notes)


def test_that_films_without_a_mask_are_counted_and_left_out(
    subject: Subject, marked: Path, tmp_path: Path
):
    found = audit(subject, marked, marked / "lungs", tmp_path, "cpu", quiet)
    assert (found.with_mask, found.without_mask) == (23, 1)
    (outline,) = [row for row in found.rows if row.key == "outline"]
    assert outline.auc.n == 23
    assert outline.auc.value == 0.5  # all masks are alike
    assert "No telling" in outline.meaning
    blanked = {row.key: row.auc.n for row in found.rows if row.key in BLANKED}
    assert blanked == dict.fromkeys(BLANKED, 23)
    borrowed = {row.key: row.auc.n for row in found.rows if row.key in BORROWED}
    assert borrowed.pop("placement") <= 23  # the donor's mask may be the one that is missing
    assert borrowed == dict.fromkeys(borrowed, 24) | {"surroundings": 23}


def test_that_a_model_that_reads_the_rim_is_caught(subject: Subject, marked: Path, tmp_path: Path):
    found = audit(subject, marked, marked / "lungs", tmp_path, "cpu", quiet)
    whole, without, alone = (
        next(row for row in found.rows if row.key == key)
        for key in ("whole", "no-lung-box", "only-lungs")
    )
    # Untrained or not: what tells these films apart is outside the box, so hiding the lungs
    # leaves it, and showing only the lungs removes it.
    assert abs(without.auc.value - 0.5) > 0.4
    assert abs(whole.auc.value - 0.5) > 0.4
    assert abs(alone.auc.value - 0.5) < 0.35


def test_that_a_model_that_reads_the_rim_is_misled_by_foreign_surroundings(
    subject: Subject, marked: Path, tmp_path: Path
):
    found = {row.key: row for row in audit(
        subject, marked, marked / "lungs", tmp_path, "cpu", quiet
    ).rows}  # fmt: skip
    own, foreign = (abs(found[way].auc.value - 0.5) for way in ("own", "surroundings"))
    assert own > 0.4
    assert foreign < 0.8 * own
    assert "what is lost was read from there" in found["surroundings"].meaning


def test_that_a_film_is_drawn_wider_about_its_middle_and_keeps_its_area():
    grey_HW = np.zeros((41, 61), np.float32)
    grey_HW[10:31, 20:41] = 1
    wide_HW, narrow_HW = drawn(grey_HW, SHAPE), drawn(grey_HW, 1 / SHAPE)
    assert wide_HW.sum() == pytest.approx(grey_HW.sum(), rel=0.02)
    assert wide_HW.any(axis=0).sum() > 21 > wide_HW.any(axis=1).sum() - 1
    assert narrow_HW.any(axis=0).sum() - 1 < 21 < narrow_HW.any(axis=1).sum()
    np.testing.assert_allclose(wide_HW, wide_HW[::-1, ::-1], atol=1e-5)


def test_that_sources_are_predicted_where_they_differ(
    marked: Path, tmp_path: Path, tiny_config: TrainingConfig
):
    """Every second film is from elsewhere, and every second film is positive."""
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
    found = list(source_rows(tiny_config.target, greys, Judge(20), []))
    assert [(row.key, row.finding, row.auc.value) for row in found] == [
        ("source", "elsewhere", 1.0),
        ("source-alone", "Pneumonia", 1.0),
    ]


def test_that_the_command_prints_a_table_and_writes_what_it_says(
    subject: Subject, marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["audit", str(subject.bundle), "--data", str(marked), "--out", str(tmp_path)]
    options = ["--masks", str(marked / "lungs"), "--cache", str(tmp_path / "cache")]
    assert main([*arguments, *options]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert "outer frame only, linear model" in printed
    written = json.loads((tmp_path / "audit.json").read_text())
    assert written == files.read(tmp_path)
    assert written["without_mask"] == 1
    assert all(row["meaning"] and row["auc"]["n"] for row in written["rows"])


def test_that_what_is_chosen_by_an_audit_needs_no_test_film(
    subject: Subject, marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["audit", str(subject.bundle), "--data", str(marked), "--out", str(tmp_path)]
    options = ["--cache", str(tmp_path / "cache"), "--split", "validation"]
    assert main([*arguments, *options]) == ExitCode.OK
    written = json.loads((tmp_path / "audit-validation.json").read_text())
    rows = select_rows(recipe(subject.config.recipe), marked)[0]
    held_out = sum(row.split == VALIDATION for row in rows)
    assert (written["split"], written["films"]) == ("validation", held_out)
    assert all(row["auc"]["n"] == held_out for row in written["rows"])
    assert f"on {held_out} validation films" in capsys.readouterr().out
    # The report shows the audit of test films, which was not made.
    assert files.read(tmp_path) is None


def test_that_no_film_chooses_the_linear_model_that_it_is_judged_by(
    marked: Path, tmp_path: Path, tiny_config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
):
    asked: list[Part | None] = []

    def noted(train: Part, chosen_on: Part | None, features_NP: np.ndarray) -> np.ndarray | None:
        asked.append(chosen_on)
        return linear_scores(train, chosen_on, features_NP)

    monkeypatch.setattr("training.audit.audit.linear_scores", noted)
    greys = load_greys(select_rows(tiny_config, marked)[0], marked, Preprocessor(SMALL), tmp_path)
    target = tiny_config.target
    elsewhere = dataclasses.replace(greys, rows=tuple(
        dataclasses.replace(row, source=("here", "there")[place % 2])
        for place, row in enumerate(greys.rows)
    ))  # fmt: skip
    list(source_rows(target, elsewhere, Judge(20, TEST), []))
    assert all(part is not None for part in asked)
    asked.clear()
    list(source_rows(target, elsewhere, Judge(20, VALIDATION), []))
    assert asked == [None, None]


def test_that_borrowing_leaves_out_films_that_cannot_be_read_and_goes_on(
    subject: Subject, marked: Path
):
    rows = [row for row in select_rows(subject.config, marked)[0] if row.split == TEST]
    rows[3] = dataclasses.replace(rows[3], path="films/gone.png")
    loaded = loading.load(subject.bundle, subject.card, "cpu")
    targets = targets_NK(rows, subject.config.target)
    found = judge_borrowed(loaded, subject.card, rows, targets, marked, None)
    places = found["own"].places
    assert 3 not in places
    assert 18 <= places.size <= 23  # also without those who were to borrow from it
    alone = judge_blanked(
        loaded, subject.card, [rows[place] for place in places], marked, LungMasks(marked / "lungs")
    )
    with_mask = [place for place in places if rows[place] in alone.rows]
    np.testing.assert_allclose(
        found["own"].scores_NF[np.isin(places, with_mask)], alone.scores_NF["whole"], atol=1e-6
    )


def test_that_a_folder_of_masks_that_is_not_there_is_named(
    subject: Subject, marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["audit", str(subject.bundle), "--data", str(marked), "--out", str(tmp_path)]
    assert main([*arguments, "--masks", "nowhere"]) == ExitCode.USAGE
    assert "There is no folder nowhere" in capsys.readouterr().err


def test_that_the_whole_film_is_judged_as_the_app_judges_it(subject: Subject, marked: Path):
    from training.evaluation.scoring import score_films

    loaded = loading.load(subject.bundle, subject.card, "cpu")
    rows = [
        FilmRow(f"films/test-{n}.png", "kermany", f"p{n}", ("normal",), "test")
        for n in (48, 49, 51)
    ]
    masks = LungMasks(marked / "lungs")
    blanked = judge_blanked(loaded, subject.card, rows, marked, masks)
    plain = score_films(loaded, subject.card, rows, marked)
    np.testing.assert_array_equal(
        blanked.scores_NF["whole"][:, 0], plain.scores_N(subject.card, "Pneumonia")
    )


def test_that_a_hidden_part_has_the_mean_of_the_rest_and_nothing_else_changes():
    grey_HW = np.random.default_rng(0).random((6, 8)).astype(np.float32)
    hidden_HW = np.zeros((6, 8), dtype=bool)
    hidden_HW[2:4, 3:6] = True
    found_HW = blank(grey_HW, hidden_HW)
    assert found_HW.dtype == np.float32
    np.testing.assert_array_equal(found_HW[~hidden_HW], grey_HW[~hidden_HW])
    assert found_HW[hidden_HW] == pytest.approx(grey_HW[~hidden_HW].mean())
    assert not blank(grey_HW, np.ones_like(hidden_HW)).any()


def test_that_the_box_covers_the_lungs_and_all_between_them():
    lungs_HW = np.zeros((6, 8), dtype=bool)
    lungs_HW[1, 2] = lungs_HW[4, 6] = True
    box_HW = BLANKED["no-lung-box"](lungs_HW)
    assert box_HW.sum() == 4 * 5
    assert box_HW[1:5, 2:7].all()


def test_that_a_mask_lies_in_the_input_where_the_film_lies(tmp_path: Path):
    mask = np.zeros((20, 10), np.uint8)
    mask[:10] = 255
    write_picture(tmp_path / "film.png", mask)
    lungs_HW = LungMasks(tmp_path).of_film("somewhere/film.dcm", (40, 20))
    assert lungs_HW is not None
    assert lungs_HW.shape == (40, 20)
    laid_HW = on_input(lungs_HW, PreprocessSpec(size=(32, 32)))
    assert laid_HW[:16, 8:24].all()
    assert laid_HW.sum() == 16 * 16  # nothing of the letterbox, nothing below


def test_that_a_missing_an_empty_and_a_broken_mask_are_no_mask(tmp_path: Path):
    write_picture(tmp_path / "empty.png", np.zeros((8, 8), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    masks = LungMasks(tmp_path)
    assert [masks.of_film(f"{name}.jpeg", (8, 8)) for name in ("none", "empty", "broken")] == [
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
    one = Part(features_NP, np.ones(4, dtype=bool))
    assert linear_scores(one, one, features_NP) is None
