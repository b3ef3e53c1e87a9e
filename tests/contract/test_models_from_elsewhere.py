"""Networks as others export them: adapted with a note, or refused with the true cause."""

from __future__ import annotations

import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops import DeformConv2d

from tests.bundles import tiny_card
from xrayview.domain.model import Finding, ModelCard, PreprocessSpec
from xrayview.errors import ModelError
from xrayview.inference import loading
from xrayview.inference.runtime import Runtime
from xrayview.inference.torch_errors import reason

ROOT = Path(__file__).parents[2]
TWO = tiny_card(task="multilabel", findings=(Finding("A"), Finding("B")))
THREE = tiny_card(task="multilabel", findings=(Finding("A"), Finding("B"), Finding("C")))
SOFTMAX = replace(THREE, task="multiclass", activation="softmax", outputs="probabilities")
SIGMOID = replace(THREE, outputs="probabilities")


class Net(nn.Module):
    """A small network with a last step of its own."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Sequential(nn.Conv2d(1, 8, 5, 4, 2), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1))
        self.last = nn.Linear(8, outputs)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.maps(x).relu().mean((2, 3))) - 0.2

    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x)


def save(network: nn.Module, path: Path, films: int = 2, dtype: torch.dtype = torch.float32) -> Any:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        film = torch.rand(films, 1, 64, 64).to(dtype)
        traced = torch.jit.trace(network.eval(), film, check_trace=False, strict=False)
        traced.save(str(path))
        return traced


def load(path: Path, card: ModelCard = TWO) -> Runtime:
    return loading.load(path, card, "cpu")


X = np.random.default_rng(2).random((5, 1, 64, 64), np.float32)


def expected(outputs: int = 2) -> np.ndarray:
    with torch.no_grad():
        return Net(outputs).logits(torch.from_numpy(X)).numpy()


class Tuple(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.maps(x), self.logits(x)


class List(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return [self.logits(x), self.maps(x)]


class WithProbabilities(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x).sigmoid(), self.logits(x)


class Entry(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return {"aux": 2 * self.logits(x), "logits": self.logits(x)}


class Nested(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.maps(x), (self.logits(x), self.maps(x))


class PerFinding(Net):
    def forward(self, x: torch.Tensor) -> Any:
        logits = self.logits(x)
        return [logits[:, :1], logits[:, 1:]]


class Deep(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x)[:, :, None, None]


class OneFilm(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x.view(1, 1, 64, 64))


class FourFilms(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x.view(4, 1, 64, 64))


class OnDevice(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x) + torch.zeros(1, device=x.device)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Tuple, "tuple of 2, whose output 2"),
        (List, "output 1"),
        (WithProbabilities, "output 2"),
        (Entry, "entry 'logits'"),
        (Nested, "output 1 of output 2"),
        (PerFinding, "one tensor per finding"),
        (Deep, "one row per film"),
        (OneFilm, "1 film at a time"),
        (FourFilms, "4 films at a time"),
    ],
)
def test_that_other_outputs_are_adapted_with_a_note(
    kind: type[Net], message: str, tmp_path: Path
) -> None:
    save(kind(), tmp_path / "m.pt", films=4 if kind is FourFilms else 1 if kind is OneFilm else 2)
    runtime = load(tmp_path / "m.pt")
    assert message in "; ".join(runtime.notes)
    np.testing.assert_allclose(runtime.forward(X), expected(), atol=1e-5)
    direction_K = np.array([0, 1], np.float32)
    plain = tmp_path / "plain.pt"
    save(Net(), plain)
    np.testing.assert_allclose(
        runtime.input_gradient(X, direction_K), load(plain).input_gradient(X, direction_K),
        atol=1e-5,
    )  # fmt: skip


def test_that_one_value_per_film_is_read_as_one_finding(tmp_path: Path) -> None:
    class Flat(Net):
        def forward(self, x: torch.Tensor) -> Any:
            return self.logits(x).squeeze()

    save(Flat(1), tmp_path / "m.pt")
    runtime = load(tmp_path / "m.pt", tiny_card())
    np.testing.assert_allclose(runtime.forward(X), expected(1), atol=1e-5)
    assert runtime.forward(X[:1]).shape == (1, 1)
    assert "one row per film" in runtime.notes[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_that_other_number_formats_run(dtype: torch.dtype, tmp_path: Path) -> None:
    if dtype is torch.float64:
        save(Net().double(), tmp_path / "m.pt", dtype=dtype)
    else:
        save(Net(), tmp_path / "float32.pt").to(dtype).save(str(tmp_path / "m.pt"))
    runtime = load(tmp_path / "m.pt")
    assert str(dtype).removeprefix("torch.") in runtime.notes[0]
    np.testing.assert_allclose(runtime.forward(X), expected(), atol=0.02)
    assert runtime.forward(X).dtype == np.float32


def rewritten(path: Path, before: bytes, after: bytes) -> Path:
    """The archive with another program."""
    written = path.with_name("m.pt")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(written, "w") as changed:
        for name in archive.namelist():
            data = archive.read(name)
            changed.writestr(name, data.replace(before, after) if name.endswith(".py") else data)
    return written


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_that_a_fixed_device_is_replaced(tmp_path: Path) -> None:
    save(OnDevice(), tmp_path / "cpu.pt")
    cpu, cuda = b'torch.device("cpu")', b'torch.device("cuda:0")'
    runtime = load(rewritten(tmp_path / "cpu.pt", cpu, cuda))
    assert "cuda" in runtime.notes[0]
    np.testing.assert_allclose(runtime.forward(X), expected(), atol=1e-5)


def test_that_operators_of_torchvision_load(tmp_path: Path) -> None:
    class Deformed(Net):
        def __init__(self) -> None:
            super().__init__()
            self.deform, self.offset = DeformConv2d(1, 1, 3, padding=1), nn.Conv2d(1, 18, 3, 1, 1)

        def forward(self, x: torch.Tensor) -> Any:
            return self.logits(self.deform(x, self.offset(x)))

    save(Deformed(), tmp_path / "m.pt")
    assert load(tmp_path / "m.pt").forward(X).shape == (5, 2)
    # A new process, in which torchvision's operators are not registered yet.
    code = """
