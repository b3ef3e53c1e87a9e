"""The command line. Starts without torch and Qt: `--help` and a slip of the pen are instant.

What a command needs is imported when it runs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview import __version__
from xrayview.commands import deidentify, describe, inspect, measurements, render, tags
from xrayview.commands.model_choice import (
    add_device_to,
    add_trust_to,
    model_folders,
    trusted_model,
)
from xrayview.commands.terminal import (
    ProgressLine,
    cancel_on_interrupt,
    existing,
    positive,
    printable,
    start,
    start_engine,
    tell,
)
from xrayview.errors import ExitCode, Status, StatusCode, XrayViewError

if TYPE_CHECKING:
    from xrayview.domain.events import BatchEvent, FilmResult
    from xrayview.domain.film import FilmRef, RejectedFile
    from xrayview.domain.model import ModelCard
    from xrayview.engine.protocol import ModelReady

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code, see `ExitCode`."""
    # A frozen program starts its workers by starting itself.
    multiprocessing.freeze_support()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    parser = _parser()
    options, more = parser.parse_known_args(arguments)
    options.command_line = tuple(sys.argv[1:] if arguments is None else arguments)
    command: Command = options.run
    if more and command is not _app:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        return command(options)
    except XrayViewError as error:
        tell(f"xrayview: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output (`| head`) has seen enough; Python must not flush it at exit.
        sys.stdout = None
        return ExitCode.OK
    except Exception as error:
        from xrayview.services.log import log_unforeseen

        log_unforeseen(error)
        tell(f"xrayview: internal error ({type(error).__name__}); the log file has the details.")
        return ExitCode.INTERNAL
    finally:
        # A command may have taken Ctrl+C for itself; a caller of this function has it back.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, interrupt)


def window() -> int:
    """The window without a terminal: `xrayview app`.

    Spawned workers import the main module again. Started from here it is this light one, and Qt
    stays out of them: it costs each 50 MB, and on Windows torch cannot be loaded after it.
    """
    return main(["app", *sys.argv[1:]])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xrayview",
        description="Chest-radiograph research: read, classify, explain, audit. Not for diagnosis.",
    )
    parser.add_argument("--version", action="version", version=f"xrayview {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_classify(commands.add_parser("classify", help="score every film of a folder into a CSV"))
    _add_scan(commands.add_parser("scan", help="list what a folder holds, with reasons"))
    _add_model(commands.add_parser("model", help="list model bundles, or show one"))
    inspect.add_to(commands.add_parser("inspect", help="what a film is, and its way to grey"))
    render.add_to(commands.add_parser("render", help="films as pictures of their displayed grey"))
    tags.add_to(commands.add_parser("tags", help="the tags of a folder as a table"))
    text = "what is drawn on the films of a folder, measured, as a table"
    measurements.add_to(commands.add_parser("measurements", help=text))
    deidentify.add_to(commands.add_parser("deidentify", help="DICOM copies that name no patient"))
    _add_app(commands.add_parser("app", help="open the main window", add_help=False))
    return parser


def _add_classify(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="a folder, or one film")
    add(
        "--model",
        default="",
        metavar="BUNDLE",
        help="a file, or a name from `xrayview model "
        "list`; default: the one in the settings, or that ships",
    )
    add(
        "--out",
        type=Path,
        default=Path("predictions.csv"),
        metavar="CSV",
        help="default: %(default)s",
    )
    add_device_to(parser)
    add(
        "--identity",
        choices=("none", "hash", "full"),
        default="hash",
        help="PatientID in the CSV: nothing, a keyed hash (default), the ID; never names",
    )
    add(
        "--identity-key",
        type=Path,
        metavar="FILE",
        help="the project's key for `hash`, made if new; default: one key for all you do",
    )
    add("--workers", type=positive, metavar="N", help="processes that decode")
    add("--restart", action="store_true", help="begin anew, do not go on with an earlier run")
    add_trust_to(parser)
    parser.set_defaults(run=_classify)  # fmt: skip


def _add_scan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder, or one film")
    parser.add_argument("--json", action="store_true", help="one JSON object per file")
    parser.set_defaults(run=_scan)


def _add_model(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    actions.add_parser("list", help="what there is").set_defaults(run=_model_list)
    show = actions.add_parser("show", help="card, hash, and whether it keeps its contract")
    show.add_argument("model", metavar="BUNDLE", help="a file, or a name from `model list`")
    show.add_argument("--trust-model", action="store_true", help="let it run: it is a program")
    show.set_defaults(run=_model_show)
    describe.add_to(actions.add_parser("describe", help="all of it in words, or as JSON"))


def _add_app(parser: argparse.ArgumentParser) -> None:
    # The window's own parser takes what follows.
    parser.set_defaults(run=_app)


# classify


def _classify(options: argparse.Namespace) -> int:
    from xrayview.batch.run import BatchOptions, run_batch
    from xrayview.services.identity import identity_key

    settings = start()
    folder = existing(options.folder)
    model = trusted_model(options.model or settings["model"], settings, options)
    batch = BatchOptions(
        identity=options.identity,
        identity_key=identity_key(options.identity_key) if options.identity == "hash" else b"",
        restart=options.restart,
        command=("xrayview", *options.command_line),
    )
    cancel = cancel_on_interrupt()
    told = _Told()
    with start_engine(settings, options.workers) as engine:
        for event in run_batch(engine, folder, model, options.out, batch, cancel):
            told.about(event)
    return ExitCode.INTERRUPTED if told.cancelled else _exit_code_of(options.out)


def _exit_code_of(csv_path: Path) -> int:
    """From the rows as written, those of earlier runs included."""
    from xrayview.io.tables.predictions import read_predictions

    rows = read_predictions(csv_path).rows
    if all(row["status_code"] == StatusCode.NOT_AN_IMAGE for row in rows):
        tell(f"No film among {len(rows)} files: choose a folder with DICOM or image films.")
        return ExitCode.NOTHING_USABLE
    scored = all(row["status"] in (Status.OK, Status.WARN) for row in rows)
    return ExitCode.OK if scored else ExitCode.SOME_FAILED


class _Told:
    """The events of a batch on stderr."""

    def __init__(self) -> None:
        self.cancelled = False
        self._line = ProgressLine()

    def about(self, event: BatchEvent) -> None:
        """Tell of one event."""
        from xrayview.domain.events import BatchStarted, FilmFinished
        from xrayview.services.progress import BatchProgress

        if isinstance(event, BatchStarted):
            self._progress = BatchProgress(event.total, event.resumed)
            resumed = f", {event.resumed} rows from before" if event.resumed else ""
            card = event.card
            tell(f"{card.name} {card.version} on {event.device}: {event.files} files{resumed}")
        elif isinstance(event, FilmFinished):
            self._progress.add(event)
            self._film(event.result)
        else:
            self._line.clear()
            self.cancelled = event.cancelled
            counts = ", ".join(f"{number} {status}" for status, number in event.counts.items())
            tell(f"{event.csv_path}: {counts or 'no rows'} in {event.seconds:.1f} s")
            if event.cancelled:
                tell("Interrupted; the same command goes on from here.")

    def _film(self, result: FilmResult) -> None:
        if result.status in (Status.ERROR, Status.REFUSED):
            self._line.clear()
            tell(f"{result.name}: {result.status.value} {result.code}: {result.message}")
        self._line.show(self._progress.text)


# scan


def _scan(options: argparse.Namespace) -> int:
    from xrayview.domain.film import FilmRef
    from xrayview.engine.scan import scan_folder

    settings = start()
    show = _as_json if options.json else _as_line
    films = files = 0
    with start_engine(settings) as engine:
        for found in scan_folder(engine, existing(options.folder)):
            print(show(found))
            files += 1
            films += isinstance(found, FilmRef)
    tell(f"{films} films, {files - films} other files")
    return ExitCode.OK if films else ExitCode.NOTHING_USABLE


def _as_line(found: FilmRef | RejectedFile) -> str:
    from xrayview.domain.film import FilmRef

    if not isinstance(found, FilmRef):
        return printable(f"{found.relative_path}: {found.code}: {found.why}")
    size = f"{found.columns} x {found.rows}" if found.rows else ""
    parts = (found.format, found.modality, found.body_part, found.view_position, size)
    return printable(f"{found.relative_path}: {' '.join(part for part in parts if part)}")


def _as_json(found: FilmRef | RejectedFile) -> str:
    from xrayview.domain.film import FilmRef

    if not isinstance(found, FilmRef):
        plain = {"path": found.relative_path, "film": False, "status_code": found.code,
                 "message": found.why, "hint": found.hint}  # fmt: skip
    else:
        plain = {"path": found.relative_path, "film": True, "format": found.format,
                 "StudyInstanceUID": found.study_uid, "SeriesInstanceUID": found.series_uid,
                 "SOPInstanceUID": found.sop_uid, "Modality": found.modality,
                 "BodyPartExamined": found.body_part, "ViewPosition": found.view_position,
                 "TransferSyntaxUID": found.transfer_syntax, "NumberOfFrames": found.frames,
                 "Rows": found.rows, "Columns": found.columns}  # fmt: skip
    return json.dumps(plain)


# model


def _model_list(_options: argparse.Namespace) -> int:
    from xrayview.services.catalogue import list_models

    for entry in list_models(model_folders(start())):
        what = f"{entry.card.name} {entry.card.version}" if entry.card else str(entry.error)
        print(printable(f"{entry.name}: {what}{' (ships)' if entry.shipped else ''}"))
    return ExitCode.OK


def _model_show(options: argparse.Namespace) -> int:
    from xrayview.engine.protocol import LoadModel
    from xrayview.io.model.bundle import read_card, sha256_of
    from xrayview.services.catalogue import find_model

    settings = start()
    path = find_model(options.model, model_folders(settings))
    print(f"File       {printable(str(path))}\nSHA-256    {sha256_of(path)}")
    print(_printable_lines(_card_text(read_card(path))))
    model = trusted_model(str(path), settings, options)
    with start_engine(settings) as engine:
        print(_ready_text(engine.submit(LoadModel(model)).result()))
    return ExitCode.OK


def _card_text(card: ModelCard) -> str:
    spec = card.preprocessing
    rows = [
        ("Model", f"{card.name} {card.version}"),
        ("What", card.description),
        ("Use", card.intended_use),
        ("Limits", card.limitations),
        ("Authors", card.authors),
        ("Licence", card.licence),
        ("Task", f"{card.task}, {card.activation}"),
        ("Input", f"{spec.channels} x {spec.size[0]} x {spec.size[1]}, {spec.source}, {spec.fit}"),
    ]
    for finding in card.findings:
        rows.append(("Finding", finding.name))
        rows += [
            ("", f"{point.name}: threshold {point.threshold:.3g}, {point.chosen_by}")
            for point in card.operating_points
            if point.finding == finding.name
        ]
    return "\n".join(f"{name:10} {text}" for name, text in rows if text)


def _ready_text(ready: ModelReady) -> str:
    return (
        f"Contract   kept on {ready.device} ({ready.device_name}), {ready.precision}\n"
        f"Heat maps  {', '.join(ready.explain_methods)}"
        + (f" ({ready.features_note})" if ready.features_note else "")
    )


# app


def _app(options: argparse.Namespace) -> int:
    from xrayview.app import main as start_app

    return start_app(options.command_line[1:])


# shared


def _printable_lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))
