"""OpenVINO: scores proven equal, precision as asked for, its telemetry silent, the cache honest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.bundles import export, tiny_card, write_bundle
from xrayview.domain.model import Finding, PreprocessSpec
from xrayview.domain.runtimes import EXACT, FAST, PRECISIONS
from xrayview.errors import ModelError
from xrayview.inference import acceleration, converted_cache
from xrayview.inference.converted_cache import ConvertedCache
from xrayview.inference.film_passes import fast_format
from xrayview.inference.loading import load
from xrayview.inference.probe import films_like_training

openvino = pytest.importorskip("openvino")
pytest.importorskip("openvino.frontend")

CARD = tiny_card(
    task="multilabel",
    findings=(Finding("A"), Finding("B")),
    preprocessing=PreprocessSpec((64, 64), channels=3),
)


class Deep(nn.Module):
    """A small convolutional network whose weights need more digits than bfloat16 has."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
        )  # fmt: skip
        self.end = nn.Linear(32, 2)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.forward_head(self.forward_features(x_BCHW))

    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.body(x_BCHW)

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return self.end(features_BDhw.mean((2, 3)))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return export(Deep().eval(), tmp_path / "deep.pt", CARD)


@pytest.fixture
def films() -> np.ndarray:
    return np.random.default_rng(2).standard_normal((5, 3, 64, 64), np.float32)


def test_that_exact_is_float32_also_where_the_cpu_has_bfloat16(
    bundle: Path, films: np.ndarray
) -> None:
    plain = load(bundle, CARD, "cpu")
    exact = load(bundle, CARD, "cpu", runtime="openvino")
    assert exact.precision == "float32"
    assert exact.score_difference <= PRECISIONS[EXACT].largest_difference
    logits, features = exact.each_film(films, with_features=True)
    expected, expected_features = plain.each_film(films, with_features=True)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    np.testing.assert_allclose(features, expected_features, atol=1e-4)


def test_that_auto_uses_it_on_the_cpu(bundle: Path) -> None:
    assert load(bundle, CARD, "cpu", runtime="auto").name == "openvino"
    assert load(bundle, CARD, "cpu").name == "torch"


def test_that_fast_states_its_format_and_its_difference(bundle: Path, films: np.ndarray) -> None:
    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if not {"BF16", "FP16"} & set(capabilities):
        with pytest.raises(ModelError, match="neither with bfloat16 nor with float16"):
            load(bundle, CARD, "cpu", runtime="openvino", precision=FAST)
        return
    fast = load(bundle, CARD, "cpu", runtime="auto", precision=FAST)
    assert fast.precision in ("bfloat16", "float16")
    assert 0 < fast.score_difference <= PRECISIONS[FAST].largest_difference
    exact = load(bundle, CARD, "cpu", runtime="openvino").each_film(films)[0]
    assert np.abs(fast.each_film(films)[0] - exact).max() > 1e-6


def test_that_torch_is_fast_where_the_device_has_16_bits(bundle: Path, films: np.ndarray) -> None:
    if fast_format(torch.device("cpu")) is None:
        with pytest.raises(ModelError, match="no faster with 16 bits"):
            load(bundle, CARD, "cpu", runtime="torch", precision=FAST)
        return
    fast = load(bundle, CARD, "cpu", runtime="torch", precision=FAST)
    assert (fast.name, fast.precision) == ("torch", "bfloat16")
    assert 0 < fast.score_difference <= PRECISIONS[FAST].largest_difference
    single, _ = fast.each_film(films[:1])
    np.testing.assert_array_equal(fast.each_film(films)[0][:1], single)
    plain = load(bundle, CARD, "cpu")
    np.testing.assert_array_equal(fast.forward(films), plain.forward(films))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
@pytest.mark.parametrize(("precision", "name"), [(EXACT, "float32"), (FAST, "float16")])
def test_that_cuda_scores_a_film_alike_beside_any_others(
    bundle: Path, films: np.ndarray, precision: str, name: str
) -> None:
    on_gpu = load(bundle, CARD, "cuda", precision=precision)
    assert on_gpu.precision == name
    single, _ = on_gpu.each_film(films[:1])
    np.testing.assert_array_equal(on_gpu.each_film(films)[0][:1], single)
    expected = load(bundle, CARD, "cpu").each_film(films)[0]
    np.testing.assert_allclose(on_gpu.each_film(films)[0], expected, atol=0.05)


class Steep(Deep):
    """The smallest rounding decides: one film has logits of 0, and the slope is large."""

    def __init__(self) -> None:
        super().__init__()
        film = torch.from_numpy(films_like_training(CARD)[5:6])
        with torch.no_grad():
            self.register_buffer("middle", Deep().eval()(film))

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return 1e5 * (super().forward_head(features_BDhw) - self.middle)


