"""`films`: what a folder says about its films: patients, labels of every reader, boxes, masks."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from training.commands.options import data_option, say
from training.config import DataConfig
from training.disk import disk_errors
from training.runs import write_json
from training.typed import replace_fields
from xrayview.errors import UsageError
from xrayview.io.dated_copy import kept_if_replaced

if TYPE_CHECKING:
    from training.data.film_list import FilmList


def films_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `films`."""
    data_option(parser)
    parser.add_argument("--out", type=Path, help="write every film to this JSON file")
    parser.add_argument(
        "--set", dest="overrides", metavar="FIELD=VALUE", action="append", default=[],
        help="set a field of data: --set data.reader=nih --set data.table=FILE",
    )  # fmt: skip
    parser.add_argument(
        "--masks", metavar="DIR", type=Path,
        help="write one mask per film as DIR/STEM.png, for data.lung_masks and audit --masks",
    )  # fmt: skip
    parser.add_argument(
        "--of", default="lung", help="which masks, by a part of their name (default: %(default)s)"
    )
    parser.add_argument(
        "--no-headers", action="store_true", help="do not read the headers of DICOM films"
    )


def films(args: argparse.Namespace) -> None:
    """Name the layout of a folder, count its films and labels, and write them as JSON."""
    from training.data.film_list import as_json, read_film_list

    found = read_film_list(args.data, data_config(args.overrides), not args.no_headers)
    for line in describe(found):
        say(line)
    if args.out:
        if args.out.suffix != ".json":
            raise UsageError(f"{args.out} is not a .json file", hint="Name it --out films.json.")
        with disk_errors(args.out), kept_if_replaced(args.out):
            write_json(args.out, as_json(found))
        say(f"written to {args.out}")
    if args.masks:
        from training.data.mask_files import write_masks

        written, without = write_masks(found, args.data, args.of, args.masks)
        say(f"{written} masks written to {args.masks}; {without} films have no mask of {args.of}")


def data_config(overrides: list[str]) -> DataConfig:
    """Return the settings `data.FIELD=VALUE`.

    Raises:
        UsageError: a setting is of another section, unknown or wrong.
    """
    from training.config import settings_tree

    tree = settings_tree(overrides)
    if other := sorted(set(tree) - {"data"}):
        raise UsageError(f"There is no setting {other[0]} here", hint="Only data.* is read.")
    data: DataConfig = replace_fields(DataConfig(), tree.get("data", {}), "data.")
    return data


def describe(found: FilmList) -> list[str]:
    """Return the layout, and the films by split, view and label, as lines."""
    from training.data.film_list import labels
    from training.data.manifest import reasons

    films = found.films
    patients = {film.patient for film in films if film.patient and not film.patient_is_film}
    own = sum(film.patient_is_film or not film.patient for film in films)
    lines = [
        f"layout     {found.title} (data.reader={found.reader})",
        f"films      {len(films)}",
        f"patients   {len(patients)}" + (f", not known for {own} films" if own else ""),
        f"splits     {_counts(Counter(film.split or 'none' for film in films))}",
        f"views      {_counts(Counter(film.view or 'not stated' for film in films))}",
    ]
    readers = Counter(len(film.readings) for film in films)
    if max(readers, default=0) > 1:
        lines.append(f"readers    {', '.join(f'{n} of {c} films' for n, c in readers.items())}")
    states: dict[str, Counter[str]] = {}
    for film in films:
        for name, value in labels(film).items():
            states.setdefault(name, Counter())[_STATES.get(value, "present")] += 1
    seen = sorted(states, key=lambda name: -states[name]["present"])
    shown = [name for name in states if name in seen[:_SHOWN]]
    lines += [f"label      {name}: {_counts(states[name])}" for name in shown]
    if len(states) > _SHOWN:
        lines.append(f"label      and {len(states) - _SHOWN} others, which are rarer")
    if boxes := sum(len(film.boxes) for film in films):
        lines.append(f"boxes      {boxes} on {sum(bool(film.boxes) for film in films)} films")
    if masks := sum(len(film.masks) for film in films):
        lines.append(f"masks      {masks} on {sum(bool(film.masks) for film in films)} films")
    if unlabelled := sum(not film.readings for film in films):
        lines.append(f"unlabelled {unlabelled} films")
    for code, count in sorted(Counter(omission.code for omission in found.omitted).items()):
        own_reasons = [omission for omission in found.omitted if omission.code == code]
        lines.append(f"left out   {count} {code}: {reasons(own_reasons, 3)}")
    return lines + [f"note       {note}" for note in found.notes]


_SHOWN = 30
_STATES: dict[int | None, str] = {0: "absent", -1: "uncertain", None: "not mentioned"}


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
