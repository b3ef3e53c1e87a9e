"""Flow of films with every exclusion, Table 1, and the items of the checklists."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.config import TrainingConfig
from training.data.manifest import FilmRow, Omission, read_omissions, write_omissions
from training.report.checklists import _FACTS, _ITEMS_CLAIM, _ITEMS_TRIPOD
from training.report.films import flow, table_one


def film(number: int, split: str, **fields: str) -> FilmRow:
    label = ("normal", "pneumonia")[number % 2]
    return FilmRow(f"{number}.png", "here", f"p{number // 2}", (label,), "", split=split, **fields)


ROWS = [
    film(0, "train", sex="F", age="040Y", view="PA"),
    film(1, "train", sex="F", age="40", view="PA"),
    film(2, "train", sex="M", age="060Y", view="AP"),
    film(3, "train", view="AP"),
    film(4, "validation", sex="x"),
    film(5, "test", sex="male", age="5Y"),
]


def test_that_the_flow_counts_every_film_and_patient_once():
    omitted = [
        Omission("a.png", "LATERAL", "a lateral film", "p0"),
        Omission("b.png", "LATERAL", "a lateral film", "p9"),
        Omission("c.png", "CONFLICT", "two labels", "p9"),
    ]
    steps = [(step.text, step.films, step.patients, step.level) for step in flow(ROWS, omitted)]
    assert steps == [
        ("listed in the data", 9, 4, 0),
        ("left out, LATERAL: a lateral film (2 films)", 2, 2, 1),
        ("left out, CONFLICT: two labels (1 film)", 1, 1, 1),
        ("used", 6, 3, 0),
        ("train", 4, 2, 1),
        ("validation", 1, 1, 1),
        ("test", 1, 1, 1),
    ]


def test_that_unknown_patients_are_not_counted():
    steps = list(flow(ROWS, [Omission("a.png", "DECODE_FAILED", "damaged")]))
    assert [step.patients for step in steps[:3]] == [None, None, 3]


def test_that_table_1_describes_each_split(tiny_config: TrainingConfig):
    table = table_one(ROWS, [film(5, "test")], tiny_config.target)
    assert table.columns == ("train", "validation", "test")
    cells = {(row.attribute, row.value): row.cells for row in table.rows}
    assert cells["films", ""] == ("4", "1", "1")
    assert cells["patients", ""] == ("2", "1", "1")
    assert cells["age in years", "median (quartiles)"] == (
        "40 (40-50), 1 not stated", "not stated", "5 (5-5)"
    )  # fmt: skip
    assert cells["sex", "female"] == ("2 (50%)", "0 (0%)", "0 (0%)")
    assert cells["sex", "not stated"] == ("1 (25%)", "1 (100%)", "0 (0%)")
    assert cells["view", "AP"] == ("2 (50%)", "0 (0%)", "0 (0%)")
    assert cells["finding", "Pneumonia"] == ("2 (50%)", "0 (0%)", "1 (100%)")


def test_that_other_data_has_a_column_of_its_own(tiny_config: TrainingConfig):
    table = table_one(ROWS, [film(7, "all", sex="F")], tiny_config.target)
    assert table.columns == ("train", "validation", "test", "evaluated")
    assert table_one([], [film(7, "test")], tiny_config.target).columns == ("evaluated",)


def test_that_rare_values_are_counted_together(tiny_config: TrainingConfig):
    rows = [film(n, "train", manufacturer=f"maker {n}") for n in range(9)]
    table = table_one(rows, [], tiny_config.target)
    values = [row.value for row in table.rows if row.attribute == "manufacturer"]
    assert len(values) == 7
    assert values[-1] == "3 other values"


def test_that_omitted_films_are_read_back(tmp_path: Path):
    omitted = (Omission("a.png", "LATERAL", "a lateral film", "p0"), Omission("b", "COPY", "x, y"))
    write_omissions(omitted, tmp_path / "omitted.csv")
    assert read_omissions(tmp_path / "omitted.csv") == omitted
    (tmp_path / "old.csv").write_text("path,code,why\na.png,LATERAL,a lateral film\n")
    assert read_omissions(tmp_path / "old.csv")[0].patient == ""


@pytest.mark.parametrize(
    ("items", "first", "last", "count"),
    [(_ITEMS_CLAIM, "1", "44", 44), (_ITEMS_TRIPOD, "1", "27c", 52)],
)
def test_that_a_checklist_has_all_items_and_known_facts(
    items: str, first: str, last: str, count: int
):
    lines = [[part.strip() for part in line.split("|")] for line in items.strip().splitlines()]
    numbers = [number for number, _, _ in lines]
    assert (numbers[0], numbers[-1], len(set(numbers))) == (first, last, count)
    assert all(topic for _, topic, _ in lines)
    assert {fact for _, _, fact in lines} <= {"", *_FACTS}
