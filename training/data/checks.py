"""Checks before training: every finding has films with and without it, and few are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from training.config import FindingRule, TrainingConfig
from training.data.manifest import Manifest, Omission, reasons
from training.data.splits import TRAIN
from training.data.targets import targets_NK
from xrayview.errors import UsageError

_REASONS = 3
"""Most reasons for each code of omissions."""
_EXPECTED = {
    "BALANCED", "COPY", "EXCLUDED", "FILTERED", "FRAME", "LATERAL", "LEFTOVER", "MASK",
    "NOT_AN_IMAGE", "NOT_A_RADIOGRAPH", "NO_CLASS", "UNUSED_SPLIT",
}  # fmt: skip
"""Codes of omissions that the config asks for, or of files that are no films."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom")
"""A file with such a name that is not a film has lost its content."""


def problems(
    manifest: Manifest, config: TrainingConfig, labels_are_optional: bool = False
) -> Iterator[str]:
    """Yield why training should not begin."""
    if config.data.empty_findings == "refuse":
        yield from _empty_findings(manifest, config)
    patients = {row.patient for row in manifest.rows}
    if len(patients) == 1 < len(manifest.rows):
        yield "all films are of one patient, so they cannot be split (data.patient_pattern)"
    expected = _EXPECTED | ({"NO_LABEL"} if labels_are_optional else set())
    left_out = [
        omission
        for omission in manifest.omitted
        if omission.code not in expected
        or (omission.code == "NOT_AN_IMAGE" and omission.path.lower().endswith(_SUFFIXES))
    ]
    yield from _too_many(left_out, len(manifest.rows), config.data.most_left_out)


def _empty_findings(manifest: Manifest, config: TrainingConfig) -> Iterator[str]:
    rows = [row for row in manifest.rows if row.split == TRAIN]
    targets = targets_NK(rows, config.target)
    for k, rule in enumerate(config.target.findings):
        if not (targets[:, k] == 1).any():
            yield f"no training film has {_described(rule)}"
        elif not (targets[:, k] == 0).any():
            yield f"every training film has {_described(rule)}"
    if not rows:
        yield "there are no training films"


def _described(rule: FindingRule) -> str:
    return f"{rule.name} (labels: {', '.join(rule.labels)})"


def _too_many(left_out: Sequence[Omission], used: int, most: float) -> Iterator[str]:
    share = len(left_out) / max(1, used + len(left_out))
    if share > most:
        yield (
            f"{len(left_out)} of {used + len(left_out)} films ({share:.0%}) are left out, more "
            f"than data.most_left_out allows ({most:.0%}): {reasons(left_out)}"
        )


def refuse(found: Sequence[str]) -> None:
    """Check that there are no problems.

    Raises:
        UsageError: there are; they are listed.
    """
    if found:
        listed = "\n  ".join(found)
        raise UsageError(
            f"Training would not learn what the config says:\n  {listed}\n",
            hint="Correct the labels or the target, or allow it: --set data.empty_findings=allow, "
            "--set data.most_left_out=0.5.",
        )


def lines(manifest: Manifest, conflicts: int, leaks: int, found: Sequence[str]) -> Iterator[str]:
    """Yield the films by split and label, what is left out and why, notes and problems."""
    for split, counts in manifest.counts().items():
        yield f"{split:10s} " + "  ".join(f"{name} {count}" for name, count in counts.items())
    codes = sorted({omission.code for omission in manifest.omitted})
    for code in codes:
        omitted = [omission for omission in manifest.omitted if omission.code == code]
        yield f"left out   {len(omitted)} {code}: {reasons(omitted, _REASONS)}"
    yield from (f"note       {note}" for note in manifest.notes)
    yield f"conflicts  {conflicts}"
    yield f"leaks      {leaks}"
    yield from (f"problem    {problem}" for problem in found)
