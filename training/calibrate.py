"""`export`, `calibrate`, `gate`: a finished bundle from a run's best weights, or from a bundle.

The first two fit the temperature and choose the operating points on validation only. All write a
new file, and leave every file that is there as it is.
"""

from __future__ import annotations

import json
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.bundle.card import draft_card
from training.bundle.export import TOLERANCE, best_network, export, save_script
from training.bundle.gate_statistics import described, gate_statistics, gated
from training.config import TrainingConfig
from training.data.films import Say, select_rows
from training.data.splits import VALIDATION
from training.evaluation.evaluate import Subject
from training.evaluation.scoring import Scored, score_films
from training.pipeline import fitted_card
from training.runs import RunFolder, command_line, commit
from xrayview.domain.model import ModelCard, Scope
from xrayview.errors import ModelError, NothingUsable, UsageError
from xrayview.inference import loading
from xrayview.inference.gate_file import GATE_NAME, to_npz
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import CARD_NAME, card_to_json, read_card, read_extra


def export_run(run: RunFolder, data: Path, out: Path | None, say: Say) -> Path:
    """Make the bundle of a run's best weights, such as of a run that was stopped early.

    Test films are not looked at: `evaluate` judges the bundle.

    Raises:
        UsageError: the folder is no run, it has no weights yet, or the bundle is there already.
        NothingUsable: there is no validation film.
        ModelError: the exported network differs from the trained one.
    """
    config = run.read_config()
    path = _free(out or run.bundle(config))
    network = best_network(config, run)
    draft = draft_card(config, run.read_facts(), network.stride)
    with tempfile.TemporaryDirectory() as folder:
        loaded = export(network, draft, Path(folder) / path.name)
    rows = select_rows(config, data)[0]
    card = fitted_card(config, draft, _validation(config, draft, loaded, data))
    card, extra = gated(loaded, card, rows, data, say)
    export(network, card, path, extra)
    return _told(card, path, say)


def recalibrate(subject: Subject, data: Path, out: Path | None, device: str, say: Say) -> Path:
    """Write a copy of the bundle with temperature and operating points of these films.

    Its card keeps no figure of the old scores.

    Raises:
        UsageError: the new bundle is there already.
        NothingUsable: there is no validation film.
        ModelError: the copy differs from the bundle.
    """
    bundle = subject.bundle
    path = _free(out or bundle.with_name(f"{bundle.stem}-calibrated.pt"))
    loaded = loading.load(bundle, subject.card, device)
    validation = _validation(subject.config, subject.card, loaded, data)
    card = fitted_card(subject.config, subject.card, validation)
    origin = {"from_sha256": loaded.sha256, "command": command_line(), "commit": commit()}
    card = replace(
        card,
        version=f"{subject.card.version.partition('+')[0]}+recalibrated",
        training={**card.training, "recalibration": origin},
    )
    _copy(bundle, card, path)
    return _told(card, path, say)


def add_gate(subject: Subject, data: Path, out: Path | None, device: str, say: Say) -> Path:
    """Write a copy of the bundle with statistics of its training films.

    Scores stay as they are. A card that does not say which films it is for gets the recipe's
    scope.

    Raises:
        UsageError: the new bundle is there already.
        NothingUsable: too few films for training or for validation.
        ModelError: the copy differs from the bundle.
    """
    bundle, card = subject.bundle, subject.card
    path = _free(out or bundle.with_name(f"{bundle.stem}-gated.pt"))
    loaded = loading.load(bundle, card, device)
    rows = select_rows(subject.config, data)[0]
    statistics = gate_statistics(loaded, card, rows, data, say)
    if card.scope == Scope():
        card = replace(card, scope=subject.config.bundle.scope)
    origin = {"from_sha256": loaded.sha256, "command": command_line(), "commit": commit()}
    card = replace(
        described(card, statistics), training={**card.training, "gate_statistics": origin}
    )
    _copy(bundle, card, path, {GATE_NAME: to_npz(statistics)})
    say(f"doubted beyond {statistics.near:.3f}, refused beyond {statistics.far:.3f}")
    say(f"bundle {path}")
    return path


def _free(path: Path) -> Path:
    if path.exists():
        raise UsageError(
            f"{path} is already there", hint="A bundle is never overwritten: name another, --out."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _validation(
    config: TrainingConfig, card: ModelCard, loaded: Runtime, data: Path
) -> dict[str, Scored]:
    """Test films are not looked at."""
    rows = [row for row in select_rows(config, data)[0] if row.split == VALIDATION]
    if not rows:
        raise NothingUsable("There is no film for validation", hint="Look at --data.")
    return {VALIDATION: score_films(loaded, card, rows, data)}


def _copy(
    bundle: Path, card: ModelCard, path: Path, extra: Mapping[str, bytes] | None = None
) -> None:
    """The same program with another card and `extra` files, proved to give the same logits."""
    partial = path.with_name(path.name + ".partial")
    extras: dict[str, str | bytes] = {
        name: read_extra(bundle, name) or b"" for name in _extra_names(bundle)
    }
    extras |= extra or {}
    extras[CARD_NAME] = json.dumps(card_to_json(card), indent=2, ensure_ascii=False)
    with warnings.catch_warnings():
        # TorchScript is deprecated, not gone: it is the contract's format.
        warnings.simplefilter("ignore")
        script = torch.jit.load(str(bundle), map_location="cpu")  # type: ignore[no-untyped-call]
        save_script(script, partial, extras)
    try:
        _require_same(loading.load(bundle, card, "cpu"), partial)
    except ModelError:
        partial.unlink()
        raise
    partial.replace(path)


def _extra_names(bundle: Path) -> list[str]:
    with zipfile.ZipFile(bundle) as archive:
        parts = [name.split("/", 2) for name in archive.namelist()]
    return [part[2] for part in parts if len(part) == 3 and part[1] == "extra"]


def _require_same(before: Runtime, partial: Path) -> None:
    card = read_card(partial)
    after = loading.load(partial, card, "cpu")
    shape = (2, card.preprocessing.channels, *card.preprocessing.size)
    x_BCHW = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    distance = float(np.abs(before.forward(x_BCHW) - after.forward(x_BCHW)).max())
    if not distance <= TOLERANCE:
        raise ModelError(
            "The copy differs from the bundle",
            path=partial,
            why=f"logits differ by {distance:.2g}",
            hint="It was not written.",
        )


def _told(card: ModelCard, path: Path, say: Say) -> Path:
    temperatures = ", ".join(f"{t:.3f}" for t in card.calibration.temperature)
    say(f"temperature {temperatures}, fitted on {card.calibration.fitted_on}")
    for point in card.operating_points:
        say(f"{point.finding} {point.name}: score >= {point.threshold:.3f} ({point.chosen_by})")
    say(f"bundle {path}")
    return path