def test_that_scores_that_differ_too_much_are_refused_or_left_to_torch(tmp_path: Path) -> None:
    path = export(Steep().eval(), tmp_path / "steep.pt", CARD)
    with pytest.raises(ModelError, match="scores differ by") as caught:
        load(path, CARD, "cpu", runtime="openvino", precision=FAST)
    assert "exact" in caught.value.hint
    assert caught.value.path == path


@pytest.mark.parametrize("kind", [RuntimeError, openvino.frontend.OpConversionFailure])
def test_that_what_cannot_be_converted_is_left_to_torch_with_the_reason(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise kind("No conversion rule for aten::secret")

    monkeypatch.setattr(openvino, "convert_model", refuse)
    loaded = load(bundle, CARD, "cpu", runtime="auto")
    assert loaded.name == "torch"
    assert any("aten::secret" in note for note in loaded.notes)
    with pytest.raises(ModelError, match="aten::secret"):
        load(bundle, CARD, "cpu", runtime="openvino")


def test_that_a_missing_package_is_named(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration, "find_spec", lambda _name: None)
    assert load(bundle, CARD, "cpu", runtime="auto").name == "torch"
    with pytest.raises(ModelError, match="pip install openvino"):
        load(bundle, CARD, "cpu", runtime="openvino")


class TestCache:
    def test_that_a_converted_network_is_used_again_and_a_damaged_one_is_made_again(
        self, bundle: Path, films: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache = tmp_path / "cache"
        first = load(bundle, CARD, "cpu", runtime="openvino", cache=cache).each_film(films)[0]
        (stored,) = cache.iterdir()
        conversions = []
        convert = openvino.convert_model
        monkeypatch.setattr(
            openvino, "convert_model", lambda *a, **k: conversions.append(1) or convert(*a, **k)
        )
        again = load(bundle, CARD, "cpu", runtime="openvino", cache=cache).each_film(films)[0]
        np.testing.assert_array_equal(again, first)
        assert not conversions
        data = bytearray(stored.read_bytes())
        data[-20] ^= 1
        stored.write_bytes(data)
        again = load(bundle, CARD, "cpu", runtime="openvino", cache=cache).each_film(films)[0]
        np.testing.assert_array_equal(again, first)
        assert conversions
        assert [path.name for path in cache.iterdir()] == [stored.name]

    def test_that_another_network_under_the_key_is_found_out_by_its_scores(
        self, bundle: Path, tmp_path: Path
    ) -> None:
        cache = tmp_path / "cache"
        load(bundle, CARD, "cpu", runtime="openvino", cache=cache)
        (stored,) = cache.iterdir()
        other = Deep().eval()
        other.end.weight.data *= -1
        load(export(other, tmp_path / "o.pt", CARD), CARD, "cpu", runtime="openvino", cache=cache)
        (foreign,) = set(cache.iterdir()) - {stored}
        foreign.replace(stored)
        with pytest.raises(ModelError, match="scores differ"):
            load(bundle, CARD, "cpu", runtime="openvino", cache=cache)

    def test_that_it_is_bounded_and_survives_a_folder_that_cannot_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(converted_cache, "MOST_FILES", 3)
        cache = ConvertedCache(tmp_path / "cache")

        def save(path: Path) -> None:
            path.write_bytes(b"<net/>")
            path.with_suffix(".bin").write_bytes(b"weights")

        for i in range(5):
            cache.store(str(i), save)
            os.utime(tmp_path / "cache" / f"{i}.network", ns=(i, i))
        assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == [
            "2.network", "3.network", "4.network",
        ]  # fmt: skip
        assert cache.load("4") == (b"<net/>", b"weights")
        (tmp_path / "file").write_text("")
        ConvertedCache(tmp_path / "file").store("1", save)


SILENT = """
import socket, sys, threading
from pathlib import Path
def refuse(*args, **_):
    raise AssertionError(f"a socket: {args}")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
opened = []
sys.addaudithook(lambda name, args: opened.append((name, args)) if name.startswith("socket.") or (
    name == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")) else None)
from xrayview.inference.loading import load
from xrayview.io.model.bundle import read_card
path = Path(sys.argv[1])
assert load(path, read_card(path), "cpu", runtime="openvino").name == "openvino"
assert sys.modules.get("openvino_telemetry") is None
for thread in threading.enumerate():
    assert "telemetry" not in thread.name.lower(), thread
print(opened)
"""


def test_that_its_telemetry_sends_and_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = write_bundle(tmp_path / "m.pt")
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "XDG_CONFIG_HOME")}
    environment |= {"HOME": str(home), "TMPDIR": str(home)}
    result = subprocess.run(
        [sys.executable, "-c", SILENT, str(path)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
    assert list(home.rglob("*")) == []


def test_that_its_telemetry_would_run_if_it_were_let(tmp_path: Path) -> None:
    """Otherwise the test above shows nothing."""
    pytest.importorskip("openvino_telemetry")
    code = "import openvino, sys; sys.exit('openvino_telemetry' not in sys.modules)"
    environment = os.environ | {"HOME": str(tmp_path), "CI": "true"}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )
