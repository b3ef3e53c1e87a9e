"""The films of a run: listed from a data folder, split, checked for leaks and decoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from training.config import DataConfig, TrainingConfig
from training.data import cache, checks, leaks, readers, splits, surroundings, targets
from training.data.balance import balance
from training.data.batches import FilmSet
from training.data.headers import fill_from_headers
from training.data.lung_masks import LungMasks
from training.data.manifest import Conflict, FilmRow, Listing, Manifest, Omission, reasons
from training.data.merging import Merged, contradictory_labels, merge_rows, pixel_conflicts
from training.data.patients import is_unknown, patient_notes, require_matches
from training.data.tidy import tidied
from training.data.views import is_lateral
from xrayview.errors import NothingUsable, UsageError
from xrayview.preprocessing.pipeline import Preprocessor

Say = Callable[[str], None]

_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Films:
    """A run's films: the manifest and, for each of its rows, grey and targets."""

    manifest: Manifest
    greys_NHW: npt.NDArray[np.float32]
    targets_NK: npt.NDArray[np.float32]
    leaks: tuple[leaks.Leak, ...]
    lungs_NHW: npt.NDArray[np.uint8] | None = None
    """1 in the lungs; None if the config needs no lung masks."""
    cache: Path | None = None
    """Folder in which further data about the films can be cached."""
    conflicts: tuple[Conflict, ...] = ()
    """Rows that contradict each other; their films are left out."""
    problems: tuple[str, ...] = ()
    """Why training should not begin, such as a finding without films."""

    def part(self, split: str) -> FilmSet:
        """Return the films of one split.

        Raises:
            NothingUsable: the split is empty.
        """
        indices = np.array(self.manifest.indices(split), dtype=np.int64)
        if not indices.size:
            raise NothingUsable(
                f"There are no {split} films", hint="Check data.*_splits of the config."
            )
        names = tuple(self.manifest.rows[i].path for i in indices)
        return FilmSet(
            self.greys_NHW, indices, self.targets_NK[indices], names, lungs_NHW=self.lungs_NHW
        )


