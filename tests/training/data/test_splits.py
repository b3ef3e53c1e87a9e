"""Splits and leaks: no patient and no picture in two splits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from training.config import DataConfig, TrainingConfig
from training.data.films import load_films
from training.data.leaks import check, find_leaks
from training.data.manifest import FilmRow, Manifest
from training.data.splits import assign, few_validation_notes, keep_together
from xrayview.errors import UsageError

CONFIG = DataConfig(dataset="d", validation_fraction=0.2)


def films(patients: int, each: int = 3, split: str = "train") -> list[FilmRow]:
    return [
        FilmRow(f"{split}{p}-{i}.png", "d", f"{split}:p{p}", ("normal",), split)
        for p in range(patients)
        for i in range(each)
    ]


def test_that_no_patient_is_in_two_splits():
    rows = assign([*films(500), *films(50, split="test")], CONFIG)
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.patient, set()).add(row.split)
    assert all(len(found) == 1 for found in splits.values())
    assert {row.split for row in rows} == {"train", "validation", "test"}


def test_that_the_held_out_share_is_about_the_requested_one():
    rows = assign([*films(2000, each=1), *films(5, split="test")], CONFIG)
    assert 0.17 < sum(row.split == "validation" for row in rows) / 2000 < 0.23


def test_that_test_films_are_split_off_by_patient_if_the_data_has_none():
    rows = assign(films(2000), CONFIG)
    held_out = {row.patient for row in rows if row.split == "test"}
    assert 0.17 < len(held_out) / 2000 < 0.23
    assert held_out.isdisjoint(row.patient for row in rows if row.split != "test")


def test_that_official_validation_films_are_kept_and_no_others_are_split_off():
    config = dataclasses.replace(CONFIG, validation_splits=("val",))
    rows = assign([*films(200), *films(20, split="val"), *films(20, split="test")], config)
    assert {row.official_split for row in rows if row.split == "validation"} == {"val"}
    assert {row.split for row in rows if row.official_split == "train"} == {"train"}


def test_that_too_few_official_validation_films_become_training_films():
    config = dataclasses.replace(CONFIG, validation_splits=("val",))
    rows = assign([*films(200), *films(5, split="val"), *films(20, split="test")], config)
    assert {row.official_split for row in rows if row.split == "validation"} >= {"train"}
    assert sum(row.split == "validation" for row in rows) > 60


@pytest.mark.parametrize(
    ("official", "expected"),
    [
        ("Train", "train"), ("TEST", "test"), (" testing ", "test"), ("Training", "train"),
        ("Valid", "validation"), ("VAL", "validation"), ("validate", "validation"),
        ("fold3", ""), ("0", ""), ("dev", ""),
    ],
)  # fmt: skip
def test_that_usual_names_of_splits_are_understood(official: str, expected: str):
    config = dataclasses.replace(CONFIG, validation_splits=("val",), fewest_validation=0)
    rows = assign([*films(20), *films(20, split="test"), *films(20, split=official)], config)
    assert {row.split for row in rows if row.official_split == official} == {expected}


def test_that_a_name_of_two_meanings_is_not_guessed():
    config = dataclasses.replace(CONFIG, train_splits=("A",), test_splits=("a",))
    rows = assign([*films(5, split="A"), *films(5, split="a")], config)
    assert {(row.official_split, row.split) for row in rows} >= {("a", "test")}
    assert {row.split for row in rows if row.official_split == "A"} <= {"train", "validation"}
    unclear = dataclasses.replace(CONFIG, train_splits=("AB",), test_splits=("ab",))
    assert {row.split for row in assign(films(5, split="Ab"), unclear)} == {""}


def test_that_the_val_films_of_a_users_own_data_are_validation_films():
    own = [dataclasses.replace(row, source="mine") for row in films(60, each=1)]
    val = [dataclasses.replace(row, source="mine") for row in films(20, each=1, split="val")]
    rows = assign([*own, *val, *films(9, split="test")], CONFIG)
    assert {row.split for row in rows if row.official_split == "val"} == {"validation"}
    assert {row.split for row in rows if row.source == "mine"} == {"train", "validation", "test"}


def test_that_a_users_few_val_films_are_used_for_training_and_it_is_said():
    own = [dataclasses.replace(row, source="mine") for row in films(400, each=1)]
    val = [dataclasses.replace(row, source="mine") for row in films(16, each=1, split="val")]
    rows = assign([*own, *val], CONFIG)
    assert "" not in {row.split for row in rows}
    (note,) = few_validation_notes([*own, *val], CONFIG)
    assert "The 16 official validation films of mine are too few" in note


def test_that_films_with_one_picture_are_moved_to_one_split_with_their_patients():
    rows = [dataclasses.replace(row, pixels_sha256=row.path) for row in assign(films(60), CONFIG)]
    tested = next(i for i, row in enumerate(rows) if row.split == "test")
    trained = next(i for i, row in enumerate(rows) if row.split == "train")
    rows[tested] = dataclasses.replace(rows[tested], pixels_sha256="same")
    rows[trained] = dataclasses.replace(rows[trained], pixels_sha256="same")
    together, moved = keep_together(rows, CONFIG)
    assert list(find_leaks(together)) == []
    assert {row.patient for row in moved} == {rows[tested].patient}
    assert {row.split for row in moved} == {"train"}
    others = {row.path: row.split for row in rows if row.patient != rows[tested].patient}
    assert others.items() <= {row.path: row.split for row in together}.items()


def test_that_a_picture_in_two_official_splits_stays_a_leak():
    rows = assign([*films(20), *films(20, split="test")], CONFIG)
    same = [dataclasses.replace(row, pixels_sha256="one") for row in (rows[0], rows[-1])]
    together, moved = keep_together([same[0], *rows[1:-1], same[1]], CONFIG)
    assert moved == ()
    assert [leak.kind for leak in find_leaks(together)] == ["same pixels"]


def test_that_a_film_without_official_split_joins_its_picture_among_the_test_films():
    rows = assign([*films(20), *films(20, split="test")], CONFIG)
    own = assign([dataclasses.replace(row, source="mine") for row in films(1, 1)], CONFIG)
    copy = dataclasses.replace(own[0], path="copy.png", patient="q", split="train",
                               official_split="", pixels_sha256="one")  # fmt: skip
    original = dataclasses.replace(rows[-1], pixels_sha256="one")
    together, _ = keep_together([*rows[:-1], original, copy], CONFIG)
    assert together[-1].split == "test"


def test_that_each_source_is_split_on_its_own():
    other = [dataclasses.replace(row, source="e") for row in films(200)]
    rows = assign([*films(50), *films(20, split="test"), *other], CONFIG)
    tested = {row.source: row.official_split for row in rows if row.split == "test"}
    assert tested == {"d": "test", "e": "train"}


def test_that_added_rows_move_no_patient():
    before = {row.path: row.split for row in assign(films(100), CONFIG)}
    after = {row.path: row.split for row in assign(reversed(films(300)), CONFIG)}
    assert before.items() <= after.items()


def test_that_official_test_films_stay_test_films_and_other_splits_are_not_used():
    rows = assign([*films(20, split="test"), *films(20, split="val")], CONFIG)
    assert {row.split for row in rows if row.official_split == "test"} == {"test"}
    assert {row.split for row in rows if row.official_split == "val"} == {""}


def test_that_a_patient_in_two_splits_is_refused_and_the_films_are_named():
    rows = assign([*films(30), *films(3, split="test")], CONFIG)
    shared = dataclasses.replace(rows[-1], patient=rows[0].patient)
    with pytest.raises(UsageError, match=r"same patient: .*test2-2\.png \[test\]"):
        check([*rows[:-1], shared], CONFIG)


def test_that_a_picture_in_two_splits_is_refused_unless_allowed():
    rows = [dataclasses.replace(r, pixels_sha256=r.path) for r in assign(films(30), CONFIG)]
    held_out = next(row for row in rows if row.split == "validation")
    copy = FilmRow("copy.png", "d", "other", ("normal",), "train", split="train",
                   pixels_sha256=held_out.pixels_sha256)  # fmt: skip
    with pytest.raises(UsageError, match="same pixels"):
        check([*rows, copy], CONFIG)
    allowed = dataclasses.replace(CONFIG, leaks="allow")
    assert [leak.kind for leak in check([*rows, copy], allowed)] == ["same pixels"]


def test_that_copies_within_a_split_are_not_a_leak():
    rows = [dataclasses.replace(row, pixels_sha256="one") for row in films(5)]
    assert list(find_leaks([dataclasses.replace(row, split="train") for row in rows])) == []


def test_that_the_manifest_hash_depends_on_films_and_labels_but_not_on_order():
    rows = tuple(assign(films(5), CONFIG))
    other = dataclasses.replace(rows[0], labels=("viral pneumonia",))
    assert Manifest(rows).sha256 == Manifest(rows[::-1]).sha256
    assert Manifest(rows).sha256 != Manifest((other, *rows[1:])).sha256


@pytest.mark.films
def test_that_the_development_films_do_not_leak(
    films_dir: Path, tiny_config: TrainingConfig, tmp_path: Path
):
    from training.data.films import select_rows

    rows, omitted = select_rows(tiny_config, films_dir)
    assert list(find_leaks(rows)) == []
    assert len(rows) == 5840
    assert {o.code for o in omitted} == {"UNUSED_SPLIT"}
    assert sum(row.split == "test" for row in rows) == 624


def test_that_unreadable_films_are_omitted_with_a_reason(
    tiny_config: TrainingConfig, tmp_path: Path
):
    from tests.training.conftest import make_data

    folder = make_data(tmp_path / "data", train=24, test=4)
    (folder / "films/train-03.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    (folder / "films/train-04.png").unlink()
    found = load_films(tiny_config, folder, tmp_path / "cache")
    assert [o.path for o in found.manifest.omitted] == ["films/train-03.png", "films/train-04.png"]
    assert all(o.why for o in found.manifest.omitted)
    assert len(found.manifest.rows) == len(found.greys_NHW) == len(found.targets_NK) == 26
