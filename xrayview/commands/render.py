"""`xrayview render FILE|FOLDER --out DIR`: films as pictures of their displayed grey.

One line per file on stdout: `PATH: ok: PICTURE`, or the reason why there is none.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.model_choice import add_device_to, add_trust_to, trusted_model
from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing,
    positive,
    say,
    start,
    start_engine,
    tell,
)
from xrayview.domain.heat_map_methods import HEAT_MAP_METHODS
from xrayview.errors import Cancelled, ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.batch.heat_maps import HeatMaps
    from xrayview.batch.render import Rendered
    from xrayview.domain.radiograph import Window
    from xrayview.engine.protocol import RenderFilm
    from xrayview.services.settings import Settings

_OF_THE_MODEL = ("finding", "method", "opacity")
"""Options that say nothing without `--model`."""

_SKIP_HELP = (
    "leave pictures whose name is there, to go on where a run with the same options stopped; "
    "with which options they were made is not looked at"
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FILE|FOLDER", help="one film, or a folder of films")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="film.dcm becomes DIR/film.dcm.png; folders are kept",
    )
    voi = parser.add_mutually_exclusive_group()
    voi.add_argument(
        "--window",
        type=_window,
        metavar="C,W",
        help="centre and width in modality values; write --window=C,W for a negative centre",
    )
    voi.add_argument(
        "--window-index", type=positive, metavar="N", help="a window of the file, from 1"
    )
    voi.add_argument("--auto", action="store_true", help="the automatic window")
    add("--frame", type=positive, default=1, metavar="N", help="of multi-frame files; from 1")
    add("--invert", action="store_true", help="exchange black and white")
    add("--no-overlays", action="store_true", help="leave the file's overlay planes out")
    add("--square-pixels", action="store_true", help="enlarge the coarser axis of oblong pixels")
    add("--format", choices=("png", "tiff", "svg"), default="png", help="default: %(default)s")
    add("--bits", type=int, choices=(8, 16), default=8, help="of grey; default: %(default)s")
    add(
        "--figure",
        action="store_true",
        help="with orientation letters, scale bar and caption, never with identity",
    )
    add("--skip-existing", action="store_true", help=_SKIP_HELP)
    add("--workers", type=positive, metavar="N", help="processes that decode")
    _add_heat_map(parser)
    parser.set_defaults(run=run)


def _add_heat_map(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "heat map", "As a figure; a film that the model must not judge has none, and is listed."
    )
    group.add_argument(
        "--model", metavar="BUNDLE", help="a file, or a name from `xrayview model list`"
    )
    group.add_argument(
        "--finding", metavar="NAME", help="default: the model's abnormal one, where it is one"
    )
    group.add_argument(
        "--method",
        choices=tuple(HEAT_MAP_METHODS),
        help="default: the first that the model can give",
    )
    group.add_argument(
        "--opacity", type=_share, metavar="0..1", help="of the strongest place; default: 0.5"
    )
    add_device_to(group)
    add_trust_to(group)


def _share(text: str) -> float:
    if not 0 < (number := float(text)) <= 1:
        raise ValueError(text)
    return number


def _window(text: str) -> tuple[float, float]:
    center, width = (float(part) for part in text.split(","))
    if not (abs(center) < float("inf") and 0 < width < float("inf")):
        raise ValueError(text)
    return center, width


def run(options: argparse.Namespace) -> int:
    """Render; the exit code."""
    from xrayview.batch.render import render_folder
    from xrayview.commands.film_lines import FilmLines

    _check(options)
    source: Path = existing(options.source)
    settings = start()
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
                say(_line(event, options.out))
                lines.add(event)
                kept += event.kept
                if event.output is not None and not event.kept:
                    burned_in[event.burned_in] += 1
        except Cancelled:
            lines.clear()
            tell("Interrupted; the pictures that are written stay.")
            return ExitCode.INTERRUPTED
    code = lines.exit_code()
    if kept:
        tell(
            f"{kept} picture(s) were there and are as they were, also where they were made with "
            "other options: without --skip-existing they are made anew."
        )
    _warn(burned_in)
    return code


def _check(options: argparse.Namespace) -> None:
    """Raises: UsageError where options contradict each other."""
    alone = [name for name in _OF_THE_MODEL if getattr(options, name) is not None]
    if alone and not options.model:
        raise UsageError(f"--{alone[0]} is of a heat map", hint="Add --model BUNDLE.")
    if options.model and options.bits == 16:
        raise UsageError("A heat map has colour, 16 bits are grey", hint="Leave --bits out.")


def _heat_maps(options: argparse.Namespace, settings: Settings) -> HeatMaps:
    from xrayview.batch.heat_maps import HeatMaps

    return HeatMaps(
        trusted_model(options.model, settings, options),
        options.finding or "",
        options.method,
        0.5 if options.opacity is None else options.opacity,
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


def _line(event: Rendered, out: Path) -> str:
    result = event.result
    if event.output is None:
        return f"{result.relative_path}: {result.status} {result.code}: {result.message}"
    name = event.output.relative_to(out).as_posix()
    status = result.status if result.code == "OK" else f"{result.status} {result.code}"
    return f"{result.relative_path}: {status}: {name} {result.message}".rstrip()


def _warn(burned_in: Counter[str]) -> None:
    """Pictures leave the app without their tags, but not without what is in the pixels."""
    unsure = burned_in.total() - burned_in["YES"] - burned_in["NO"]
    if burned_in["YES"]:
        tell(
            f"Warning: {burned_in['YES']} picture(s) show text in the film itself "
            "(BurnedInAnnotation is YES), perhaps a name: look before you pass them on."
        )
    if unsure:
        tell(
            f"Warning: {unsure} picture(s) may show a name in the film itself: the file does not "
            "say (BurnedInAnnotation is absent). Look before you pass them on."
        )
