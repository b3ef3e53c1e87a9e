"""The key for the hashes of PatientID in the CSV.

There is one key per project: the same key gives a patient the same hash in every folder and run,
while hashes with different keys cannot be linked. It is stored in the user's configuration folder
and not beside the CSV, because with both, IDs can be found by trial.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from xrayview.errors import UsageError
from xrayview.io.atomic import PARTIAL
from xrayview.io.file_lock import locked
from xrayview.services.user_folders import config_folder, has_home

KEY_BYTES = 32


def identity_key(path: Path | None = None) -> bytes:
    """Read the key in `path`, by default the user's own; create it if it does not exist.

    Only the user can read a new key.

    Raises:
        UsageError: the file is not a key, or cannot be read or written.
    """
    folder = config_folder()
    if path is None and not folder.is_dir() and not has_home():
        raise UsageError(
            "There is no folder for the identity key",
            why="neither HOME nor the list of users names a home folder",
            hint="Set HOME, or leave the PatientID out of the CSV. "
            "In a terminal: --identity-key FILE or --identity none.",
        )
    path = path or folder / "identity.key"
    try:
        if not path.exists():
            _create(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        why = f"{error.strerror or type(error).__name__}: {path.parent}"
        raise _invalid_key(path, why) from error
    except ValueError as error:
        raise _invalid_key(path, type(error).__name__) from error
    if len(key) < KEY_BYTES:
        raise _invalid_key(path, f"it has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _create(path: Path) -> None:
    """Write a new key in one step; of two programs that need one, the second finds it."""
    partial = path.with_name(path.name + PARTIAL)
    with locked(path):
        if path.exists():
            return
        partial.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(partial, flags, 0o600), "w") as stream:
            stream.write(secrets.token_hex(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)


def _invalid_key(path: Path, why: str) -> UsageError:
    return UsageError(
        "The identity key cannot be used",
        path=path,
        why=why,
        hint="Repair the file, or leave the PatientID out of the CSV. "
        "In a terminal: --identity-key FILE or --identity none.",
    )
