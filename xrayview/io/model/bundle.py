"""Read a model bundle's card, extra files and hash without running the model.

Nothing here imports torch: a TorchScript archive is a zip file with one top folder, whose `extra/`
contains `model_card.json`.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, NoReturn

from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError, ModelWithoutCard
from xrayview.io.model.card import card_from_plain, card_to_json
from xrayview.io.model.file_kind import PEEK_BYTES, kind_of_bytes, kind_of_entries

__all__ = ["card_from_json", "card_to_json", "read_card", "read_extra", "sha256_of"]

CARD_NAME = "model_card.json"
MAX_CARD_BYTES = 4 << 20
MAX_EXTRA_BYTES = 256 << 20
MAX_UNPACKED, MAX_EXPANSION = 1 << 30, 10
"""An archive is refused where it unpacks to more than both this many bytes and this many times its
own size: weights hardly compress, and torch stores them uncompressed."""
_PICKLE_BYTES = 1 << 20
_CODE_BYTES = 8 << 20
_CONSTANT = re.compile(r"/constants/\d+$")
_NAMED_CONSTANT = re.compile(rb"CONSTANTS\.c(\d+)")
_LARGEST_WHOLE = 1 << 24
"""The bytes of usual real numbers are much larger whole numbers."""
# What zipfile and its decompressors raise for damaged or encrypted entries.
_DAMAGED = (
    OSError, EOFError, RuntimeError, ValueError, IndexError, struct.error, zlib.error,
    lzma.LZMAError,
)  # fmt: skip
_BUNDLE_HINT = "Choose a model bundle: one TorchScript file with a model card."


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits.

    Raises:
        ModelError: the file is missing or cannot be read.
    """
    _require_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def require_trusted(found: str, trusted: str, path: Path) -> None:
    """Refuse a model file whose SHA-256 is not the trusted one.

    Raises:
        ModelError: the hashes differ.
    """
    if found != trusted.lower():
        raise ModelError(
            "The model file is not the one that was trusted",
            path=path,
            why=f"its SHA-256 is {found[:12]}..., {trusted[:12]}... was expected",
            hint="Choose the file again, and decide whether to trust it.",
        )


def read_card(path: Path) -> ModelCard:
    """Read the card of a bundle, or `NAME.card.json` beside a TorchScript file without one.

    Raises:
        ModelWithoutCard: there is neither.
        ModelError: no such file, not a TorchScript archive, or an invalid card, with all problems
            in `why`.
    """
    text = read_extra(path, CARD_NAME, limit=MAX_CARD_BYTES)
    source = path
    if text is None:
        source = sidecar_of(path)
        text = _read_sidecar(source)
    if text is None:
        raise ModelWithoutCard(
            "The model has no card",
            path=path,
            why=f"there is neither extra/{CARD_NAME} in it nor {source.name} beside it",
            hint=f"`xrayview model describe {path.name} --finding NAME ... --size N --scale SCALE "
            f"--fit FIT` writes {source.name}.",
        )
    return card_from_json(_parse(text, source), source)


def card_from_json(data: object, path: Path | None = None) -> ModelCard:
    """Convert parsed JSON to a card; every field is checked, unknown keys are ignored.

    Raises:
        ModelError: with all problems in `why`, each with its path (`findings[2].name: missing`).
    """
    card, problems = card_from_plain(data)
    if card is None:
        raise ModelError(
            "The model card is not valid",
            path=path,
            why="; ".join(problems),
            hint="Correct these fields, or ask the model's authors for a valid bundle.",
        )
    return card


