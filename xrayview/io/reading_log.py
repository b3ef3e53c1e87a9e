"""A session's file: one JSON object per line, only ever appended, on disk before it counts.

    {"schema": 1, "reader": "MK", "session": "1", "condition": "without AI", "blinded": true}
    {"verdict": {"film": {...}, "states": {"Pneumonia": "present"}, ...}}
    {"take_back": 1}

Verdicts are numbered from 1 in the order of the file. A truncated last line, as after a power
failure, is ignored, and the next line begins after it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xrayview.domain.reading import FilmKey, Quality, Readings, Saved, State, Verdict
from xrayview.errors import UsageError

SCHEMA = 1


@dataclass(frozen=True)
class SessionHeader:
    """What all verdicts of a file have in common."""

    reader: str
    session: str
    condition: str = ""
    """Such as `without AI`; empty where there is one."""
    blinded: bool = False


def start_log(path: Path, header: SessionHeader) -> None:
    """Create a session's file.

    Raises:
        FileExistsError: it exists.
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as stream:
        _append(stream.fileno(), {"schema": SCHEMA, **asdict(header)})


def append_verdict(path: Path, verdict: Verdict) -> None:
    """Append a verdict; it is on disk when this returns. Raises: OSError."""
    _append_line(path, {"verdict": asdict(verdict)})


def append_take_back(path: Path, number: int) -> None:
    """Take back the verdict with this number; both lines stay. Raises: OSError."""
    _append_line(path, {"take_back": number})


def read_log(path: Path) -> tuple[SessionHeader, Readings]:
    """Read a session's file.

    Raises:
        UsageError: it is not one, or a line other than the last is damaged.
        OSError: it cannot be read.
    """
    lines = path.read_bytes().split(b"\n")
    header: SessionHeader | None = None
    saved: list[Saved] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line.removesuffix(_CUT))
            if header is None:
                header = _header(entry)
            elif "take_back" in entry:
                index = int(entry["take_back"]) - 1
                saved[index] = Saved(index + 1, saved[index].verdict, taken_back=True)
            else:
                saved.append(Saved(len(saved) + 1, _verdict(entry["verdict"])))
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            if _was_cut_off(lines, number):
                continue
            raise UsageError(
                "The readings are damaged",
                path=path,
                why=f"line {number}",
                hint="Repair the line or move the file away; nothing was changed.",
            ) from error
    if header is None:
        raise UsageError("The file has no readings", path=path, hint="Choose another file.")
    return header, Readings(saved)


def _was_cut_off(lines: list[bytes], number: int) -> bool:
    """True for the last line without its end, or one after which the writer began a new line."""
    is_last = number == len(lines)
    return is_last or lines[number - 1].endswith(_CUT)


_CUT = b"\x1e"
"""Put behind a line that was cut off, so that it is known for one (ASCII record separator)."""


def _append_line(path: Path, entry: dict[str, Any]) -> None:
    with path.open("r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        if end:
            stream.seek(end - 1)
            if stream.read(1) != b"\n":
                stream.write(_CUT + b"\n")
                stream.flush()
        stream.seek(0, os.SEEK_END)
        _append(stream.fileno(), entry)


def _append(descriptor: int, entry: dict[str, Any]) -> None:
    data = json.dumps(entry, ensure_ascii=True, allow_nan=False).encode() + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


def _header(entry: dict[str, Any]) -> SessionHeader:
    if entry["schema"] != SCHEMA:
        raise ValueError("another schema")
    return SessionHeader(
        str(entry["reader"]), str(entry["session"]), str(entry["condition"]), bool(entry["blinded"])
    )


def _verdict(entry: dict[str, Any]) -> Verdict:
    film = entry["film"]
    return Verdict(
        FilmKey(film["sop_uid"], int(film["frame"]), film["path"], film["sha256"]),
        {name: State(state) for name, state in entry["states"].items()},
        {name: int(rating) for name, rating in entry["ratings"].items()},
        Quality(entry["quality"]) if entry["quality"] else None,
        entry["comment"],
        entry["time_utc"],
        float(entry["seconds"]),
        int(entry["label_set"]),
        dict(entry["viewer"]),
    )


def session_files(folder: Path) -> Iterator[Path]:
    """The session files below a folder of readings, in alphabetical order."""
    yield from sorted(folder.glob("*/*.jsonl"))
