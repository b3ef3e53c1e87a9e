"""`xrayview render FILE|FOLDER --out DIR`: films as pictures of their displayed grey.

Prints one line per file to stdout: `PATH: ok: PICTURE`, or why there is no picture; notes follow
the picture after a colon. With a model, the film's verdict stands instead of `ok`:
`PATH: Caution: PICTURE: REASONS`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.model_choice import trusted_model
from xrayview.commands.options import (
    add_device_option,
    add_model_option,
    add_stated_options,
    add_trust_option,
    add_workers_option,
    stated_by,
)
from xrayview.commands.output_folder import add_inside_option, check_output_folder
from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing_path,
    load_settings,
    positive_int,
    print_err,
    print_out,
    start_engine,
)
from xrayview.domain.heat_map_methods import HEAT_MAP_METHODS
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.batch.heat_maps import HeatMapOptions
    from xrayview.batch.render import FilmRendered
    from xrayview.domain.radiograph import Window
    from xrayview.engine.protocol import RenderFilm
    from xrayview.services.settings import Settings

_NEEDS_MODEL = ("finding", "method", "opacity")
"""Options that have no meaning without `--model`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FILE|FOLDER", help="one film, or a folder of films")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="output folder; film.dcm becomes DIR/film.dcm.png, subfolders are kept",
    )
    voi = parser.add_mutually_exclusive_group()
    voi.add_argument(
        "--window",
        type=_window,
        metavar="C,W",
        help="window centre and width in modality values; for a negative centre write --window=C,W",
    )
    voi.add_argument(
        "--window-index", type=positive_int, metavar="N", help="use window N of the file, from 1"
    )
    voi.add_argument("--auto", action="store_true", help="use the automatic window")
    add(
        "--frame",
        type=positive_int,
        default=1,
        metavar="N",
        help="frame of multi-frame files, from 1 (default: %(default)s)",
    )
    add("--invert", action="store_true", help="swap black and white")
    add("--no-overlays", action="store_true", help="do not draw the file's overlay planes")
    add(
        "--square-pixels",
        action="store_true",
        help="enlarge pixels that are not square along their shorter side",
    )
    add(
        "--format",
        choices=("png", "tiff", "svg"),
        default="png",
        help="picture format (default: %(default)s)",
    )
    add(
        "--bits",
        type=positive_int,
        choices=(8, 16),
        default=8,
        help="bits of each grey value (default: %(default)s)",
    )
    add(
        "--figure",
        action="store_true",
        help="add orientation letters, scale bar and caption; names and dates are never drawn",
    )
    add(
        "--skip-existing",
        action="store_true",
        help="keep pictures that exist already, to continue an interrupted run; the options they "
        "were made with are not compared",
    )
    add_inside_option(parser)
    add_workers_option(parser)
    _add_heat_map_options(parser)
    parser.set_defaults(run=run)


def _add_heat_map_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "heat map",
        "With --model, films become figures with a heat map. A film that is out of the model's "
        "scope has no heat map, and its line says why.",
    )
    add_model_option(group)
    group.add_argument(
        "--finding",
        metavar="NAME",
        help="finding to explain (default: the abnormal one, where the model has only one)",
    )
    group.add_argument(
        "--method",
        choices=tuple(HEAT_MAP_METHODS),
        help="how the heat map is computed (default: the first one that works with the model)",
    )
    group.add_argument(
        "--opacity",
        type=_fraction,
        metavar="0..1",
        help="opacity where the evidence is strongest (default: 0.5)",
    )
    add_stated_options(group)
    add_device_option(group)
    add_trust_option(group)


def _fraction(text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) <= 1:
            return number
    raise argparse.ArgumentTypeError("expected a number above 0, up to 1")


def _window(text: str) -> tuple[float, float]:
    with suppress(ValueError):
        center, width = (float(part) for part in text.split(","))
        if abs(center) < float("inf") and 0 < width < float("inf"):
            return center, width
    raise argparse.ArgumentTypeError("expected CENTRE,WIDTH, such as 40,400")


