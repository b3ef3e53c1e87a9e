"""`export`, `calibrate`, `gate`: a finished bundle from a run's best weights or from a bundle.

The first two fit the temperature and choose the operating points on validation only. All write a
new file and never change an existing one.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.bundle.card import calibration_notes, draft_card
from training.bundle.export import TOLERANCE, best_network, export, save_script
from training.bundle.gate_statistics import (
    describe_gate,
    gate_statistics,
    set_caution_limit,
    with_gate,
)
from training.bundle.identity import (
    bundle_identity,
    identity_notes,
    identity_of_copy,
    state_identity,
)
from training.config import BundleConfig, TrainingConfig, with_overrides
from training.data.cache import file_sha256
from training.data.films import Say, refuse_conflicts
from training.data.manifest import FilmRow, read_rows
from training.data.merging import pixel_conflicts
from training.data.splits import TRAIN, VALIDATION
from training.evaluation.model_films import ModelFilms
from training.evaluation.models import EvaluatedModel
from training.evaluation.scoring import ScoredFilms, score_films
from training.pipeline import fit_card
from training.runs import RunFolder, command_line, commit
from xrayview.domain.model import ModelCard, Scope
from xrayview.errors import ModelError, NothingUsable, UsageError
from xrayview.inference import loading
from xrayview.inference.gate_file import GATE_NAME, read_statistics, to_npz
from xrayview.inference.ood_score import TrainingStatistics
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import CARD_NAME, card_to_json, read_card, read_extra


def export_run(run: RunFolder, data: Path, out: Path | None, say: Say) -> Path:
    """Make the bundle of a run's best weights, for example of a run that was stopped early.

    Test films are not used; `evaluate` measures the bundle on them.

    Raises:
        UsageError: the folder is not a run or has no weights yet, the bundle exists, or the films
            differ from those that the run began with.
        NothingUsable: there are no validation films.
        ModelError: the exported network differs from the trained one.
    """
    config = run.read_config()
    path = _require_free(out or run.bundle(config))
    rows = _films_of_run(run, data)
    network = best_network(config, run)
    draft = draft_card(config, run.read_facts(), network.stride)
    with tempfile.TemporaryDirectory() as folder:
        loaded = export(network, draft, Path(folder) / path.name)
    card = fit_card(config, draft, _scored(draft, loaded, rows, data))
    card, extra = with_gate(loaded, card, rows, data, say)
    export(network, card, path, extra)
    return _report(card, path, say)


def _films_of_run(run: RunFolder, data: Path) -> tuple[FilmRow, ...]:
    """Return the films of the run's manifest with its splits, which may differ from a hash's."""
    rows = read_rows(run.manifest)
    used = [row for row in rows if row.split in {TRAIN, VALIDATION}]
    if changed := [row.path for row in used if file_sha256(data / row.path) != row.sha256]:
        raise UsageError(
            f"{len(changed)} of {len(used)} films differ from those that the run began with",
            path=run.manifest,
            why=f"{changed[0]} is missing or has changed",
            hint="Restore them, or name the run's films with --data.",
        )
    return rows


def recalibrate(
    model: EvaluatedModel,
    data: Path,
    out: Path | None,
    device: str,
    say: Say,
    stated: Sequence[str] = (),
) -> Path:
    """Write a copy of the bundle with temperature and operating points of these films.

    Its card keeps no metric of the old scores. On other films than the model's own the copy does
    not keep a shipped model's name and texts; `stated` are settings `bundle.FIELD=VALUE`.

    Raises:
        UsageError: the new bundle exists, or the model was trained on one of the films.
        NothingUsable: there are no validation films.
        ModelError: the copy differs from the bundle.
    """
    bundle = model.bundle
    path = _require_free(out or bundle.with_name(f"{bundle.stem}-calibrated.pt"))
    bundle_config = _stated(model.config, stated)
    films = ModelFilms(model, data)
    films.say_if_unknown(say)
    rows = films.part(VALIDATION)
    say(f"calibrating on {len(rows)} validation films of {len(films.rows)} films")
    loaded = loading.load(bundle, model.card, device)
    validation = _scored(model.card, loaded, rows, data)
    films.refuse_trained(validation[VALIDATION].rows)
    refuse_conflicts(
        pixel_conflicts(validation[VALIDATION].rows, model.config.target), model.config.data
    )
    card = fit_card(model.config, model.card, validation)
    origin = _origin(loaded.sha256, rows)
    version = f"{model.card.version.partition('+')[0]}+recalibrated"
    card = replace(card, version=version, training={**card.training, "recalibration": origin})
    card = _identified(card, films, "calibrated", bundle_config)
    _copy(bundle, card, path)
    return _report(card, path, say)


def _stated(config: TrainingConfig, overrides: Sequence[str]) -> BundleConfig:
    for setting in overrides:
        if not setting.startswith("bundle."):
            raise UsageError(
                f"--set {setting} is not a text of the card",
                hint="Here only bundle.name, bundle.version, bundle.authors, bundle.licence, "
                "bundle.scope.age_years and other fields of bundle can be set.",
            )
    plain = replace(config, bundle=replace(config.bundle, stated=()))
    return with_overrides(plain, overrides).bundle


def _origin(sha256: str, rows: Sequence[FilmRow]) -> dict[str, object]:
    return {
        "from_sha256": sha256,
        "film_sources": dict(sorted(Counter(row.source for row in rows).items())),
        "command": command_line(),
        "commit": commit(),
    }


def _identified(card: ModelCard, films: ModelFilms, change: str, bundle: BundleConfig) -> ModelCard:
    """Return the card of a copy with its own name and texts, if it was fitted on other films."""
    config = films.model.config
    if not films.are_own:
        sources = Counter(row.source for row in films.rows)
        card = identity_of_copy(card, config, change, dict(sorted(sources.items())))
    return state_identity(card, bundle, bundle.stated)


def add_gate(
    model: EvaluatedModel,
    data: Path,
    out: Path | None,
    device: str,
    say: Say,
    stated: Sequence[str] = (),
) -> Path:
    """Write a copy of the bundle with statistics of its training films.

    Scores do not change. A card without a scope gets the recipe's, if it was trained on the
    recipe's films, or what the run's config states. If the run's films are not known, the
    statistics are of the films in `data`, and a shipped model's name and texts are not kept.

    Raises:
        UsageError: the new bundle exists, or the films are not those of the model's run.
        NothingUsable: there are too few training or validation films.
        ModelError: the copy differs from the bundle.
    """
    bundle, card = model.bundle, model.card
    path = _require_free(out or bundle.with_name(f"{bundle.stem}-gated.pt"))
    bundle_config = _stated(model.config, stated)
    films = ModelFilms(model, data)
    if films.of_run is not None and not films.are_own:
        raise UsageError(
            "These are not the films that the model was trained on",
            path=RunFolder(bundle.parent).manifest,
            hint="Name the run's films with --data: the statistics are of the training films.",
        )
    films.part(VALIDATION)
    loaded = loading.load(bundle, card, device)
    statistics = gate_statistics(loaded, card, films.rows, data, say)
    if card.scope == Scope():
        card = replace(card, scope=bundle_identity(model.config, card.training).scope)
    card = _identified(card, films, "gated", bundle_config)
    return _write_gate(bundle, card, statistics, path, "gate_statistics", say)


def update_caution_limit(bundle: Path, out: Path | None, version: str | None, say: Say) -> Path:
    """Write a copy of the bundle with the caution limit of the current rule.

    It follows from the percentiles in the bundle; its statistics and scores do not change.

    Raises:
        UsageError: the new bundle exists, or the bundle has no statistics.
        ModelError: the statistics are damaged, or the copy differs from the bundle.
    """
    path = _require_free(out or bundle.with_name(f"{bundle.stem}-gated.pt"))
    statistics = read_statistics(bundle)
    if statistics is None:
        raise UsageError(
            "The bundle has no statistics of its training films",
            path=bundle,
            hint="Compute them: leave out --limits-only and name the films with --data.",
        )
    card = read_card(bundle)
    card = replace(card, version=version or card.version)
    return _write_gate(bundle, card, set_caution_limit(statistics), path, "gate_limits", say)


def _write_gate(
    bundle: Path,
    card: ModelCard,
    statistics: TrainingStatistics,
    path: Path,
    origin_key: str,
    say: Say,
) -> Path:
    origin = {
        "from_sha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
        "command": command_line(),
        "commit": commit(),
    }
    card = replace(describe_gate(card, statistics), training={**card.training, origin_key: origin})
    _copy(bundle, card, path, {GATE_NAME: to_npz(statistics)})
    say(f"caution beyond {statistics.near:.3f}, out of scope beyond {statistics.far:.3f}")
    _say_identity(card, path, say)
    return path


def _say_identity(card: ModelCard, path: Path, say: Say) -> None:
    for note in identity_notes(card):
        say(f"note: {note}")
    say(f"bundle {path}")


def _require_free(path: Path) -> Path:
    if path.exists():
        raise UsageError(
            f"{path} already exists",
            hint="A bundle is never overwritten: choose another file with --out.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _scored(
    card: ModelCard, loaded: Runtime, rows: Sequence[FilmRow], data: Path
) -> dict[str, ScoredFilms]:
    """Score the validation films; test films are not used."""
    rows = [row for row in rows if row.split == VALIDATION]
    if not rows:
        raise NothingUsable("There are no validation films", hint="Check --data.")
    return {VALIDATION: score_films(loaded, card, rows, data)}


def _copy(
    bundle: Path, card: ModelCard, path: Path, extra: Mapping[str, bytes] | None = None
) -> None:
    """Copy the program with another card and `extra` files; check that its logits are the same."""
    partial = path.with_name(path.name + ".partial")
    extras: dict[str, str | bytes] = {
        name: read_extra(bundle, name) or b"" for name in _extra_names(bundle)
    }
    extras |= extra or {}
    extras[CARD_NAME] = json.dumps(card_to_json(card), indent=2, ensure_ascii=False)
    with warnings.catch_warnings():
        # TorchScript is deprecated, but it is the bundle's format.
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
    difference = float(np.abs(before.forward(x_BCHW) - after.forward(x_BCHW)).max())
    if not difference <= TOLERANCE:
        raise ModelError(
            "The copy differs from the bundle",
            path=partial,
            why=f"logits differ by {difference:.2g}",
            hint="No bundle was written.",
        )


def _report(card: ModelCard, path: Path, say: Say) -> Path:
    temperatures = ", ".join(f"{t:.3f}" for t in card.calibration.temperature)
    say(f"temperature {temperatures}, fitted on {card.calibration.fitted_on}")
    for note in calibration_notes(card):
        say(f"note: {note}")
    for point in card.operating_points:
        say(f"{point.finding} {point.name}: score >= {point.threshold:.3f} ({point.chosen_by})")
    _say_identity(card, path, say)
    return path
