"""The pointing game: peaks of a network whose heat map is worked out by hand, and boxes."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.bundles import write_bundle
from tests.training.data.layouts.miniatures import table
from training import cli
from training.evaluation.model_films import ModelFilms
from training.evaluation.models import EvaluatedModel
from training.evaluation.pointing import boxes_by_film, covered, is_inside
from training.recipes import recipe
from xrayview.domain.model import Finding
from xrayview.errors import ExitCode
from xrayview.io.model.bundle import read_card

RECIPE = """
[data]
reader = "rsna"
[target]
negative_labels = ["Normal"]
[[target.findings]]
name = "Lung Opacity"
labels = ["Lung Opacity"]
[preprocessing]
size = [64, 64]
[evaluation]
bootstrap = 50
[bundle]
name = "tiny"
version = "1"
description = "d"
intended_use = "u"
limitations = "l"
"""


def write_bright(path: Path, top: int, left: int) -> None:
    """Write a film of 128 x 128 with one bright square of 16 x 16."""
    pixels = np.full((128, 128), 40, np.uint8)
    pixels += np.random.default_rng(0).integers(0, 9, (128, 128)).astype(np.uint8)
    pixels[top : top + 16, left : left + 16] = 250
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three films with boxes: one around the bright square, two boxes of which one is, one not."""
    rows: list[tuple[object, ...]] = [("patientId", "x", "y", "width", "height", "Target")]
    for name, boxes in {
        "a": [(30, 62, 20, 20)], "b": [(0, 0, 8, 8), (32, 64, 16, 16)], "c": [(90, 90, 16, 32)],
        "d": [],
    }.items():  # fmt: skip
        write_bright(tmp_path / f"data/films/{name}.png", 64, 32)
        rows += [(name, *box, 1) for box in boxes] or [(name, "", "", "", "", 0)]
    table(tmp_path / "data/labels of boxes.csv", *rows)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path / "data"


def point(data: Path, *more: str) -> int:
    folder = data.parent
    bundle = write_bundle(folder / "tiny.pt", findings=(Finding("Lung Opacity", ""),))
    return cli.main(["point", str(bundle), "--data", str(data), "--split", "all", "--recipe",
                     str(folder / "recipe.toml"), "--out", str(folder / "out"), *more])  # fmt: skip


def test_that_a_peak_in_any_box_is_a_hit(data: Path, capsys: pytest.CaptureFixture[str]):
    assert point(data) == ExitCode.OK, capsys.readouterr().err
    report = json.loads((data.parent / "out/pointing.json").read_text())
    result = report["findings"]["Lung Opacity"]
    assert (result["hits"]["value"], result["hits"]["n"]) == (2 / 3, 3)
    areas = (20 * 20, 8 * 8 + 16 * 16, 16 * 32)
    assert result["random_point"] == pytest.approx(sum(areas) / 3 / 128**2)
    with (data.parent / "out/pointing.csv").open(newline="") as stream:
        rows = {Path(row["path"]).stem: row for row in csv.DictReader(stream)}
    assert {name: row["hit"] for name, row in rows.items()} == {"a": "1", "b": "1", "c": "0"}
    for row in rows.values():
        assert 32 <= float(row["x"]) <= 48
        assert 64 <= float(row["y"]) <= 80
    assert "0.667" in capsys.readouterr().out
    with (data.parent / "out/pointing.csv").open("a") as stream:
        stream.write("a note of a person\n")
    assert point(data) == ExitCode.OK
    (copy,) = (data.parent / "out").glob("pointing.*-*.csv")
    assert "a note of a person" in copy.read_text()


def test_that_data_without_boxes_is_refused(data: Path, capsys: pytest.CaptureFixture[str]):
    table(data / "labels of boxes.csv", ("patientId", "x", "y", "width", "height", "Target"),
          ("a", "", "", "", "", 1), ("d", "", "", "", "", 0))  # fmt: skip
    assert point(data) == ExitCode.NOTHING_USABLE
    assert "has a box of Lung Opacity" in capsys.readouterr().err


def test_that_boxes_of_other_findings_do_not_count(data: Path):
    film = "00000001_000.png"
    write_bright(data.parent / f"nih/{film}", 64, 32)
    table(data.parent / "nih/Data_Entry.csv", ("Image Index", "Finding Labels", "Patient ID"),
          (film, "Mass|Edema", 1))  # fmt: skip
    table(data.parent / "nih/BBox_List.csv", ("Image Index", "Finding Label", "x", "y", "w", "h"),
          (film, "Mass", 256, 512, 128, 128), (film, "Edema", 0, 0, 64, 64))  # fmt: skip
    text = RECIPE.replace('"rsna"', '"nih"').replace("Lung Opacity", "Mass")
    (data.parent / "recipe.toml").write_text(text + "\n")
    config = recipe(str(data.parent / "recipe.toml"))
    target = replace(config.target, other_labels="ignore")
    bundle = write_bundle(data.parent / "tiny.pt", findings=(Finding("Mass", ""),))
    model = EvaluatedModel(bundle, read_card(bundle), replace(config, target=target))
    films = ModelFilms(model, data.parent / "nih")
    (own,) = boxes_by_film(films, target, films.part("all")).values()
    assert [(box.finding, box.x) for box in own["Mass"]] == [("Mass", 256)]


def test_that_overlapping_boxes_cover_their_union_and_edges_are_inside():
    boxes = [(0.0, 0.0, 4.0, 4.0), (2.0, 2.0, 4.0, 4.0), (9.0, 9.0, 5.0, 5.0)]
    assert covered(boxes, (10, 10)) == (16 + 16 - 4 + 1) / 100
    assert is_inside(4.0, 0.0, boxes)
    assert not is_inside(7.0, 7.0, boxes)
    assert not is_inside(math.nan, math.nan, boxes)
