"""`index` and `classify --films` from the command line: options, output, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundles import write_bundle
from tests.unit.batch.test_shards import write_films
from xrayview.cli import main
from xrayview.errors import ExitCode
from xrayview.io.tables.predictions import read_predictions

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("models") / "tiny.pt")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    return write_films(tmp_path / "films")


def test_that_an_index_is_classified_shard_by_shard(
    films: Path, model: Path, tmp_path: Path, capsys: Captured
) -> None:
    index, key = tmp_path / "i.parquet", str(tmp_path / "project.key")
    arguments = ["index", str(films), "--out", str(index), "--identity-key", key, "--workers", "1"]
    assert main(arguments) == ExitCode.OK
    assert "13 files, 11 films" in capsys.readouterr().err
    common = ["classify", "--films", str(index), "--model", str(model), "--trust-model"]
    common += ["--device", "cpu", "--workers", "1", "--identity-key", key]
    rows = 0
    for k in (1, 2):
        part = tmp_path / f"part-{k}.parquet"
        code = main([*common, "--shard", f"{k}/2", "--out", str(part)])
        found = read_predictions(part).rows
        failed = any(row["status"] in ("error", "refused") for row in found)
        assert code == (ExitCode.SOME_FAILED if failed else ExitCode.OK)
        rows += len(found)
    assert rows == 15


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Name a folder or an index"),
        (["FOLDER", "--films", "INDEX"], "Name a folder or an index"),
        (["FOLDER", "--shard", "1/2"], "--shard needs an index"),
        (["--films", "INDEX", "--shard", "3/2"], "Not a shard"),
        (["--films", "INDEX"], "Not an index of films"),
        (["--films", "nowhere"], "No such file or folder"),
    ],
)
def test_that_contradicting_options_are_refused(
    arguments: list[str], text: str, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "INDEX").write_text("not one")
    given = [str(tmp_path / word) if word.isupper() else word for word in arguments]
    assert main(["classify", *given, "--out", str(tmp_path / "p.csv")]) == ExitCode.USAGE
    assert text in capsys.readouterr().err
    assert not (tmp_path / "p.csv").exists()
