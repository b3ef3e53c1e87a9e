"""Folder classification beside the scripts that people write: `make bench-batch`.

    python -m tests.bench.batch [--films 300] [--repeats 5] [--device cpu] [--kinds jpeg,png,dicom]

In one run, on the same films and weights (densenet121 of 14 findings, 224 x 224): (a) one process,
eager torchvision, one film at a time; (b) a DataLoader with batches of 16, channels-last,
inference mode; ours, exact and fast; and the ceilings: the model without films, and films without
a model. Rounds are interleaved, so that other programs harm all alike. Start-up is part of every
time but the ceilings'. CPU seconds are those of the process with all its children.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.bench.table import machine

ROOT = Path(__file__).parents[2]
SIZE = 224
FINDINGS = 14
SHARE = {"jpeg": 1.0, "png": 0.5, "dicom": 0.25}
"""Of the number of films, because large ones take longer."""
SR_CHILD_SUBREAPER = 36

READ = """
import sys, glob, cv2, numpy as np, torch, torchvision
def read(path):
    if path.endswith(".dcm"):
        import pydicom
        x = pydicom.dcmread(path).pixel_array.astype(np.float32)
    else:
        x = cv2.imread(path, cv2.IMREAD_UNCHANGED).astype(np.float32)
    low, high = np.percentile(x, (0.5, 99.5))
    x = np.clip((x - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    x = cv2.resize(x, (224, 224), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.repeat(x[None], 3, 0))
films = sorted(glob.glob(sys.argv[1] + "/*"))
model = torchvision.models.densenet121(num_classes=14).eval()
model.load_state_dict(torch.load(sys.argv[2], weights_only=True))
device = sys.argv[3]
model = model.to(device)
"""
SCRIPTS = {
    "(a) eager, one film at a time": READ + '''
with torch.no_grad():
    for film in films:
        model(read(film)[None].to(device)).sigmoid().cpu().numpy()
''',
    "(b) DataLoader, batches of 16": READ + '''
class Films(torch.utils.data.Dataset):
    def __len__(self): return len(films)
    def __getitem__(self, i): return read(films[i])
if __name__ == "__main__":
    model = model.to(memory_format=torch.channels_last)
    loader = torch.utils.data.DataLoader(Films(), batch_size=16, num_workers=1)
    with torch.inference_mode():
        for batch in loader:
            x = batch.to(device, memory_format=torch.channels_last)
            model(x).sigmoid().cpu().numpy()
''',
}  # fmt: skip
MODEL_ONLY = """
import sys, time, resource, numpy as np
from pathlib import Path
from xrayview.inference.cores import set_wait_policy
set_wait_policy()
from xrayview.inference.loading import load
from xrayview.io.model.bundle import read_card
path, runtime, precision, device, films = Path(sys.argv[1]), *sys.argv[2:5], int(sys.argv[5])
loaded = load(path, read_card(path), device, runtime=runtime, precision=precision)
x = np.random.default_rng(0).standard_normal((16, 3, 224, 224), np.float32)
loaded.each_film(x, with_features=False)
used, start = time.process_time(), time.perf_counter()
for _ in range(max(1, films // 16)): loaded.each_film(x)
n = max(1, films // 16) * 16
print((time.perf_counter() - start) / n, (time.process_time() - used) / n, loaded.precision)
"""
DECODE_ONLY = """
import sys, time, threading
from pathlib import Path
from xrayview.batch.pipeline import prepare_films
from xrayview.engine.client import Engine
from xrayview.engine.scan import scan_folder
from xrayview.inference.cores import available_cores
from xrayview.io.model.bundle import read_card
if __name__ == "__main__":
    card = read_card(Path(sys.argv[2]))
    with Engine(available_cores(), spare_workers=0) as engine:
        films = list(scan_folder(engine, Path(sys.argv[1])))
        start = time.perf_counter()
        prepared = list(prepare_films(engine, films, card, threading.Event()))
        seconds = time.perf_counter() - start
    assert all(outcome.prepared for outcome in prepared)
    print(seconds / len(films), 0)
"""


@dataclass(frozen=True)
class Seconds:
    """Of one run; per film for a ceiling."""

    wall: float
    cpu: float


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Folder classification beside plain scripts.")
    parser.add_argument("--films", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--kinds", default="jpeg,png,dicom")
    options = parser.parse_args()
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="xrayview-bench-") as name:
        folder = Path(name)
        weights, bundle = write_model(folder)
        print(f"{machine()}; medians of {options.repeats}, interleaved")
        print("| films | what | wall, s | CPU, s | films/s | wall over (a) | CPU of (a) over it |")
        print("|---|---|---|---|---|---|---|")
        for kind in options.kinds.split(","):
            films = write_films(folder / kind, kind, max(8, int(options.films * SHARE[kind])))
            contenders = dict(commands(folder, films, weights, bundle, options.device))
            measured: dict[str, list[Seconds]] = {what: [] for what in contenders}
            for _ in range(options.repeats):
                for what, run in contenders.items():
                    measured[what].append(run())
            print_rows(kind, len(list(films.iterdir())), measured)
    return 0


def print_rows(kind: str, films: int, measured: dict[str, list[Seconds]]) -> None:
    """Print the medians of one kind of films."""
    first: Seconds | None = None
    for what, runs in measured.items():
        wall, cpu = (statistics.median(getattr(run, n) for run in runs) for n in ("wall", "cpu"))
        first = first or Seconds(wall, cpu)
        scale = films if what.startswith("ceiling") else 1
        over = f"{first.wall / (wall * scale):.2f} | "
        over += f"{first.cpu / (cpu * scale):.2f}" if cpu else ""
        used = f"{cpu * scale:.1f}" if cpu else ""
        print(f"| {films} {kind} | {what} | {wall * scale:.1f} | {used} | "
              f"{films / (wall * scale):.1f} | {over} |", flush=True)  # fmt: skip


def commands(
    folder: Path, films: Path, weights: Path, bundle: Path, device: str
) -> Iterator[tuple[str, Callable[[], Seconds]]]:
    """Each contender, and what runs it once."""
    for what, code in SCRIPTS.items():
        script = folder / f"{what[1]}.py"
        script.write_text(code)
        yield what, lambda script=script: timed(sys.executable, script, films, weights, device)
    count = len(list(films.iterdir()))
    for runtime, precision in (("auto", "exact"), ("torch", "exact"), ("auto", "fast")):
        if not works(bundle, runtime, precision, device):
            continue
        yield (
            f"ours, {precision}, {runtime}",
            lambda r=runtime, p=precision: ours(folder, films, bundle, device, r, p),
        )
        yield (
            f"ceiling: model only, {precision}, {runtime}",
            lambda r=runtime, p=precision: ceiling(MODEL_ONLY, bundle, r, p, device, count),
        )
    yield "ceiling: decoding only", lambda: ceiling(DECODE_ONLY, films, bundle)


def works(bundle: Path, runtime: str, precision: str, device: str) -> bool:
    """False where this machine has no such runtime or precision."""
    command = [sys.executable, "-c", MODEL_ONLY, bundle, runtime, precision, device, "16"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def ours(
    folder: Path, films: Path, bundle: Path, device: str, runtime: str, precision: str
) -> Seconds:
    """`xrayview classify`, from nothing to the table."""
    out = folder / "out.csv"
    command = (
        *(sys.executable, "-m", "xrayview", "classify", films, "--out", out, "--restart"),
        *("--model", bundle, "--trust-model", "--identity", "none", "--device", device),
        *("--runtime", runtime, "--precision", precision),
    )
    seconds = timed(*command)
    counts = json.loads(out.with_suffix(".run.json").read_text())["counts"]
    assert set(counts) <= {"ok", "warn"}, counts
    return seconds


def ceiling(code: str, *arguments: object) -> Seconds:
    """What a program prints: wall and CPU seconds per film."""
    script = Path(tempfile.gettempdir()) / f"xrayview-ceiling-{os.getpid()}.py"
    script.write_text(code)
    command = [sys.executable, script, *arguments]
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, env=environment(), capture_output=True, check=True
    )
    wall, cpu = done.stdout.split()[:2]
    return Seconds(float(wall), float(cpu))


def timed(*command: object) -> Seconds:
    """Wall and CPU seconds of a program with all its children."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, env=environment(), capture_output=True, check=False
    )
    wall = time.perf_counter() - start
    reap_orphans()
    after = os.times()
    assert done.returncode == 0, done.stderr.decode()
    return Seconds(
        wall,
        after.children_user - before.children_user + after.children_system - before.children_system,
    )


def environment() -> dict[str, str]:
    """The repository's package, torch's own number of threads, and our wait policy for all.

    With libgomp's own one, a busy neighbour makes a plain script many times slower.
    """
    return {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | {
        "PYTHONPATH": str(ROOT),
        "GOMP_SPINCOUNT": "2000",
        "XDG_CONFIG_HOME": str(Path(tempfile.gettempdir(), "xrayview-bench-config")),
    }


def adopt_orphans() -> None:
    """Workers that outlive their parent are this process's, so that their CPU time counts."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(SR_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Wait for the workers that outlived their parent."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def write_model(folder: Path) -> tuple[Path, Path]:
    """densenet121 with random weights, as a state dict and as a bundle."""
    import torch
    import torchvision
    from torch import nn

    from tests.bundles import export, tiny_card
    from xrayview.domain.model import Finding, PreprocessSpec

    torch.manual_seed(0)
    network = torchvision.models.densenet121(num_classes=FINDINGS).eval()

    class Split(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = network

        def forward(self, x_BCHW: Any) -> Any:
            return self.forward_head(self.forward_features(x_BCHW))

        def forward_features(self, x_BCHW: Any) -> Any:
            return self.net.features(x_BCHW).relu()

        def forward_head(self, features_BDhw: Any) -> Any:
            return self.net.classifier(features_BDhw.mean((2, 3)))

    weights = folder / "weights.pth"
    torch.save(network.state_dict(), weights)
    card = tiny_card(
        name="bench",
        task="multilabel",
        findings=tuple(Finding(f"F{i}") for i in range(FINDINGS)),
        preprocessing=PreprocessSpec((SIZE, SIZE), channels=3),
    )
    return weights, export(Split().eval(), folder / "bench.pt", card)


def write_films(folder: Path, kind: str, count: int) -> Path:
    """Films that all differ: lungs with grain."""
    from tests.builders import write_dicom

    folder.mkdir()
    rng = np.random.default_rng(1)
    rows, columns = {"jpeg": (224, 224), "png": (1000, 1000), "dicom": (3000, 2500)}[kind]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    lungs = sum(((x - side) / 0.3) ** 2 + (y / 0.7) ** 2 < 1 for side in (-0.45, 0.45))
    for i in range(count):
        grey = np.clip(0.7 - 0.4 * lungs + 0.05 * rng.standard_normal((rows, columns)), 0, 1)
        path = folder / f"{i:05}"
        if kind == "jpeg":
            cv2.imwrite(f"{path}.jpg", (255 * grey).astype(np.uint8))
        elif kind == "png":
            cv2.imwrite(f"{path}.png", (65535 * grey).astype(np.uint16))
        else:
            write_dicom(path.with_suffix(".dcm"), (4095 * grey).astype(np.uint16), bits_stored=12)
    return folder


if __name__ == "__main__":
    sys.exit(main())
