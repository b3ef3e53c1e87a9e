"""The key that turns a PatientID into the hash of the CSV.

The key is the project: the same key gives the same hash for a patient in every folder and run,
another key gives hashes that cannot be linked. It lies in the user's configuration folder and not
beside the CSV, because whoever has both finds the IDs by trying.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from xrayview.errors import UsageError
from xrayview.services.user_folders import config_folder

KEY_BYTES = 32


def identity_key(path: Path | None = None) -> bytes:
    """The key in `path`, the user's own by default; made, readable by the user alone, if new.

    Raises:
        UsageError: the file is no key or cannot be read or written.
    """
    path = path or config_folder() / "identity.key"
    try:
        if not path.exists():
            _make(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise _no_key(path, type(error).__name__) from error
    if len(key) < KEY_BYTES:
        raise _no_key(path, f"it has {len(key)} bytes, {KEY_BYTES} are needed")
    return key


def _make(path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(secrets.token_hex(KEY_BYTES))


def _no_key(path: Path, why: str) -> UsageError:
    return UsageError(
        "The identity key cannot be used",
        path=path,
        why=why,
        hint="Name another file, or use --identity none.",
    )
