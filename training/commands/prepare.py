"""`prepare`: read, split, decode and check the films of a recipe, without training."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.config import TrainingConfig
from training.data.cache import file_sha256
from training.data.films import Films, Say, gather_films, require_trainable, summary
from training.data.leaks import Leak
from training.data.manifest import Conflict, write_omissions, write_rows
from training.disk import whole_text
from training.outputs import keep_tables
from training.runs import command_line, now_utc, write_json

_SUMMARY = "data.json"
_TABLES = ("manifest.csv", "omitted.csv", "leaks.csv", "conflicts.csv")


def prepare(config: TrainingConfig, data: Path, cache: Path, out: Path, say: Say) -> Films:
    """Write manifest.csv, omitted.csv, leaks.csv, conflicts.csv and data.json, fill the cache.

    Everything is written to `out` before anything is refused, so that it can be looked up.
    Existing files are replaced; one that a person has changed is copied first.

    Raises:
        UsageError: the labels are wrong or contradict each other, films leak, a finding has no
            films or too many are left out, and the config does not allow it.
        NothingUsable: no film can be used.
    """
    films = gather_films(config, data, cache, say)
    manifest = films.manifest
    out.mkdir(parents=True, exist_ok=True)
    keep_tables(out / _SUMMARY, _TABLES, say)
    write_rows(manifest.rows, out / "manifest.csv")
    write_omissions(manifest.omitted, out / "omitted.csv")
    _write_leaks(films.leaks, out / "leaks.csv")
    _write_conflicts(films.conflicts, out / "conflicts.csv")
    reasons = Counter(omission.code for omission in manifest.omitted)
    write_json(
        out / _SUMMARY,
        {
            "recipe": config.recipe,
            "manifest_sha256": manifest.sha256,
            "counts": manifest.counts(),
            "omitted": dict(reasons),
            "leaks": dict(Counter(leak.kind for leak in films.leaks)),
            "conflicts": dict(Counter(conflict.kind for conflict in films.conflicts)),
            "problems": list(films.problems),
            "notes": list(manifest.notes),
            "tables": {name: sha256 for name in _TABLES if (sha256 := file_sha256(out / name))},
            "command": command_line(),
            "time_utc": now_utc(),
        },
    )
    for line in summary(films):
        say(line)
    say(f"written to {out}")
    require_trainable(films, config)
    return films


def _write_leaks(leaks: Sequence[Leak], path: Path) -> None:
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(["leak", "kind", "path", "split", "label"])
        for number, leak in enumerate(leaks, start=1):
            writer.writerows(
                (number, leak.kind, film.path, film.split, "|".join(film.labels))
                for film in leak.films
            )


def _write_conflicts(conflicts: Sequence[Conflict], path: Path) -> None:
    """Write the conflicts; without any there is no file."""
    if not conflicts:
        path.unlink(missing_ok=True)
        return
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(["conflict", "kind", "path", "label", "patient", "split"])
        for number, conflict in enumerate(conflicts, start=1):
            writer.writerows(
                (number, conflict.kind, row.path, "|".join(row.labels), row.patient,
                 row.official_split)
                for row in conflict.rows
            )  # fmt: skip
