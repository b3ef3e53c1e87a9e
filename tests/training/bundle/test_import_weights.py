"""Published weights as bundles that give the same logits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from training.cli import main
from xrayview.errors import ExitCode
from xrayview.inference import loading
from xrayview.io.model.bundle import read_card

FINDINGS = ("Effusion", "Mass", "Edema")


def densenet(channels: int) -> nn.Module:
    """Build torchvision's DenseNet-121 with random weights and three outputs."""
    torch.manual_seed(1)
    model = torchvision.models.densenet121(weights=None, num_classes=len(FINDINGS))
    if channels == 1:
        model.features.conv0 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    return model.eval()


def command(file: Path, out: Path, *more: str, findings: tuple[str, ...] = FINDINGS) -> list[str]:
    named = [part for name in findings for part in ("--finding", name)]
    return ["import", str(file), "--out", str(out), "--size", "64", *named, *more]


def chexnet_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Name the tensors as CheXNet's public checkpoint does: wrapped twice, old dense layers."""
    return {
        "module.densenet121."
        + name.replace("classifier.", "classifier.0.")
        .replace(".norm1.", ".norm.1.").replace(".conv1.", ".conv.1.")
        .replace(".norm2.", ".norm.2.").replace(".conv2.", ".conv.2."): tensor
        for name, tensor in state.items()
    }  # fmt: skip


@pytest.mark.parametrize(("channels", "input_name"), [(3, "imagenet"), (1, "torchxrayvision")])
def test_that_an_imported_densenet_gives_the_same_logits(
    channels: int, input_name: str, tmp_path: Path
):
    model, file, out = densenet(channels), tmp_path / "net.pth", tmp_path / "net.pt"
    state = model.state_dict()
    if input_name == "imagenet":
        torch.save({"state_dict": chexnet_names(state)}, file)
    else:
        thresholds = torch.tensor([0.07, torch.nan, 0.6])
        torch.save({**state, "op_threshs": thresholds}, file)
    assert main(command(file, out, "--input", input_name)) == ExitCode.OK
    card = read_card(out)
    assert [finding.name for finding in card.findings] == list(FINDINGS)
    assert (card.task, card.activation) == ("multilabel", "sigmoid")
    assert "not evaluated" in card.limitations
    points = {point.finding: point.threshold for point in card.operating_points}
    expected = {"Effusion": 0.07, "Edema": 0.6} if input_name == "torchxrayvision" else {}
    assert points == pytest.approx(expected)
    x_BCHW = np.random.default_rng(0).standard_normal((2, channels, 64, 64)).astype(np.float32)
    with torch.no_grad():
        expected_BK = model(torch.from_numpy(x_BCHW)).numpy()
    logits_BK = loading.load(out, card, "cpu").forward(x_BCHW)
    np.testing.assert_allclose(logits_BK, expected_BK, atol=1e-4)
    assert main(command(file, out)) == ExitCode.USAGE  # no bundle is overwritten


@pytest.mark.parametrize(
    ("more", "findings", "message"),
    [
        ((), ("Effusion",), "1 findings are named, but the file has 3 outputs"),
        (("--architecture", "resnet18"), FINDINGS, "not a complete resnet18"),
        (("--input", "torchxrayvision"), FINDINGS, "takes 3 channels"),
    ],
    ids=["findings", "architecture", "channels"],
)
def test_that_weights_that_do_not_fit_the_options_are_refused(
    more: tuple[str, ...], findings: tuple[str, ...], message: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    file, out = tmp_path / "net.pth", tmp_path / "net.pt"
    torch.save(densenet(3).state_dict(), file)
    assert main(command(file, out, *more, findings=findings)) == ExitCode.USAGE
    assert message in capsys.readouterr().err
    assert not out.exists()
