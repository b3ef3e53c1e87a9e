"""Rows of one film: equal ones count once, different ones are a conflict or are voted on."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.conftest import HEADER, write_film
from training.config import DataConfig, TrainingConfig, with_overrides
from training.data.films import gather_films, list_rows, load_films, select_rows
from training.data.manifest import FilmRow
from training.data.merging import contradictory_labels, merge_rows, pixel_conflicts
from training.recipes import recipe
from xrayview.errors import NothingUsable, UsageError

TARGET = recipe("multilabel-densenet121").target
READERS = DataConfig(votes="majority")


def film(*labels: str, unknown: tuple[str, ...] = (), path: str = "a.png", **more: str) -> FilmRow:
    fields = {"source": "d", "patient": "p", "official_split": ""} | more
    return FilmRow(path=path, labels=labels, unknown_labels=unknown, **fields)


def votes(rule: str, *rows: FilmRow) -> tuple[set[str], set[str]]:
    data = replace(READERS, votes=rule)
    (merged,) = merge_rows(rows, data, TARGET).rows
    return set(merged.labels), set(merged.unknown_labels)


def test_that_equal_rows_count_once_whatever_their_spelling():
    rows = [
        film("Pleural_Thickening", "Mass"),
        film("mass", "pleural thickening"),
        film("Mass", path="b.png"),
    ]
    merged = merge_rows([*rows, *rows], DataConfig(), TARGET)
    assert [(row.path, row.labels) for row in merged.rows] == [
        ("a.png", ("Pleural_Thickening", "Mass")), ("b.png", ("Mass",)),
    ]  # fmt: skip
    assert (merged.repeated, merged.conflicts) == (4, ())


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (film("Edema"), "different labels for one film"),
        (film("Mass", unknown=("Edema",)), "different labels for one film"),
        (film("Mass", official_split="test"), "different splits for one film"),
        (film("Mass", patient="q"), "different patients for one film"),
    ],
)
def test_that_a_contradiction_is_a_conflict_and_never_the_last_row(other: FilmRow, kind: str):
    first = film("Mass", official_split="train")
    merged = merge_rows([first, other, first], DataConfig(), TARGET)
    assert merged.rows == ()
    assert [conflict.kind for conflict in merged.conflicts] == [kind]
    assert {row.path for row in merged.conflicts[0].rows} == {"a.png"}


def test_that_a_row_completes_what_another_does_not_state():
    rows = [
        film("Mass", patient="film:a.png"),
        film("Mass", sex="F", official_split="test", patient="p"),
    ]
    (merged,) = merge_rows(rows, DataConfig(), TARGET).rows
    assert (merged.patient, merged.sex, merged.official_split) == ("p", "F", "test")


def test_that_readers_are_merged_by_the_stated_vote():
    rows = film("No Finding"), film("Nodule"), film("No Finding")
    assert votes("majority", *rows) == ({"No Finding"}, set())
    assert votes("any", *rows) == ({"Nodule"}, set())
    assert votes("all", *rows) == ({"No Finding"}, set())
    assert votes("majority", *rows[:2]) == (set(), {"Nodule"})
    assert votes("any", film("Mass"), film("Edema"), film("Mass")) == ({"Mass", "Edema"}, set())


def test_that_open_votes_decide_nothing():
    rows = film("Mass"), film(unknown=("Mass",)), film(unknown=("Mass",))
    assert votes("majority", *rows) == ({"Mass"}, set())
    assert votes("all", *rows) == (set(), {"Mass"})
    assert votes("any", film(unknown=("Mass",)), film("Edema")) == ({"Edema"}, {"Mass"})


def test_that_no_finding_beside_a_finding_is_a_conflict_but_not_beside_a_device():
    rows = [
        film("No Finding", "Mass"), film("No Finding", path="b.png"),
        film("No Finding", "Support Devices", path="c.png"),
    ]  # fmt: skip
    assert [c.rows[0].path for c in contradictory_labels(rows, TARGET)] == ["a.png"]


def test_that_the_same_pixels_with_other_labels_are_a_conflict_for_this_target():
    target = recipe("normal-pneumonia-small").target
    rows = [
        replace(film(label, path=f"{i}.png"), pixels_sha256=pixels)
        for i, (label, pixels) in enumerate(
            [("normal", "x"), ("pneumonia", "x"), ("pneumonia", "y"), ("viral pneumonia", "y")]
        )
    ]
    (conflict,) = pixel_conflicts(rows, target)
    assert [row.path for row in conflict.rows] == ["0.png", "1.png"]


def table(folder: Path, rows: list[tuple[str, str, str]], films: int = 12) -> Path:
    """Write films 0.png ... and a table of (path, label, split)."""
    for number in range(films):
        write_film(folder / f"{number}.png", number, bright=bool(number % 2))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(
            (p, "kermany", s, label, "c" + p.replace("\\", "/").rpartition("/")[2], "", "", "AP")
            for p, label, s in rows
        )
    return folder


BASE = [
    (f"{n}.png", ("normal", "pneumonia")[n % 2], "test" if n > 7 else "train") for n in range(12)
]


def test_that_repeated_rows_of_a_table_change_no_film(tiny_config: TrainingConfig, tmp_path: Path):
    once = list_rows(tiny_config, table(tmp_path, BASE))
    again = list_rows(tiny_config, table(tmp_path, [*BASE, *BASE[8:] * 3]))
    assert again.rows == once.rows
    assert again.notes == (*once.notes, "12 rows repeat a film with the same label and count once.")


def test_that_one_path_in_two_spellings_is_one_film(tiny_config: TrainingConfig, tmp_path: Path):
    spelled = [("./0.png", "normal", "train"), (".\\1.png", "pneumonia", "train")]
    found = list_rows(tiny_config, table(tmp_path, [*BASE, *spelled]))
    assert len(found.rows) == 12
    with pytest.raises(UsageError, match=r"different labels for one film: 0\.png"):
        select_rows(tiny_config, table(tmp_path, [*BASE, ("x/../0.png", "pneumonia", "train")]))


def test_that_conflicts_are_refused_with_the_films_or_left_out(
    tiny_config: TrainingConfig, tmp_path: Path
):
    data = table(tmp_path, [*BASE, ("8.png", "pneumonia", "test"), ("9.png", "normal", "test")])
    with pytest.raises(
        UsageError, match=r"(?s)2 conflicts .*8\.png \[normal\], 8\.png \[pneumonia"
    ) as refused:
        select_rows(tiny_config, data)
    assert "data.votes=majority" in refused.value.hint
    rows, omitted = select_rows(with_overrides(tiny_config, ["data.conflicts=leave_out"]), data)
    assert len(rows) == 10
    assert {(o.path, o.code) for o in omitted} == {("8.png", "CONFLICT"), ("9.png", "CONFLICT")}


def test_that_a_copy_in_another_class_is_refused_or_left_out(
    tiny_config: TrainingConfig, tmp_path: Path
):
    data = table(tmp_path / "data", [*BASE, ("copy.png", "pneumonia", "train")])
    (data / "copy.png").hardlink_to(data / "0.png")
    with pytest.raises(UsageError, match=r"same pixels, different labels: 0\.png.*copy\.png"):
        load_films(tiny_config, data, tmp_path / "cache")
    config = with_overrides(tiny_config, ["data.conflicts=leave_out"])
    films = load_films(config, data, tmp_path / "cache")
    assert len(films.manifest.rows) == len(films.greys_NHW) == len(films.targets_NK) == 11
    assert {o.code for o in films.manifest.omitted} == {"CONFLICT"}


def test_that_the_same_pixels_stay_on_one_side_of_a_split(
    tiny_config: TrainingConfig, tmp_path: Path
):
    names = [f"{n}.png" for n in range(12)]
    rows = [(name, ("normal", "pneumonia")[n % 2], "") for n, name in enumerate(names)]
    copies = [(f"copy{name}", label, "") for name, label, _ in rows]
    data = table(tmp_path / "data", [*rows, *copies])
    for name in names:
        (data / f"copy{name}").write_bytes((data / name).read_bytes())
    films = gather_films(tiny_config, data, tmp_path / "cache")
    split = {row.path: row.split for row in films.manifest.rows}
    assert all(split[name] == split[f"copy{name}"] for name in names)
    assert films.leaks == ()
    assert "to be with films of the same pixels" in films.manifest.notes[-1]


def test_that_a_table_of_conflicts_only_names_them(tiny_config: TrainingConfig, tmp_path: Path):
    rows = [(f"{n}.png", label, "") for n in range(4) for label in ("normal", "pneumonia")]
    data = table(tmp_path / "data", rows)
    with pytest.raises(UsageError, match="4 conflicts between labels"):
        gather_films(tiny_config, data, tmp_path / "cache")
    left_out = with_overrides(tiny_config, ["data.conflicts=leave_out"])
    with pytest.raises(NothingUsable, match="different labels for one film"):
        gather_films(left_out, data, tmp_path / "cache")