import sys
sys.modules["torchvision"] = None
from pathlib import Path
import torch
from xrayview.inference.torchscript import load_module
from xrayview.errors import ModelError
path = Path(sys.argv[1])
try:
    load_module(path.read_bytes(), torch.device("cpu"), path)
except ModelError as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "m.pt"], capture_output=True, text=True, cwd=ROOT
    )
    assert ran.stdout.strip() == (
        "m.pt: A model with torchvision's operators needs the package torchvision "
        "(it is not installed). Run: pip install 'xrayview[torchvision]'"
    ), ran.stderr


class Percent(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return 100 * self.logits(x).sigmoid()


class ArgMax(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x).argmax(1)


class OneHot(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return nn.functional.one_hot(self.logits(x).argmax(1), 3).float()


class Decided(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return (self.logits(x) > 0).float()


class Twice(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x).softmax(1).softmax(1)


class SigmoidTwice(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x).sigmoid().sigmoid()


class NotOne(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return 0.5 * self.logits(x).softmax(1)


class Never(Net):
    def forward(self, x: torch.Tensor) -> Any:
        logits = self.logits(x)
        return logits / (logits - logits)


class NotDark(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x) + 0 * (x.mean((1, 2, 3)) - 0.3).log()[:, None]


class NeverLarge(Net):
    """Probabilities whose loudest inputs are NaN."""

    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x).sigmoid() + 0 * (100 - x.amax((1, 2, 3))).sqrt()[:, None]


class Noisy(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x + 1e-3 * torch.randn_like(x))


class LittleDropout(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(nn.functional.dropout(x, 1e-4, training=True))


@pytest.mark.parametrize(
    ("kind", "card", "message"),
    [
        (Percent, THREE, "percentages"),
        (Percent, SIGMOID, "percentages"),
        (ArgMax, THREE, "argmax"),
        (OneHot, THREE, "only 0 and 1"),
        (OneHot, SOFTMAX, "only 0 and 1"),
        (Decided, SIGMOID, "only 0 and 1"),
        (Twice, SOFTMAX, "softmax is applied twice"),
        (SigmoidTwice, SIGMOID, "sigmoid is applied twice"),
        (NotOne, SOFTMAX, "do not add up to one"),
        (Never, THREE, "NaN or infinite"),
        (NotDark, THREE, "3 of 11 test films"),
        (NeverLarge, THREE, "outputs are probabilities"),
        (Noisy, THREE, "randn_like"),
        (LittleDropout, THREE, "dropout is active"),
    ],
)
def test_that_outputs_that_are_no_scores_are_named(
    kind: type[Net], card: ModelCard, message: str, tmp_path: Path
) -> None:
    save(kind(3), tmp_path / "m.pt")
    with pytest.raises(ModelError, match=message) as caught:
        load(tmp_path / "m.pt", card)
    assert caught.value.hint
    assert caught.value.path == tmp_path / "m.pt"


def test_that_a_state_that_changes_with_each_film_is_named(tmp_path: Path) -> None:
    class State(Net):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(2))

        def forward(self, x: torch.Tensor) -> Any:
            logits = self.last(self.maps(x).relu().mean((2, 3)))
            self.mean.mul_(0.9).add_(logits.mean(0))
            return logits + self.mean

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(State().eval()).save(str(tmp_path / "m.pt"))
    with pytest.raises(ModelError, match="state that changes"):
        load(tmp_path / "m.pt")


def test_that_several_entries_that_may_be_scores_are_named(tmp_path: Path) -> None:
    class Entries(Net):
        def forward(self, x: torch.Tensor) -> Any:
            return {"left": self.logits(x), "right": 2 * self.logits(x)}

    save(Entries(), tmp_path / "m.pt")
    with pytest.raises(ModelError, match="'left', 'right'"):
        load(tmp_path / "m.pt")


class Volumes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Conv3d(1, 2, 3)

    def forward(self, x: torch.Tensor) -> Any:
        return self.net(x).mean((2, 3, 4))


class ChannelsLast(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return self.logits(x.permute(0, 3, 1, 2))


class TwoInputs(Net):
    def forward(self, x: torch.Tensor, age: torch.Tensor) -> Any:
        return self.logits(x) + age


@pytest.mark.parametrize(
    ("network", "example", "message"),
    [
        (Volumes(), (torch.rand(1, 1, 8, 64, 64),), "takes volumes"),
        (ChannelsLast(), (torch.rand(2, 64, 64, 1),), "channels last"),
        (TwoInputs(), (torch.rand(2, 1, 64, 64), torch.rand(2, 1)), "other inputs than one film"),
    ],
)
def test_that_other_inputs_are_named(
    network: nn.Module, example: tuple[torch.Tensor, ...], message: str, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network.eval(), example, check_trace=False).save(str(tmp_path / "m.pt"))
    with pytest.raises(ModelError, match=message):
        load(tmp_path / "m.pt")


def test_that_another_input_size_that_works_is_proposed(tmp_path: Path) -> None:
    class Side(Net):
        def __init__(self) -> None:
            super().__init__()
            self.flat = nn.Linear(8 * 16 * 16, 2)

        def forward(self, x: torch.Tensor) -> Any:
            return self.flat(self.maps(x).flatten(1))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(Side().eval(), torch.rand(2, 1, 128, 128), check_trace=False)
    traced.save(str(tmp_path / "m.pt"))
    with pytest.raises(ModelError, match="128 x 128"):
        load(tmp_path / "m.pt")
    card = replace(TWO, preprocessing=PreprocessSpec((128, 128)))
    assert load(tmp_path / "m.pt", card).notes == ()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            (
                "The following operation failed in the TorchScript interpreter.\n"
                "Traceback of TorchScript, serialized code (most recent call last):\n"
                '  File "code/__torch__/a.py", line 9, in forward\n    _0 = torch.linear(x)\n'
                "         ~~~~~~~~~~~~ <--- HERE\nRuntimeError: mat1 and mat2 differ\n"
            ),
            "mat1 and mat2 differ",
        ),
        (
            (
                "\nUnknown builtin op: torchaudio::lfilter.\nCould not find similar ops.\n:\n"
                '  File "code/__torch__/a.py", line 17\n    bias = self.bias\n    ~~~ <--- HERE\n'
            ),
            "Unknown builtin op: torchaudio::lfilter",
        ),
        (
            (
                "[enforce fail at inline_container.cc:230] . Attempted to read version 99.\n"
                "frame #0: c10::ThrowEnforceNotMet\n"
            ),
            "Attempted to read version 99",
        ),
    ],
)
def test_that_the_cause_is_found_in_what_torch_says(text: str, cause: str) -> None:
    assert reason(RuntimeError(text)) == cause


def test_that_an_archive_of_another_library_names_its_operation(tmp_path: Path) -> None:
    save(Net(), tmp_path / "plain.pt")
    path = rewritten(tmp_path / "plain.pt", b"torch.relu(", b"ops.other.relu(")
    with pytest.raises(ModelError, match="other::relu") as caught:
        load(path)
    assert "library" in caught.value.hint
