"""`xrayview scan FOLDER`: the films of a folder, and why other files are not films."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.terminal import (
    existing_path,
    load_settings,
    print_err,
    print_out,
    start_engine,
)
from xrayview.domain.sentences import counted
from xrayview.errors import ExitCode

if TYPE_CHECKING:
    from xrayview.domain.film import FilmRef, RejectedFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder, or one file")
    parser.add_argument("--json", action="store_true", help="print one JSON object per file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List the files; returns the exit code."""
    from xrayview.commands.film_lines import no_film_text
    from xrayview.domain.film import FilmRef
    from xrayview.engine.scan import scan_folder

    settings = load_settings()
    format_entry = _as_json if options.json else _as_line
    films = files = 0
    with start_engine(settings) as engine:
        for entry in scan_folder(engine, existing_path(options.folder)):
            print_out(format_entry(entry))
            files += 1
            films += isinstance(entry, FilmRef)
    print_err(f"{counted(films, 'film')}, {counted(files - films, 'other file')}")
    if not films:
        print_err(no_film_text(files))
        return ExitCode.NOTHING_USABLE
    return ExitCode.OK


def _as_line(entry: FilmRef | RejectedFile) -> str:
    from xrayview.domain.film import FilmRef

    if not isinstance(entry, FilmRef):
        return f"{entry.relative_path}: {entry.code}: {entry.why}"
    size = f"{entry.columns} × {entry.rows}" if entry.rows else ""
    parts = (entry.format, entry.modality, entry.body_part, entry.view_position, size)
    return f"{entry.relative_path}: {' '.join(part for part in parts if part)}"


def _as_json(entry: FilmRef | RejectedFile) -> str:
    from xrayview.domain.film import FilmRef

    if not isinstance(entry, FilmRef):
        plain = {"path": entry.relative_path, "film": False, "status_code": entry.code,
                 "message": entry.why, "hint": entry.hint}  # fmt: skip
    else:
        plain = {"path": entry.relative_path, "film": True, "format": entry.format,
                 "StudyInstanceUID": entry.study_uid, "SeriesInstanceUID": entry.series_uid,
                 "SOPInstanceUID": entry.sop_uid, "Modality": entry.modality,
                 "BodyPartExamined": entry.body_part, "ViewPosition": entry.view_position,
                 "TransferSyntaxUID": entry.transfer_syntax, "NumberOfFrames": entry.frames,
                 "Rows": entry.rows, "Columns": entry.columns}  # fmt: skip
    return json.dumps(plain)
