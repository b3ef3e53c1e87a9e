"""The films that a finished model is measured or fitted on: with its run's splits, none trained on.

A run's `manifest.csv` knows its films by the hashes of their files and pixels. A bundle has no such
hashes: whoever has a film could tell from them whether its patient was among the training films.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from training.data.cache import file_sha256
from training.data.films import Say, list_rows, refuse_conflicts
from training.data.manifest import FilmRow, Manifest, read_rows
from training.data.splits import ALL, TEST, TRAIN, VALIDATION, is_official_test
from training.evaluation.models import EvaluatedModel
from training.runs import RunFolder
from xrayview.errors import NothingUsable, UsageError

_SHOWN = 5


class ModelFilms:
    """The films of a data folder, as a model's config lists them."""

    def __init__(self, model: EvaluatedModel, folder: Path) -> None:
        self.model = model
        self.folder = folder
        self._hashes: dict[str, str] = {}
        self._listings: dict[bool, tuple[FilmRow, ...]] = {}

    @cached_property
    def of_run(self) -> tuple[FilmRow, ...] | None:
        """The films of the bundle's manifest; None if there is none.

        It is in the bundle's folder, or in the folder of its name (an ensemble's). A manifest of
        another run, by the hash in the card, is none.
        """
        expected = self.model.card.training.get("manifest_sha256")
        for folder in (self.model.bundle.parent, self.model.bundle.with_suffix("")):
            manifest = RunFolder(folder).manifest
            if manifest.is_file():
                rows = read_rows(manifest)
                if expected in {None, Manifest(rows).sha256}:
                    return rows
        return None

    @cached_property
    def rows(self) -> tuple[FilmRow, ...]:
        """The films that the config uses; the run's own films have its splits, other data its own.

        Raises:
            UsageError: the table is wrong, or rows contradict each other.
            NothingUsable: no film can be used.
        """
        rows = self._config_rows
        if self.of_run is None or not self.are_own:
            return rows
        return tuple(map(self._with_split_of_run, rows))

    @cached_property
    def are_own(self) -> bool:
        """Whether these are the films of the model's run, by most of their hashes.

        Without a manifest they are if the card has the hash of their manifest; all files are read.
        """
        if self.of_run is None:
            hashed = tuple(map(self._hashed, self._config_rows))
            return Manifest(hashed).sha256 == self.model.card.training.get("manifest_sha256")
        known = {row.sha256 for row in self.of_run}
        shared = sum(row.sha256 in known for row in self._config_rows)
        return 2 * shared > min(len(self._config_rows), len(self.of_run))

    def usual_split(self, say: Say) -> str:
        """Return `test` for the model's own films or for official test films, otherwise `all`."""
        if self.of_run is None:
            self.say_if_unknown(say)
            data = self.model.config.data
            has_test_films = any(is_official_test(row, data) for row in self._config_rows)
            split = TEST if has_test_films else ALL
        else:
            split = TEST if self.are_own else ALL
        count = len(self.part(split))
        films = f"all {count} films" if split == ALL else f"the {count} {split} films"
        say(f"evaluating {films}")
        return split

    def say_if_unknown(self, say: Say) -> None:
        """Say that training films cannot be recognised, if they cannot."""
        if self.of_run is None:
            say("training films: not known, so none can be recognised (no manifest.csv)")

    def part(self, split: str) -> tuple[FilmRow, ...]:
        """Return the films of a split, or all films.

        Raises:
            NothingUsable: the split has no film.
            UsageError: the model was trained on one of them (and the split is not `train`), or
                rows contradict each other.
        """
        every_film = split == ALL
        listed = map(self._known, self._listed(every_film=True)) if every_film else self.rows
        rows = tuple(row for row in listed if row.split == split)
        if not rows:
            raise NothingUsable(f"There are no {split} films", hint="Check --data and --split.")
        if split != TRAIN:
            self.refuse_trained(rows)
        return rows

    def refuse_trained(self, rows: Sequence[FilmRow]) -> None:
        """Check that the model was trained on none of these films.

        Raises:
            UsageError: it was, by the hashes of files and pixels.
        """
        trained = [row for row in self.of_run or () if row.split == TRAIN]
        hashes = {digest for row in trained for digest in (row.sha256, row.pixels_sha256)} - {""}
        allowed = self._leaks_of_run
        found = [
            row.path
            for row in rows
            if {row.sha256, row.pixels_sha256} & hashes and (row.sha256, row.path) not in allowed
        ]
        if found:
            shown = ", ".join(found[:_SHOWN]) + (" ..." if len(found) > _SHOWN else "")
            raise UsageError(
                f"The model was trained on {len(found)} of these {len(rows)} films",
                why=shown,
                hint="Leave them out. `evaluate --split train` measures the training films as "
                "such.",
            )

    def count_fitted(self, rows: Sequence[FilmRow]) -> int:
        """Count the validation films of the run, which chose its epoch and operating points."""
        fitted = [row for row in self.of_run or () if row.split == VALIDATION]
        hashes = {digest for row in fitted for digest in (row.sha256, row.pixels_sha256)} - {""}
        return sum(bool({row.sha256, row.pixels_sha256} & hashes) for row in rows)

    def _listed(self, every_film: bool) -> tuple[FilmRow, ...]:
        if every_film not in self._listings:
            listing = list_rows(self.model.config, self.folder, every_film=every_film)
            refuse_conflicts(listing.conflicts, self.model.config.data)
            self._listings[every_film] = listing.rows
        return self._listings[every_film]

    def _hashed(self, row: FilmRow) -> FilmRow:
        if row.path not in self._hashes:
            self._hashes[row.path] = file_sha256(self.folder / row.path)
        return dataclasses.replace(row, sha256=self._hashes[row.path])

    def _known(self, row: FilmRow) -> FilmRow:
        """Return the film with its hash, if there is anything to compare it with."""
        return row if self.of_run is None else self._hashed(row)

    @cached_property
    def _config_rows(self) -> tuple[FilmRow, ...]:
        return tuple(map(self._known, self._listed(every_film=False)))

    def _with_split_of_run(self, row: FilmRow) -> FilmRow:
        split = self._splits_of_run.get((row.sha256, row.path)) or self._splits_of_run.get(
            (row.sha256, "")
        )
        return dataclasses.replace(row, split=split) if split else row

    @cached_property
    def _leaks_of_run(self) -> set[tuple[str, str]]:
        """Films outside the training split that may be copies of training films (data.leaks)."""
        if self.model.config.data.leaks == "refuse":
            return set()
        return {(row.sha256, row.path) for row in self.of_run or () if row.split != TRAIN}

    @cached_property
    def _splits_of_run(self) -> dict[tuple[str, str], str]:
        """Split of each film by (hash, path), and by hash only for films in other folders."""
        rows = [row for row in self.of_run or () if row.sha256]
        by_path = {(row.sha256, row.path): row.split for row in rows}
        return {(row.sha256, ""): row.split for row in reversed(rows)} | by_path
