"""`xrayview inspect FILE`: a film's format, its stored values, and the steps to displayed grey.

The output does not identify the patient.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands.terminal import (
    existing_path,
    load_settings,
    positive_int,
    print_err,
    print_out,
    start_engine,
)
from xrayview.domain.formats import READABLE
from xrayview.domain.sentences import counted
from xrayview.errors import ExitCode, StatusCode, UnreadableFilm, UsageError

if TYPE_CHECKING:
    from xrayview.domain.inspection import Attribute, FilmInspection, Step
    from xrayview.domain.radiograph import Spacing
    from xrayview.engine.client import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help=f"a film: {READABLE}")
    parser.add_argument(
        "--frame",
        type=positive_int,
        default=1,
        metavar="N",
        help="frame of a multi-frame file, from 1",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Inspect one film; returns the exit code."""
    path: Path = existing_path(options.file)
    if path.is_dir():
        raise UsageError(
            "This is a folder, not a film", path=path, hint="`xrayview scan` lists its films."
        )
    with start_engine(load_settings(), workers=1) as engine:
        try:
            inspection = inspect_file(engine, path, options.frame - 1)
        except UnreadableFilm as error:
            print_err(f"xrayview: {error.text_with_path()}")
            not_an_image = error.code is StatusCode.NOT_AN_IMAGE
            return ExitCode.NOTHING_USABLE if not_an_image else ExitCode.SOME_FAILED
    if options.json:
        print_out(json.dumps(as_json(path.name, inspection), allow_nan=False))
    else:
        for line in as_lines(path.name, inspection):
            print_out(line)
    return ExitCode.OK


def inspect_file(engine: Engine, path: Path, frame: int = 0) -> FilmInspection:
    """Inspect a film in a decode worker, with the pipeline of `frame`, counted from 0.

    Raises:
        UnreadableFilm: the file cannot be read.
        UsageError: the file has no such frame.
    """
    from xrayview.domain.film import RejectedFile
    from xrayview.engine.protocol import InspectFilm, ReadHeaders

    (entry,) = engine.submit(ReadHeaders((path,), path.parent)).result()
    if isinstance(entry, RejectedFile):
        raise UnreadableFilm(entry.why, code=entry.code, path=path, hint=entry.hint)
    return engine.submit(InspectFilm(entry.at_frame(frame))).result()


def as_json(name: str, inspection: FilmInspection) -> dict[str, Any]:
    """The inspection as plain data, under DICOM keywords where the standard has one."""
    return {
        "file": name,
        "format": inspection.format,
        "SOPClassUID": inspection.sop_class_uid,
        "sop_class": inspection.sop_class,
        "Modality": inspection.modality,
        "TransferSyntaxUID": inspection.transfer_syntax_uid,
        "transfer_syntax": inspection.transfer_syntax,
        "Rows": inspection.rows,
        "Columns": inspection.columns,
        "NumberOfFrames": inspection.frames,
        "frame": inspection.frame,
        "pipeline": [asdict(step) for step in inspection.steps],
        "spacing": {
            "row_mm": inspection.spacing.row_mm,
            "column_mm": inspection.spacing.column_mm,
            "kind": inspection.spacing.kind,
            "attributes": [asdict(attribute) for attribute in inspection.spacing_attributes],
        },
        "orientation": [side for side in inspection.orientation if side],
        "stored": asdict(inspection.stored),
        "lossy": inspection.lossy,
        "for_processing": inspection.for_processing,
        "BurnedInAnnotation": inspection.burned_in,
        "warnings": inspection.warnings,
        "notes": inspection.notes,
        "file_sha256": inspection.file_sha256,
    }


def as_lines(name: str, inspection: FilmInspection) -> Iterator[str]:
    """The inspection as lines for a terminal."""
    stored = inspection.stored
    size = f"{inspection.columns} × {inspection.rows}"
    rows: tuple[tuple[str, str], ...] = (
        ("File", name),
        ("Format", inspection.format),
        ("SOP class", _named(inspection.sop_class, inspection.sop_class_uid)),
        ("Modality", inspection.modality),
        ("Syntax", _named(inspection.transfer_syntax, inspection.transfer_syntax_uid)),
        ("Size", f"{size}, {counted(inspection.frames, 'frame')}"),
        ("Spacing", _spacing_text(inspection.spacing, inspection.spacing_attributes)),
        *(("", _attribute(attribute)) for attribute in inspection.spacing_attributes),
        ("Orientation", " ".join(inspection.orientation)),
        ("Stored", f"{stored.dtype} {stored.shape}, {stored.minimum:g} to {stored.maximum:g}"),
        ("", f"SHA-256 {stored.sha256}"),
        ("File SHA", inspection.file_sha256),
        ("Lossy", inspection.lossy),
        ("Intent", "FOR PROCESSING" if inspection.for_processing else ""),
        ("Burned in", inspection.burned_in or "not stated in the file"),
        *(("Warning", text) for text in inspection.warnings),
        *(("Note", text) for text in inspection.notes),
    )
    yield from (f"{title:12}{text}" for title, text in rows if text.strip())
    yield f"Pipeline of frame {inspection.frame + 1}" if inspection.frames > 1 else "Pipeline"
    for index, step in enumerate(inspection.steps, start=1):
        yield f"  {index}. {step.name}: {step.value}  [{_source(step)}]"


def _spacing_text(spacing: Spacing, attributes: tuple[Attribute, ...]) -> str:
    from xrayview.domain.inspection import states_spacing

    if spacing.row_mm is None:
        what = (
            "no usable spacing in the file"
            if states_spacing(attributes)
            else "not stated in the file"
        )
        return f"{what}; lengths are in pixels"
    return f"{spacing.row_mm:g} × {spacing.column_mm:g} mm {spacing.kind.suffix}"


def _named(name: str, uid: str) -> str:
    return f"{name} ({uid})" if name else uid


def _source(step: Step) -> str:
    return ", ".join(map(_attribute, step.attributes)) or step.origin


def _attribute(attribute: Attribute) -> str:
    return f"{attribute.keyword} {attribute.tag} = {attribute.value}"
