"""`model describe` from end to end, with TorchScript files that have their card beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bundles import (
    BROKEN,
    Pair,
    Tiny,
    export,
    network_for,
    tiny_card,
    write_bundle,
    write_like_torchxrayvision,
)
from xrayview.cli import main
from xrayview.domain.model import Finding, PreprocessSpec
from xrayview.errors import ExitCode
from xrayview.io.model.bundle import card_to_json, read_card, sha256_of

Captured = pytest.CaptureFixture[str]


def model_beside_card(folder: Path, kind: type[Tiny], **options: tuple[str, ...]) -> Path:
    """A TorchScript file without a card inside, and `NAME.card.json` beside it."""
    # A softmax of a single output is always 1.
    findings = (Finding("Opacity"), Finding("Mass"))
    card = tiny_card(task="multilabel", findings=findings)
    path = export(network_for(card, kind), folder / "described.pt", card, extra={}, **options)
    (folder / "described.card.json").write_text(json.dumps(card_to_json(card)))
    return path


def describe(path: Path, capsys: Captured, *more: str) -> tuple[int, dict[str, object]]:
    code = main(["model", "describe", str(path), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_that_a_file_beside_its_card_is_described(tmp_path: Path, capsys: Captured) -> None:
    path = model_beside_card(tmp_path, Tiny)
    code, output = describe(path, capsys, "--trust-model")
    assert code == ExitCode.OK
    assert output["card"] == json.loads((tmp_path / "described.card.json").read_text())
    assert output["sha256"] == sha256_of(path)
    assert output["gate"] == {"checks_likeness": False}
    assert str(output["contract"]).startswith("kept on ")


@pytest.mark.parametrize("fault", ["view(-1, N)", "sigmoid", "softmax"])
def test_that_a_file_that_contradicts_its_card_is_reported(
    fault: str, tmp_path: Path, capsys: Captured
) -> None:
    kind, words = BROKEN[fault]
    code, output = describe(model_beside_card(tmp_path, kind), capsys, "--trust-model")
    assert code == ExitCode.MODEL
    assert str(output["contract"]).startswith("broken: ")
    assert words in str(output["contract"])


def test_that_a_file_that_is_not_trusted_does_not_run(tmp_path: Path, capsys: Captured) -> None:
    code, output = describe(model_beside_card(tmp_path, BROKEN["active dropout"][0]), capsys)
    assert code == ExitCode.OK
    assert "not tried" in str(output["contract"])


def test_that_a_file_without_any_card_is_refused(tmp_path: Path, capsys: Captured) -> None:
    path = model_beside_card(tmp_path, Tiny)
    (tmp_path / "described.card.json").unlink()
    assert main(["model", "describe", str(path)]) == ExitCode.MODEL
    assert "described.pt" in capsys.readouterr().err


DESCRIPTION = ("--finding", "Opacity", "--finding", "Mass", "--size", "64")


def model_without_card(folder: Path) -> Path:
    path = model_beside_card(folder, Tiny)
    (folder / "described.card.json").unlink()
    return path


def test_that_a_card_is_written_from_the_options(tmp_path: Path, capsys: Captured) -> None:
    path = model_without_card(tmp_path)
    options = ("--trust-model", "--fit", "stretch", "--mean", "0.5", "--std", "0.25")
    assert main(["model", "describe", str(path), *DESCRIPTION, *options]) == ExitCode.OK
    assert "kept on " in capsys.readouterr().out
    card = read_card(path)
    assert [finding.name for finding in card.findings] == ["Opacity", "Mass"]
    assert (card.task, card.activation) == ("multilabel", "sigmoid")
    assert card.preprocessing == PreprocessSpec((64, 64), fit="stretch", mean=(0.5,), std=(0.25,))


def test_that_probabilities_become_logits_on_request(tmp_path: Path, capsys: Captured) -> None:
    path = model_beside_card(tmp_path, BROKEN["sigmoid"][0])
    (tmp_path / "described.card.json").unlink()
    assert main(["model", "describe", str(path), *DESCRIPTION, "--trust-model"]) == ExitCode.MODEL
    refused = capsys.readouterr()
    assert "state in the card that the outputs are probabilities" in refused.out
    assert "Not written" in refused.err
    assert not (tmp_path / "described.card.json").exists()
    code, output = describe(path, capsys, *DESCRIPTION, "--outputs", "probabilities")
    assert code == ExitCode.OK
    card = read_card(path)
    assert output["card"] == card_to_json(card)
    assert card.outputs == "probabilities"
    assert "kept within 1e-07 of 0 and 1" in card.limitations


def test_that_what_is_not_stated_is_assumed_aloud(tmp_path: Path, capsys: Captured) -> None:
    path = model_without_card(tmp_path)
    assert main(["model", "describe", str(path), *DESCRIPTION]) == ExitCode.OK
    warned = capsys.readouterr().err
    assert "Assumed: scale plain (0 to 1); fit letterbox" in warned
    assert "state --scale and --fit" in warned
    assert "Assumed, because it was not stated" in read_card(path).limitations
    (tmp_path / "described.card.json").unlink()
    stated = ("--scale", "plain", "--fit", "letterbox")
    assert main(["model", "describe", str(path), *DESCRIPTION, *stated]) == ExitCode.OK
    assert "Assumed" not in capsys.readouterr().err
    assert "Assumed" not in read_card(path).limitations


def test_that_a_network_like_torchxrayvision_is_recognised(
    tmp_path: Path, capsys: Captured
) -> None:
    path = write_like_torchxrayvision(tmp_path / "net.pt")
    options = ("--finding", "Mass", "--size", "64", "--outputs", "probabilities", "--trust-model")
    assert main(["model", "describe", str(path), *options]) == ExitCode.OK
    assert "looks like TorchXRayVision" in capsys.readouterr().err
    spec = read_card(path).preprocessing
    assert (spec.value_range, spec.fit, spec.channels) == ((-1024.0, 1024.0), "center_crop", 1)


def test_that_the_notes_on_a_network_are_in_its_card(tmp_path: Path, capsys: Captured) -> None:
    path = model_beside_card(tmp_path, Pair, methods=("forward",))
    (tmp_path / "described.card.json").unlink()
    code, output = describe(path, capsys, *DESCRIPTION, "--trust-model")
    assert code == ExitCode.OK
    assert "adapted: it returns a tuple of 2" in str(output["contract"])
    assert "it returns a tuple of 2" in read_card(path).limitations


def test_that_the_values_of_a_scale_can_be_overridden(tmp_path: Path, capsys: Captured) -> None:
    path = model_without_card(tmp_path)
    options = ("--scale", "torchxrayvision", "--mean", "10")
    assert main(["model", "describe", str(path), *DESCRIPTION, *options]) == ExitCode.OK
    spec = read_card(path).preprocessing
    assert (spec.value_range, spec.mean, spec.std) == ((-1024.0, 1024.0), (10.0,), (1.0,))
    assert spec.channels == 1


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--finding", "Opacity"), ExitCode.USAGE, "--size 224"),
        ((*DESCRIPTION, "--normal", "Fine"), ExitCode.USAGE, "Fine"),
        ((*DESCRIPTION, "--std", "0"), ExitCode.MODEL, "preprocessing.std"),
    ],
)
def test_that_an_incomplete_card_is_not_written(
    options: tuple[str, ...], code: int, words: str, tmp_path: Path, capsys: Captured
) -> None:
    path = model_without_card(tmp_path)
    assert main(["model", "describe", str(path), *options]) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "described.card.json").exists()


def test_that_no_card_is_overwritten(tmp_path: Path, capsys: Captured) -> None:
    path = model_beside_card(tmp_path, Tiny)
    before = (tmp_path / "described.card.json").read_text()
    for model in (path, write_bundle(tmp_path / "own.pt")):
        assert main(["model", "describe", str(model), *DESCRIPTION]) == ExitCode.USAGE
        assert "card already" in capsys.readouterr().err
    assert (tmp_path / "described.card.json").read_text() == before
    assert not (tmp_path / "own.card.json").exists()
