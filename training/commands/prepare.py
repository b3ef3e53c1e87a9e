"""`prepare`: read, split, decode and check the films of a recipe, without training."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.config import TrainingConfig
from training.data.films import Films, Say, gather_films
from training.data.leaks import Leak, refuse
from training.data.manifest import write_omissions, write_rows
from training.runs import command_line, now_utc, write_json

_SHOWN = 10


def prepare(config: TrainingConfig, data: Path, cache: Path, out: Path, say: Say) -> Films:
    """Write manifest.csv, omitted.csv, leaks.csv and data.json to `out`, and fill the cache.

    Everything is written before leaks are refused, so that they can be looked up. Existing files
    are replaced.

    Raises:
        UsageError: the labels are wrong, or films leak and the config does not allow it.
        NothingUsable: no film can be used.
    """
    films = gather_films(config, data, cache, say)
    manifest = films.manifest
    out.mkdir(parents=True, exist_ok=True)
    write_rows(manifest.rows, out / "manifest.csv")
    write_omissions(manifest.omitted, out / "omitted.csv")
    _write_leaks(films.leaks, out / "leaks.csv")
    reasons = Counter(omission.code for omission in manifest.omitted)
    write_json(
        out / "data.json",
        {
            "recipe": config.recipe,
            "manifest_sha256": manifest.sha256,
            "counts": manifest.counts(),
            "omitted": dict(reasons),
            "leaks": dict(Counter(leak.kind for leak in films.leaks)),
            "notes": list(manifest.notes),
            "command": command_line(),
            "time_utc": now_utc(),
        },
    )
    for line in _lines(films, reasons):
        say(line)
    say(f"written to {out}")
    refuse(films.leaks, config.data)
    return films


def _lines(films: Films, reasons: Counter[str]) -> Sequence[str]:
    lines = [
        f"{split:10s} " + "  ".join(f"{name} {count}" for name, count in counts.items())
        for split, counts in films.manifest.counts().items()
    ]
    lines += [f"left out   {count} {code}" for code, count in sorted(reasons.items())]
    lines += [f"note       {note}" for note in films.manifest.notes]
    lines.append(f"leaks      {len(films.leaks)}")
    lines += [f"  {leak}" for leak in films.leaks[:_SHOWN]]
    return lines


def _write_leaks(leaks: Sequence[Leak], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["leak", "kind", "path", "split", "label"])
        for number, leak in enumerate(leaks, start=1):
            writer.writerows(
                (number, leak.kind, film.path, film.split, "|".join(film.labels))
                for film in leak.films
            )
