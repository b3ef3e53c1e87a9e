"""`xrayview readers`: tables and messages of a reader study."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from xrayview import cli
from xrayview.errors import ExitCode

HEADER = "reader,condition,film,truth,rating"
RATINGS = {
    ("MK", "film"): (4, 3, 2, 1),
    ("AB", "film"): (3, 4, 1, 2),
    ("MK", "film and AI"): (4, 2, 3, 1),
    ("AB", "film and AI"): (4, 1, 2, 3),
}


def rows() -> list[str]:
    return [
        f"{reader},{condition},f{film},{int(film < 2)},{rating}"
        for (reader, condition), ratings in RATINGS.items()
        for film, rating in enumerate(ratings)
    ]


def run(tmp_path: Path, lines: list[str], *more: str) -> int:
    table = tmp_path / "readings.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    return cli.main(["readers", str(table), "--out", str(tmp_path / "out"), *more])


def test_that_the_tables_have_the_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, [HEADER, *rows()]) == ExitCode.OK
    with (tmp_path / "out" / "readers.csv").open(encoding="utf-8") as file:
        auc = {(row["condition"], row["reader"]): row["value"] for row in csv.DictReader(file)}
    assert auc == {
        ("film", "AB"): "1.0",
        ("film", "MK"): "1.0",
        ("film and AI", "AB"): "0.5",
        ("film and AI", "MK"): "0.75",
    }
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["mean_auc"] == [1.0, 0.625]
    assert metrics["test"]["f"] == pytest.approx(1.0)
    assert "Difference film - film and AI: 0.3750" in capsys.readouterr().out


def test_that_a_film_without_all_ratings_is_left_out_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, [HEADER, *rows(), "MK,film,f9,1,4"]) == ExitCode.OK
    assert "1 film left out, since a rating is missing: f9" in capsys.readouterr().err


def test_that_columns_of_other_names_are_found_or_named(tmp_path: Path) -> None:
    header = "Observer;treatment;case;reference;grade"
    lines = [header, *(row.replace(",", ";") for row in rows())]
    assert run(tmp_path, lines) == ExitCode.USAGE
    assert run(tmp_path, lines, "--column", "rating=grade") == ExitCode.OK


def test_that_earlier_results_are_kept(tmp_path: Path) -> None:
    run(tmp_path, [HEADER, *rows()])
    table = tmp_path / "out" / "readers.csv"
    table.write_text("my notes", encoding="utf-8")
    run(tmp_path, [HEADER, *rows()])
    kept = list(table.parent.glob("readers.*.csv"))
    assert [p.read_text(encoding="utf-8") for p in kept] == ["my notes"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("MK,film,f0,1,", "Line 18 has the rating ''"),
        ("MK,film,f9,maybe,1", "Line 18 has the truth 'maybe'"),
        (",film,f9,1,1", "Line 18 has no reader"),
        ("MK,film,f0,1,2", "Line 18 rates f0 again after line 2"),
        ("MK,film,f0,0,4", "Line 18 contradicts the truth of f0"),
        ("MK,film,f0,1,inf", "Line 18 has the rating 'inf'"),
    ],
)
def test_that_a_wrong_line_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    assert run(tmp_path, [HEADER, *rows(), line]) == ExitCode.USAGE
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["reader,film,rating"], "no column for the truth"),
        ([HEADER], "no readings"),
        ([HEADER, *rows()[:4]], "at least two readers"),
        ([HEADER, "A,x,f1,1,1", "B,x,f2,0,1"], "No film was rated by every reader"),
    ],
)
def test_that_an_unfit_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], message: str
) -> None:
    assert run(tmp_path, lines) == ExitCode.USAGE
    assert message in capsys.readouterr().err


def test_that_a_column_option_must_name_a_role(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, [HEADER, *rows()], "--column", "grade") == ExitCode.USAGE
    assert "Write ROLE=NAME" in capsys.readouterr().err