def run(options: argparse.Namespace) -> int:
    """Render; returns the exit code."""
    from xrayview.batch.render import render_folder
    from xrayview.commands.film_lines import FilmLines

    _check(options)
    source: Path = existing_path(options.source)
    check_output_folder(options)
    settings = load_settings()
    heat_maps = _heat_maps(options, settings) if options.model else None
    cancel = cancel_on_interrupt()
    lines, burned_in, kept = FilmLines(), Counter[str](), 0
    with start_engine(settings, options.workers) as engine:
        try:
            events = render_folder(
                engine,
                source,
                options.out,
                _request(options),
                cancel,
                skip_existing=options.skip_existing,
                heat_maps=heat_maps,
            )
            for event in events:
                lines.clear()
                print_out(_line(event, options.out))
                lines.add(event)
                kept += event.kept
                if event.output is not None and not event.kept:
                    burned_in[event.burned_in] += 1
        except Cancelled:
            lines.clear()
            print_err("Interrupted. The pictures written so far are complete.")
            return ExitCode.INTERRUPTED
    code = lines.exit_code()
    if kept:
        print_err(
            f"{counted(kept, 'picture')} existed and {'was' if kept == 1 else 'were'} kept, "
            "whatever the options of that run. Leave out --skip-existing to replace what exists."
        )
    _warn(burned_in)
    return code


def _check(options: argparse.Namespace) -> None:
    """Raise UsageError where options contradict each other."""
    given = [name for name in _NEEDS_MODEL if getattr(options, name) is not None]
    if given and not options.model:
        raise UsageError(f"--{given[0]} needs a heat map", hint="Add --model BUNDLE.")
    if options.model and options.bits == 16:
        raise UsageError(
            "A figure with a heat map cannot have 16 bits",
            why="it is in colour, and 16 bits are for grey only",
            hint="Leave out --bits.",
        )


def _heat_maps(options: argparse.Namespace, settings: Settings) -> HeatMapOptions:
    from xrayview.batch.heat_maps import HeatMapOptions

    return HeatMapOptions(
        trusted_model(options.model, settings, options),
        options.finding or "",
        options.method,
        0.5 if options.opacity is None else options.opacity,
        stated=stated_by(options),
    )


def _request(options: argparse.Namespace) -> RenderFilm:
    from xrayview.domain.figure import FigureStyle
    from xrayview.domain.film import FilmRef
    from xrayview.domain.radiograph import Window
    from xrayview.engine.protocol import RenderFilm

    window: Window | None = Window(*options.window) if options.window else None
    return RenderFilm(
        film=FilmRef(options.source, "", frame=options.frame - 1),
        window=window,
        window_index=options.window_index,
        auto=options.auto,
        invert=options.invert,
        overlays=not options.no_overlays,
        square=options.square_pixels,
        format=options.format,
        bits=options.bits,
        style=FigureStyle() if options.figure or options.model else None,
    )


def _line(event: FilmRendered, out: Path) -> str:
    from xrayview.domain.verdict import coded_title

    result = event.result
    head = f"{result.relative_path}: {coded_title(result)}:"
    if event.output is None:
        return f"{head} {result.message}"
    picture = event.output.relative_to(out).as_posix()
    return f"{head} {picture}: {result.message}" if result.message else f"{head} {picture}"


def _warn(burned_in: Counter[str]) -> None:
    """Print a warning where text in the pixels, which no tag removal reaches, may name someone."""
    unknown = burned_in.total() - burned_in["YES"] - burned_in["NO"]
    if burned_in["YES"]:
        print_err(
            f"Warning: text is burned into the pixels of {counted(burned_in['YES'], 'picture')} "
            "(BurnedInAnnotation is YES), perhaps a name. Check the pictures before you share them."
        )
    if unknown:
        print_err(
            f"Warning: a name may be burned into the pixels of {counted(unknown, 'picture')}: the "
            "files do not say (BurnedInAnnotation is absent). Check the pictures before you share "
            "them."
        )
