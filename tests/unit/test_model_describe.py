"""`model describe` from end to end: TorchScript files with a card beside them, and their faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bundles import BROKEN, Tiny, export, network_for, tiny_card
from xrayview.cli import main
from xrayview.domain.model import Finding
from xrayview.errors import ExitCode
from xrayview.io.bundle import card_to_json, sha256_of

Captured = pytest.CaptureFixture[str]


def beside_its_card(folder: Path, kind: type[Tiny], **options: tuple[str, ...]) -> Path:
    """A TorchScript file without a card inside, and `NAME.card.json` beside it."""
    # A softmax of one output is 1 whatever it is asked.
    findings = (Finding("Opacity"), Finding("Mass"))
    card = tiny_card(task="multilabel", findings=findings)
    path = export(network_for(card, kind), folder / "foreign.pt", card, extra={}, **options)
    (folder / "foreign.card.json").write_text(json.dumps(card_to_json(card)))
    return path


def described(path: Path, capsys: Captured, *more: str) -> tuple[int, dict[str, object]]:
    code = main(["model", "describe", str(path), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_that_a_file_beside_its_card_is_described(tmp_path: Path, capsys: Captured) -> None:
    path = beside_its_card(tmp_path, Tiny)
    code, told = described(path, capsys, "--trust-model")
    assert code == ExitCode.OK
    assert told["card"] == json.loads((tmp_path / "foreign.card.json").read_text())
    assert told["sha256"] == sha256_of(path)
    assert told["gate"] == {"checks_likeness": False}
    assert str(told["contract"]).startswith("kept on ")


@pytest.mark.parametrize("fault", ["a tuple", "view(-1, N)", "sigmoid", "softmax"])
def test_that_a_file_that_breaks_its_card_is_told(
    fault: str, tmp_path: Path, capsys: Captured
) -> None:
    kind, words = BROKEN[fault]
    code, told = described(beside_its_card(tmp_path, kind), capsys, "--trust-model")
    assert code == ExitCode.MODEL
    assert str(told["contract"]).startswith("broken: ")
    assert words in str(told["contract"])


def test_that_a_file_that_is_not_trusted_does_not_run(tmp_path: Path, capsys: Captured) -> None:
    code, told = described(beside_its_card(tmp_path, BROKEN["active dropout"][0]), capsys)
    assert code == ExitCode.OK
    assert "not tried" in str(told["contract"])


def test_that_a_file_without_any_card_is_refused(tmp_path: Path, capsys: Captured) -> None:
    path = beside_its_card(tmp_path, Tiny)
    (tmp_path / "foreign.card.json").unlink()
    assert main(["model", "describe", str(path)]) == ExitCode.MODEL
    assert "foreign.pt" in capsys.readouterr().err
