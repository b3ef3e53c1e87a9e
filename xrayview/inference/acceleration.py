"""Which runtime takes films through a loaded network, decided by what proves equal to torch."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard
from xrayview.domain.runtimes import AUTO, EXACT, PRECISIONS, RUNTIMES, TORCH, Precision
from xrayview.errors import ModelError
from xrayview.inference import openvino_runtime
from xrayview.inference.calibration import calibrated_scores, output_to_findings
from xrayview.inference.openvino_runtime import CannotConvert, OpenVinoRuntime
from xrayview.inference.probe import films_like_training
from xrayview.inference.runtime import Runtime
from xrayview.inference.torchscript import TorchScriptRuntime

Array = npt.NDArray[np.float32]


def import_runtimes() -> None:
    """Import the runtimes that are installed, so that no model waits for it."""
    with suppress(CannotConvert):
        if _is_installed("openvino"):
            openvino_runtime.import_openvino()


def accelerated(
    loaded: Runtime,
    card: ModelCard,
    path: Path,
    runtime: str,
    precision: str,
    cache: Path | None,
) -> Runtime:
    """The runtime that classifies: the requested one, or by `auto` the fastest that proves equal.

    Raises:
        ModelError: the requested runtime or precision cannot be had for this network.
    """
    device = loaded.device.partition(":")[0]
    reasons: list[str] = []
    for row in reversed(RUNTIMES.values()):
        if row.id != runtime and (runtime != AUTO or not row.in_auto):
            continue
        if runtime == AUTO and (device not in row.devices or not _is_installed(row.package)):
            continue
        try:
            found = _with(row.id, loaded, device, card, PRECISIONS[precision], cache)
            found.notes += tuple(f"not run by {reason}" for reason in reasons)
            return found
        except CannotConvert as error:
            reasons.append(f"{row.title}: {error}")
    if runtime == AUTO and precision == EXACT:
        return loaded  # on a device that is in no row
    raise ModelError(
        f"The model cannot run with runtime {runtime} and precision {precision} here",
        path=path,
        why="; ".join(reasons),
        hint="Choose the runtime auto and the precision exact.",
    )


def _with(
    name: str,
    loaded: Runtime,
    device: str,
    card: ModelCard,
    precision: Precision,
    cache: Path | None,
) -> Runtime:
    row = RUNTIMES[name]
    if device not in row.devices:
        raise CannotConvert(f"it does not run on {device}")
    if not _is_installed(row.package):
        raise CannotConvert(f"it is not installed (pip install {row.package})")
    if name == TORCH and precision.id == EXACT:
        return loaded
    if not isinstance(loaded, TorchScriptRuntime):
        raise CannotConvert("it takes TorchScript networks only")
    made: TorchScriptRuntime | OpenVinoRuntime = loaded
    if name != TORCH:
        made = openvino_runtime.accelerate(loaded, card, precision.id, cache)
    elif not loaded.compute_fast(card):
        raise CannotConvert(f"{device} computes no faster with 16 bits")
    made.score_difference = _require_equal(made, card, precision)
    return made


def _require_equal(
    made: TorchScriptRuntime | OpenVinoRuntime, card: ModelCard, precision: Precision
) -> float:
    """The greatest difference of a score on the test films from torch's in float32.

    Raises:
        CannotConvert: it is beyond the bound.
    """
    films = films_like_training(card)
    try:
        expected = _scores(made.forward(films), card)
        found = _scores(made.each_film(films)[0], card)
    except ModelError as error:
        raise CannotConvert(error.why or error.what) from error
    difference = float(np.abs(found - expected).max()) if found.shape == expected.shape else np.inf
    if not difference <= precision.largest_difference:  # NaN is not
        raise CannotConvert(
            f"its scores differ by {difference:.2g} from those of PyTorch on the test films; "
            f"{precision.id} allows {precision.largest_difference:g}"
        )
    return difference


def _scores(logits_BK: Array, card: ModelCard) -> npt.NDArray[np.float64]:
    logits_BF = logits_BK.astype(np.float64) @ output_to_findings(logits_BK.shape[1], card).T
    return calibrated_scores(logits_BF, card)


def _is_installed(package: str) -> bool:
    return not package or find_spec(package) is not None
