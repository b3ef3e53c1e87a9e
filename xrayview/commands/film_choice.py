"""Which films `classify` reads: a folder, or an index of one, or a shard of that."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.terminal import existing_path
from xrayview.errors import UsageError

if TYPE_CHECKING:
    from xrayview.batch.frozen_films import FrozenFilms


def add_films_options(parser: argparse.ArgumentParser) -> None:
    """`--films`, `--shard` and `--root`."""
    parser.add_argument(
        "--films",
        type=Path,
        metavar="INDEX",
        help="classify the films of an index, which `xrayview index` writes, in place of FOLDER",
    )
    parser.add_argument(
        "--shard",
        metavar="K/N",
        help="only part K of N of the index; films of one patient are never in two parts",
    )
    parser.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help="where the indexed folder is on this computer (default: where it was indexed)",
    )


def films_of(options: argparse.Namespace) -> tuple[Path, FrozenFilms | None]:
    """The folder, and the films of the index if there is one.

    Raises:
        UsageError: the options contradict each other, or what they name is not there.
    """
    if (options.folder is None) == (options.films is None):
        why = "neither" if options.folder is None else "both"
        raise UsageError(
            "Name a folder or an index",
            why=f"there is {why}",
            hint="Write FOLDER or --films INDEX.",
        )
    if options.films is None:
        for name in ("shard", "root"):
            if getattr(options, name) is not None:
                hint = "Make one with `xrayview index FOLDER`, and name it with --films."
                raise UsageError(f"--{name} needs an index", hint=hint)
        return existing_path(options.folder), None
    from xrayview.batch.frozen_films import WHOLE, open_frozen
    from xrayview.domain.film_index import Shard

    shard = Shard.parse(options.shard) if options.shard else WHOLE
    frozen = open_frozen(existing_path(options.films), shard, options.root)
    return frozen.root, frozen
