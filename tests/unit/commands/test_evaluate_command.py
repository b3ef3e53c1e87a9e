"""`xrayview evaluate`: a table of predictions against labels, with values worked out by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from xrayview import cli
from xrayview.errors import ExitCode
from xrayview.io.tables.predictions import columns

FINDINGS = ("Normal", "Pneumonia")
SCORES = {"a": 0.9, "b": 0.8, "c": 0.6, "d": 0.4, "e": 0.2, "f": 0.1}
PRESENT = {"a", "b", "d"}
"""At 0.5: a, b are found, d is missed, c is a false positive. Of 9 pairs, 8 are in order."""


def row(name: str, score: float | None, label: str = "", **cells: str) -> dict[str, str]:
    values = dict.fromkeys(columns(FINDINGS), "")
    values |= {
        "path": f"{name}.png", "status": "ok", "sha256": name, "frame": "0", "label": label,
        "model_name": "lungs", "model_version": "1.0", "threshold_Normal": "0.5",
        "threshold_Pneumonia": "0.5",
    }  # fmt: skip
    if score is not None:
        values |= {"score_Pneumonia": repr(score), "score_Normal": repr(1 - score)}
    return values | cells


def films() -> list[dict[str, str]]:
    return [row(n, s, "Pneumonia" if n in PRESENT else "Normal") for n, s in SCORES.items()]


def evaluate(tmp_path: Path, rows: list[dict[str, str]], *more: str) -> int:
    with (tmp_path / "predictions.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns(FINDINGS))
        writer.writeheader()
        writer.writerows(rows)
    table, out = str(tmp_path / "predictions.csv"), str(tmp_path / "out")
    return cli.main(["evaluate", table, "--out", out, *more])


def metrics(tmp_path: Path) -> dict[str, float]:
    data = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    return {name: m["value"] for name, m in data["findings"][0]["metrics"].items()}


def lines(tmp_path: Path, name: str) -> list[dict[str, str]]:
    with (tmp_path / "out" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_values_that_are_worked_out_by_hand(tmp_path: Path) -> None:
    assert evaluate(tmp_path, films(), "--prevalence", "0.2") == ExitCode.OK
    found = metrics(tmp_path)
    assert found["AUC"] == pytest.approx(8 / 9)
    assert found["Sensitivity"] == found["Specificity"] == pytest.approx(2 / 3)
    assert found["PPV"] == found["NPV"] == pytest.approx(2 / 3)
    # (2/3 * 0.2) / (2/3 * 0.2 + 1/3 * 0.8) and (2/3 * 0.8) / (2/3 * 0.8 + 1/3 * 0.2)
    assert found["PPV at a prevalence of 0.2"] == pytest.approx(1 / 3)
    assert found["NPV at a prevalence of 0.2"] == pytest.approx(8 / 9)
    assert found["Brier score"] == pytest.approx((0.01 + 0.04 + 0.36 + 0.36 + 0.04 + 0.01) / 6)
    wrong = [(line["kind"], line["film"]) for line in lines(tmp_path, "wrong_films.csv")]
    assert wrong == [("false negative", "d.png"), ("false positive", "c.png")]


def test_that_another_threshold_moves_what_depends_on_it(tmp_path: Path) -> None:
    assert evaluate(tmp_path, films(), "--threshold", "Pneumonia=0.3") == ExitCode.OK
    found = metrics(tmp_path)
    assert found["Sensitivity"] == 1
    assert found["AUC"] == pytest.approx(8 / 9)


def test_that_the_page_is_complete_in_itself(tmp_path: Path) -> None:
    evaluate(tmp_path, films())
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    for outside in ("http://", "https://", "<script", "<link"):
        assert outside not in page.replace("http://www.w3.org/2000/svg", "")


def test_that_films_left_out_are_listed_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        *films(),
        row("g", None, "Normal", status="error"),
        row("h", 0.5),
        row("i", 0.5, "pneumonia?"),
        row("copy", 0.9, "Pneumonia", sha256="a"),
        row("j", 0.5, "Normal"),
        row("k", 0.5, "Pneumonia", sha256="j"),
    ]
    assert evaluate(tmp_path, rows) == ExitCode.OK
    left_out = {line["film"]: line["reason"] for line in lines(tmp_path, "not_compared.csv")}
    assert left_out == {
        "g.png": "no score",
        "h.png": "no label",
        "i.png": "label not understood",
        "j.png": "different labels",
        "k.png": "different labels",
    }
    message = capsys.readouterr().err
    assert "Label not understood: pneumonia? (1 film)" in message
    assert "1 row of the same content counted once" in message
    assert metrics(tmp_path)["AUC"] == pytest.approx(8 / 9)


def test_that_labels_come_from_a_table_or_from_folders(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    text = "".join(f"{n}.png,{'Pneumonia' if n in PRESENT else 'Normal'}\n" for n in SCORES)
    labels.write_text("path,label\n" + text, encoding="utf-8")
    plain = [row(n, s) for n, s in SCORES.items()]
    assert evaluate(tmp_path, plain, "--labels", str(labels)) == ExitCode.OK
    assert metrics(tmp_path)["AUC"] == pytest.approx(8 / 9)
    sorted_films = [
        row(n, s, path=f"x/{'PNEUMONIA' if n in PRESENT else 'NORMAL'}/{n}.png")
        for n, s in SCORES.items()
    ]
    assert evaluate(tmp_path, sorted_films, "--folder-names") == ExitCode.OK
    assert metrics(tmp_path)["AUC"] == pytest.approx(8 / 9)


def test_that_films_of_one_patient_are_drawn_together(tmp_path: Path) -> None:
    """With one patient per class the bootstrap has no spread; with six films it has."""
    paired = [
        row(n, s, "Pneumonia" if n in PRESENT else "Normal", PatientID=str(n in PRESENT))
        for n, s in SCORES.items()
    ]
    assert evaluate(tmp_path, paired) == ExitCode.OK
    data = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    area = data["findings"][0]["metrics"]["AUC"]
    assert area["low"] == area["high"] == area["value"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--finding", "Effusion"), "no finding 'Effusion'"),
        (("--threshold", "Pneumonia"), "Write FINDING=VALUE"),
        (("--threshold", "Effusion=0.5"), "Write FINDING=VALUE"),
    ],
)
def test_that_unknown_names_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, str], message: str
) -> None:
    assert evaluate(tmp_path, films(), *more) == ExitCode.USAGE
    assert message in capsys.readouterr().err


def test_that_a_table_without_labels_writes_nothing(tmp_path: Path) -> None:
    assert evaluate(tmp_path, [row("a", 0.5)]) == ExitCode.NOTHING_USABLE
    assert not (tmp_path / "out").exists()


def test_that_several_thresholds_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = films()
    rows[0]["threshold_Pneumonia"] = "0.7"
    assert evaluate(tmp_path, rows) == ExitCode.USAGE
    assert "several thresholds for Pneumonia" in capsys.readouterr().err


def test_that_a_second_model_is_compared_on_the_same_films(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Films are found by their content in another folder; f has no score there."""
    second = tmp_path / "second.csv"
    scores = SCORES | {"a": 0.3, "e": 0.7}
    rows = [row(n, s, model_name="other", path=f"moved/{n}.png") for n, s in scores.items()]
    rows[-1] = row("f", None, status="error", model_name="other")
    with second.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns(FINDINGS))
        writer.writeheader()
        writer.writerows(rows)
    assert evaluate(tmp_path, films(), "--against", str(second)) == ExitCode.OK
    data = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    against = data["findings"][0]["against"]
    assert (against["model"], against["n"], against["films_absent"]) == ("other 1.0", 5, 1)
    # Of six pairs of a, b, d with c, e: the first orders 5, the second b-c, b-e, and no other.
    assert against["first_auc"] == pytest.approx(5 / 6)
    assert against["second_auc"] == pytest.approx(2 / 6)
    assert (against["calls"]["only_first"], against["calls"]["only_second"]) == (2, 0)
    differ = [
        line["film"] for line in lines(tmp_path, "differences.csv") if line["calls_differ"] == "1"
    ]
    assert sorted(differ) == ["a.png", "e.png"]
    assert "Difference of AUC from other 1.0: 0.500" in capsys.readouterr().out
