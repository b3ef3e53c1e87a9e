"""`xrayview inspect FILE`: what a film is, its stored values, and the steps to displayed grey.

Nothing of whom the film shows is in the output.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands.terminal import (
    existing,
    positive,
    say,
    start,
    start_engine,
    tell,
)
from xrayview.domain.formats import READABLE
from xrayview.errors import ExitCode, StatusCode, UnreadableFilm, UsageError

if TYPE_CHECKING:
    from xrayview.domain.inspection import Attribute, FilmInspection, Step
    from xrayview.engine.client import Engine


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help=f"a film: {READABLE}")
    parser.add_argument(
        "--frame", type=positive, default=1, metavar="N", help="of multi-frame files; from 1"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Inspect one film; its exit code."""
    path: Path = existing(options.file)
    if path.is_dir():
        raise UsageError("A folder is no film", path=path, hint="`xrayview scan` lists its films.")
    with start_engine(start(), workers=1) as engine:
        try:
            found = inspect_file(engine, path, options.frame - 1)
        except UnreadableFilm as error:
            tell(f"xrayview: {error}")
            not_an_image = error.code is StatusCode.NOT_AN_IMAGE
            return ExitCode.NOTHING_USABLE if not_an_image else ExitCode.SOME_FAILED
    if options.json:
        say(json.dumps(as_json(path.name, found), allow_nan=False))
    else:
        for line in as_lines(path.name, found):
            say(line)
    return ExitCode.OK


def inspect_file(engine: Engine, path: Path, frame: int = 0) -> FilmInspection:
    """Read a film in a decode worker; `frame`, counted from 0, is that of the pipeline.

    Raises:
        UnreadableFilm: with the reason.
        UsageError: the file has no such frame.
    """
    from xrayview.domain.film import RejectedFile
    from xrayview.engine.protocol import InspectFilm, ReadHeaders

    (found,) = engine.submit(ReadHeaders((path,), path.parent)).result()
    if isinstance(found, RejectedFile):
        raise UnreadableFilm(found.why, code=found.code, path=path, hint=found.hint)
    return engine.submit(InspectFilm(found.at_frame(frame))).result()


def as_json(name: str, found: FilmInspection) -> dict[str, Any]:
    """The inspection as plain data; DICOM keywords where the standard has one."""
    return {
        "file": name,
        "format": found.format,
        "SOPClassUID": found.sop_class_uid,
        "sop_class": found.sop_class,
        "Modality": found.modality,
        "TransferSyntaxUID": found.transfer_syntax_uid,
        "transfer_syntax": found.transfer_syntax,
        "Rows": found.rows,
        "Columns": found.columns,
        "NumberOfFrames": found.frames,
        "frame": found.frame,
        "pipeline": [asdict(step) for step in found.steps],
        "spacing": {
            "row_mm": found.spacing.row_mm,
            "column_mm": found.spacing.column_mm,
            "kind": found.spacing.kind,
            "attributes": [asdict(attribute) for attribute in found.spacing_attributes],
        },
        "orientation": [side for side in found.orientation if side],
        "stored": asdict(found.stored),
        "lossy": found.lossy,
        "for_processing": found.for_processing,
        "BurnedInAnnotation": found.burned_in,
        "warnings": found.warnings,
        "notes": found.notes,
        "file_sha256": found.file_sha256,
    }


def as_lines(name: str, found: FilmInspection) -> Iterator[str]:
    """The inspection for a terminal."""
    stored = found.stored
    spacing = found.spacing
    millimetres = f"{spacing.row_mm:g} x {spacing.column_mm:g} mm " if spacing.row_mm else ""
    rows: tuple[tuple[str, str], ...] = (
        ("File", name),
        ("Format", found.format),
        ("SOP class", _named(found.sop_class, found.sop_class_uid)),
        ("Modality", found.modality),
        ("Syntax", _named(found.transfer_syntax, found.transfer_syntax_uid)),
        ("Size", f"{found.rows} rows x {found.columns} columns, {found.frames} frame(s)"),
        ("Spacing", f"{millimetres}{spacing.kind}"),
        *(("", _attribute(attribute)) for attribute in found.spacing_attributes),
        ("Orientation", " ".join(found.orientation)),
        ("Stored", f"{stored.dtype} {stored.shape}, {stored.minimum:g} to {stored.maximum:g}"),
        ("", f"SHA-256 {stored.sha256}"),
        ("File SHA", found.file_sha256),
        ("Lossy", found.lossy),
        ("Intent", "FOR PROCESSING" if found.for_processing else ""),
        ("Burned in", found.burned_in or "the file does not say"),
        *(("Warning", text) for text in found.warnings),
        *(("Note", text) for text in found.notes),
    )
    yield from (f"{title:12}{text}" for title, text in rows if text.strip())
    yield f"Pipeline of frame {found.frame + 1}" if found.frames > 1 else "Pipeline"
    for number, step in enumerate(found.steps, start=1):
        yield f"  {number}. {step.name}: {step.value}  [{_source(step)}]"


def _named(name: str, uid: str) -> str:
    return f"{name} ({uid})" if name else uid


def _source(step: Step) -> str:
    return ", ".join(map(_attribute, step.attributes)) or step.origin


def _attribute(attribute: Attribute) -> str:
    return f"{attribute.keyword} {attribute.tag} = {attribute.value}"
