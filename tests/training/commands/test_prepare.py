"""`prepare`: manifest, cache and leaks of a recipe's films, without training."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.training.conftest import TINY, make_data
from training.cli import main
from xrayview.errors import ExitCode


def run_prepare(data: Path, out: Path, *settings: str) -> int:
    options = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
    return main(
        ["prepare", "normal-pneumonia-small", "--data", str(data), "--runs", str(out), *options]
    )


def test_that_prepare_writes_manifest_cache_and_leaks_without_a_run(tmp_path: Path):
    out = tmp_path / "runs"
    assert run_prepare(make_data(tmp_path / "data"), out) == ExitCode.OK
    folder = out / "prepared" / "normal-pneumonia-small"
    assert {path.name for path in folder.iterdir()} == {
        "manifest.csv", "omitted.csv", "leaks.csv", "data.json",
    }  # fmt: skip
    summary = json.loads((folder / "data.json").read_text())
    assert summary["counts"]["test"]["films"] == 12
    assert summary["leaks"] == {}
    assert {path.suffix for path in (out / "cache").iterdir()} == {".npy", ".json"}
    assert sorted(path.name for path in out.iterdir()) == ["cache", "prepared"]


def test_that_prepare_lists_leaks_before_it_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = make_data(tmp_path / "data")
    films = data / "films"
    (films / "test-32.png").write_bytes((films / "train-00.png").read_bytes())
    assert run_prepare(data, tmp_path) == ExitCode.USAGE
    with (tmp_path / "prepared/normal-pneumonia-small/leaks.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert {row["path"] for row in found} == {"films/train-00.png", "films/test-32.png"}
    assert {row["kind"] for row in found} == {"same pixels"}
    assert "1 leaks between splits" in capsys.readouterr().err
    assert run_prepare(data, tmp_path, "data.leaks=allow") == ExitCode.OK