def card_sha256(card: ModelCard) -> str:
    """SHA-256 of a card's content, 64 hex digits."""
    plain = json.dumps(card_to_json(card), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def sidecar_of(path: Path) -> Path:
    """The card file of a TorchScript file without a card inside: `NAME.card.json` beside it."""
    return path.with_name(f"{path.stem}.card.json")


def require_torchscript(path: Path) -> None:
    """Refuse a file that is not a TorchScript archive, or unpacks to far more than its size.

    Raises:
        ModelError: it is none; `why` says what it is.
    """
    read_extra(path, CARD_NAME, limit=MAX_CARD_BYTES)


def read_extra(path: Path, name: str, *, limit: int = MAX_EXTRA_BYTES) -> bytes | None:
    """Read a file from the bundle's `extra/`; None if there is no such entry.

    Raises:
        ModelError: no such bundle, not a TorchScript archive, damaged, or more than `limit` bytes.
    """
    _require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            top = _top_folder(archive, path)
            _require_moderate_size(archive, path)
            try:
                info = archive.getinfo(f"{top}/extra/{name}")
            except KeyError:
                return None
            # The size in the header may be false, so the limit applies to what is read.
            with archive.open(info) as file:
                content = file.read(limit + 1)
    except zipfile.BadZipFile as error:
        _refuse_non_zip(path, error)
    except _DAMAGED as error:
        raise _unreadable(path, error) from error
    if len(content) > limit:
        raise ModelError(
            f"extra/{name} is too large",
            path=path,
            why=f"more than {limit:,} bytes",
            hint=_BUNDLE_HINT,
        )
    return content


def read_code(path: Path) -> bytes:
    """The names and texts of a TorchScript file's program, 8 MiB at most.

    Constants that are single numbers stand in the text by their values.

    Raises:
        ModelError: no such file, not a TorchScript archive, or damaged.
    """
    require_torchscript(path)
    parts: list[bytes] = []
    numbers: dict[bytes, bytes] = {}
    left = _CODE_BYTES
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if "/code/" in info.filename and info.filename.endswith(".py") and left > 0:
                    with archive.open(info) as file:
                        text = file.read(left)
                    parts += [info.filename.encode(), text]
                    left -= len(text)
                elif _CONSTANT.search(info.filename) and info.file_size in (4, 8):
                    with archive.open(info) as file:
                        numbers[info.filename.rpartition("/")[2].encode()] = _number(file.read())
    except (zipfile.BadZipFile, *_DAMAGED) as error:
        raise _unreadable(path, error) from error
    return _NAMED_CONSTANT.sub(lambda match: numbers.get(match[1], match[0]), b"\n".join(parts))


def _number(content: bytes) -> bytes:
    """The text of a stored number, whose type is not stored with it."""
    (whole,) = struct.unpack("<q" if len(content) == 8 else "<i", content)
    (real,) = struct.unpack("<d" if len(content) == 8 else "<f", content)
    return repr(whole if abs(whole) < _LARGEST_WHOLE else real).encode()


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(
            "The model file is missing",
            path=path,
            why="there is no regular file with that name",
            hint="Check the path.",
        )


def _top_folder(archive: zipfile.ZipFile, path: Path) -> str:
    names = archive.namelist()
    top = names[0].partition("/")[0] if names else ""
    if f"{top}/constants.pkl" in names:
        return top
    if f"{top}/data.pkl" in names and f"{top}/version" in names:
        with archive.open(f"{top}/data.pkl") as file:
            is_module = b"torch.nn.modules" in file.read(_PICKLE_BYTES)
        raise ModelError(
            "The file contains weights, not a TorchScript model",
            path=path,
            why="it was written with torch.save"
            + (", and is a pickled network" if is_module else ""),
            hint="Export the network as a model bundle; weights cannot be run by themselves.",
        )
    raise ModelError(
        "The file is not a TorchScript model",
        path=path,
        why=f"it is {kind_of_entries(names)}",
        hint=_BUNDLE_HINT,
    )


def _require_moderate_size(archive: zipfile.ZipFile, path: Path) -> None:
    unpacked, size = sum(info.file_size for info in archive.infolist()), path.stat().st_size
    if unpacked > max(MAX_UNPACKED, MAX_EXPANSION * size):
        raise ModelError(
            "The model file unpacks to far more than its size",
            path=path,
            why=f"{size / 1e6:,.1f} MB become {unpacked / 1e6:,.0f} MB",
            hint="Models are not compressed like this; ask its authors for another file.",
        )


def _refuse_non_zip(path: Path, error: zipfile.BadZipFile) -> NoReturn:
    with path.open("rb") as file:
        start = file.read(PEEK_BYTES)
    if start[:2] == b"PK":
        raise ModelError(
            "The model file is damaged",
            path=path,
            why=f"it starts like a zip archive, but: {error}",
            hint="Copy or download it again; it is probably incomplete.",
        ) from error
    kind = kind_of_bytes(start)
    raise ModelError(
        "The file is not a TorchScript model",
        path=path,
        why=f"it is {kind}" if kind else "it is not a zip archive",
        hint=_BUNDLE_HINT,
    ) from error


def _read_sidecar(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(text) > MAX_CARD_BYTES:
        raise ModelError(
            "The model card is too large",
            path=path,
            why=f"more than {MAX_CARD_BYTES:,} bytes",
            hint="Remove long lists and pictures from it.",
        )
    return text


def _parse(text: bytes, path: Path) -> object:
    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            "The model card is not JSON",
            path=path,
            why=str(error) or type(error).__name__,
            hint="Ask the model's authors for a card that is valid JSON in UTF-8.",
        ) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not valid JSON")


def _unreadable(path: Path, error: Exception) -> ModelError:
    return ModelError(
        "The model file cannot be read",
        path=path,
        why=getattr(error, "strerror", None) or str(error) or type(error).__name__,
        hint="Check the file and its permissions.",
    )