def select_rows(
    config: TrainingConfig, folder: Path
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """Return the films that a run uses, with their split, and the omitted ones. Decodes no film.

    Raises:
        UsageError: the table is wrong, or rows contradict each other.
        NothingUsable: no film can be used.
    """
    listing = list_rows(config, folder)
    refuse_conflicts(listing.conflicts, config.data)
    return listing.rows, listing.omitted


def list_rows(config: TrainingConfig, folder: Path, every_film: bool = False) -> Listing:
    """Same as `select_rows`, with conflicts, and with notes for the card.

    With `every_film` the films are not split: all of them have the split ALL.
    """
    data, target = config.data, config.target
    listing = readers.list_films(folder, data)
    merged = merge_rows([tidied(row, folder) for row in listing.rows], data, target)
    require_matches(merged.rows, data)
    films = fill_from_headers(merged.rows, folder, listing.placeholders)
    rows, lateral = _frontal(films, config)
    contradictory = contradictory_labels(rows, target)
    rows = _without(rows, contradictory)
    rows, unknown = targets.select(rows, target)
    if every_film:
        rows = tuple(dataclasses.replace(row, split=splits.ALL) for row in rows)
    else:
        rows = splits.assign(rows, data)
    unused = tuple(splits.why_unused(row) for row in rows if not row.split)
    few = splits.few_validation_notes(rows, data)
    spare: tuple[Omission, ...] = ()
    rows = tuple(row for row in rows if row.split)
    if not every_film:
        rows, spare = balance(rows, data, target)
    conflicts = merged.conflicts + contradictory
    omitted = listing.omitted + _omissions(conflicts) + lateral + unknown + unused + spare
    omitted = _with_patients(omitted, [*films, *(row for c in conflicts for row in c.rows)])
    if not rows and not conflicts:
        raise NothingUsable(
            "No film can be used",
            path=folder,
            why=reasons(omitted) or "the list is empty",
            hint=f"Known labels: {', '.join(targets.known_labels(target))}; known splits: "
            f"{', '.join(splits.known_names(data))}.",
        )
    notes = [note for note in listing.notes if note not in patient_notes(listing.rows)]
    notes += [*patient_notes(films), *few, *_merge_notes(merged, data)]
    return Listing(rows, omitted, tuple(notes), conflicts, listing.labels_are_optional)


def _frontal(
    rows: Sequence[FilmRow], config: TrainingConfig
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """Return the films that are not lateral, unless lateral films are asked for, and the others."""
    views = config.bundle.scope.view_positions
    if config.data.lateral == "use" or any(is_lateral(view, "") for view in views):
        return tuple(rows), ()
    lateral = [row for row in rows if is_lateral(row.view, _path_without_label(row))]
    paths = {row.path for row in lateral}
    why = "a lateral film (data.lateral)"
    return (
        tuple(row for row in rows if row.path not in paths),
        tuple(Omission(row.path, "LATERAL", why) for row in lateral),
    )


def _path_without_label(row: FilmRow) -> str:
    """Return the path without the folder that is the film's label, which may name a finding."""
    labels = set(row.labels)
    return "/".join(part for part in PurePosixPath(row.path).parts if part not in labels)


def _without(rows: Sequence[FilmRow], conflicts: Sequence[Conflict]) -> tuple[FilmRow, ...]:
    paths = {row.path for conflict in conflicts for row in conflict.rows}
    return tuple(row for row in rows if row.path not in paths)


def _omissions(conflicts: Sequence[Conflict]) -> tuple[Omission, ...]:
    reasons_by_path = {row.path: c.kind for c in conflicts for row in c.rows}
    return tuple(Omission(path, "CONFLICT", kind) for path, kind in reasons_by_path.items())


def _with_patients(omitted: Sequence[Omission], rows: Sequence[FilmRow]) -> tuple[Omission, ...]:
    patients = {row.path: row.patient for row in rows if not is_unknown(row.patient)}
    return tuple(
        dataclasses.replace(omission, patient=omission.patient or patients.get(omission.path, ""))
        for omission in omitted
    )


def _merge_notes(merged: Merged, data: DataConfig) -> list[str]:
    notes = []
    if merged.repeated:
        notes.append(f"{merged.repeated} rows repeat a film with the same label and count once.")
    if merged.voted:
        notes.append(f"The labels of {merged.voted} films are votes of their rows ({data.votes}).")
    return notes


def refuse_conflicts(conflicts: Sequence[Conflict], data: DataConfig) -> None:
    """Check that no rows contradict each other, unless the config leaves such films out.

    Raises:
        UsageError: they do; they are listed.
    """
    if conflicts and data.conflicts == "refuse":
        listed = "\n  ".join(map(str, conflicts[:_SHOWN]))
        more = f"\n  and {len(conflicts) - _SHOWN} more" if len(conflicts) > _SHOWN else ""
        raise UsageError(
            f"{len(conflicts)} conflicts between labels:\n  {listed}{more}\n",
            hint="Correct the table or the folders, state how rows are merged (--set "
            "data.votes=majority), or leave these films out (--set data.conflicts=leave_out).",
        )


def load_films(
    config: TrainingConfig, folder: Path, cache_folder: Path, say: Say = lambda _line: None
) -> Films:
    """Load everything that training needs of the data.

    Raises:
        UsageError: the label table is wrong, rows contradict each other, or films leak between
            splits.
        NothingUsable: no film is left.
    """
    films = gather_films(config, folder, cache_folder, say)
    refuse_conflicts(films.conflicts, config.data)
    leaks.refuse(films.leaks, config.data)
    return films


def require_trainable(films: Films, config: TrainingConfig) -> None:
    """Check what `gather_films` only reports.

    Raises:
        UsageError: rows contradict each other, films leak between splits, a finding has no films,
            or too many films are left out.
    """
    refuse_conflicts(films.conflicts, config.data)
    leaks.refuse(films.leaks, config.data)
    checks.refuse(films.problems)


def gather_films(
    config: TrainingConfig, folder: Path, cache_folder: Path, say: Say = lambda _line: None
) -> Films:
    """Same as `load_films`, but report leaks, conflicts and problems instead of refusing them.

    Raises:
        UsageError: the label table is wrong.
        NothingUsable: no film is left.
    """
    listing = list_rows(config, folder)
    if not listing.rows:
        refuse_conflicts(listing.conflicts, config.data)
        raise NothingUsable("No film is left", path=folder, why=reasons(listing.omitted))
    # A missing folder is reported before the films are decoded, which may take an hour.
    masks = _lung_masks(config, folder)
    preprocessor = Preprocessor(config.preprocessing)

    def progress(done: int, total: int) -> None:
        if done % 1000 == 0 or done == total:
            say(f"decoded {done} of {total} films")

    greys = cache.load_greys(listing.rows, folder, preprocessor, cache_folder, progress)
    contradicting = pixel_conflicts(greys.rows, config.target)
    dropped = {row.path for conflict in contradicting for row in conflict.rows}
    used = [i for i, row in enumerate(greys.rows) if row.path not in dropped]
    rows, moved = splits.keep_together([greys.rows[i] for i in used], config.data)
    greys_NHW = greys.greys_NHW[used] if dropped else greys.greys_NHW
    crossing = list(leaks.find_leaks(rows))
    if config.data.near_duplicate_bits >= 0:
        bits = config.data.near_duplicate_bits
        crossing += leaks.find_near_duplicates(rows, greys_NHW, bits)
    manifest = Manifest(
        rows,
        listing.omitted + _with_patients(greys.omitted + _omissions(contradicting), listing.rows),
        listing.notes + _copy_notes(rows) + _moved_notes(moved),
    )
    return Films(
        manifest=manifest,
        greys_NHW=greys_NHW,
        targets_NK=targets.targets_NK(rows, config.target),
        leaks=tuple(crossing),
        lungs_NHW=_lungs(masks, rows, preprocessor, cache_folder, say),
        cache=cache_folder,
        conflicts=listing.conflicts + contradicting,
        problems=tuple(checks.problems(manifest, config, listing.labels_are_optional)),
    )


def summary(films: Films) -> Iterator[str]:
    """Yield what `prepare` and `train` print of the films before training."""
    manifest = films.manifest
    yield from checks.lines(manifest, len(films.conflicts), len(films.leaks), films.problems)
    yield from (f"  {each}" for each in (*films.conflicts[:_SHOWN], *films.leaks[:_SHOWN]))


def _copy_notes(rows: Sequence[FilmRow]) -> tuple[str, ...]:
    pixels = [row.pixels_sha256 for row in rows if row.pixels_sha256]
    copies = len(pixels) - len(set(pixels))
    verb = "film has" if copies == 1 else "films have"
    note = f"{copies} {verb} the pixels of another film; in metrics they count once."
    return (note,) if copies else ()


def _moved_notes(moved: Sequence[FilmRow]) -> tuple[str, ...]:
    if not moved:
        return ()
    note = (
        f"{len(moved)} films have another split than their patient's hash, to be with films of the "
        "same pixels."
    )
    return (note,)


def _lung_masks(config: TrainingConfig, folder: Path) -> LungMasks | None:
    if not config.augment.needs_lung_masks:
        return None
    return LungMasks(folder / config.data.lung_masks)


def _lungs(
    masks: LungMasks | None,
    rows: Sequence[FilmRow],
    preprocessor: Preprocessor,
    cache_folder: Path,
    say: Say,
) -> npt.NDArray[np.uint8] | None:
    if masks is None:
        return None
    lungs_NHW = surroundings.load_lungs(rows, masks, preprocessor, cache_folder)
    say(f"{int(lungs_NHW.any(axis=(1, 2)).sum())} of {len(rows)} films have a lung mask")
    return lungs_NHW
