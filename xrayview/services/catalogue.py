"""The catalogue of model bundles, and which of them the user trusts.

A model is a program. Shipped models are trusted by their hash. For any other, the user is asked
once; the answer is stored by hash, so that the question returns when the file changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from xrayview.domain.devices import AUTO
from xrayview.domain.model import ModelCard
from xrayview.domain.runtimes import EXACT
from xrayview.engine.protocol import ModelRef
from xrayview.errors import ModelError, ModelNotTrusted, XrayViewError
from xrayview.io.atomic import replacing
from xrayview.io.dated_copy import save_dated_copy
from xrayview.io.file_lock import locked
from xrayview.io.model.bundle import read_card, require_torchscript, sha256_of
from xrayview.services.resources import resource
from xrayview.services.user_folders import config_folder, models_folder

SUFFIX = ".pt"
CHECKSUMS = "SHA256SUMS"


@dataclass(frozen=True)
class CatalogueEntry:
    """One bundle in a model folder: its card, or why it cannot be read."""

    path: Path
    card: ModelCard | None
    error: XrayViewError | None
    shipped: bool

    @property
    def name(self) -> str:
        """The name of the bundle: that of the file without its suffix."""
        return self.path.stem


def list_models(folders: Iterable[Path] = ()) -> tuple[CatalogueEntry, ...]:
    """List shipped bundles, then those of the user's folder and of `folders`, each by name.

    No bundle is run.
    """
    shipped = resource("models")
    return tuple(
        _entry(path, shipped=folder == shipped)
        for folder in (shipped, models_folder(), *folders)
        for path in _bundles(folder)
    )


def find_model(name: str = "", folders: Iterable[Path] = ()) -> Path:
    """Find a bundle by path or catalogue name; without a name, the first shipped one.

    Raises:
        ModelError: there is no such bundle.
    """
    if name and (path := Path(name)).is_file():
        return path
    all_folders = (resource("models"), models_folder(), *folders)
    bundles = [path for folder in all_folders for path in _bundles(folder)]
    found = next((p for p in bundles if not name or name in (p.stem, p.name)), None)
    if found is None:
        known = ", ".join(path.stem for path in bundles) or "none"
        what = f"There is no model {name}" if name else "There is no model bundle"
        hint = "Choose a known model, or the path of a bundle."
        raise ModelError(what, why=f"known models: {known}", hint=hint)
    return found


def model_ref(
    path: Path, device: str = AUTO, *, runtime: str = AUTO, precision: str = EXACT
) -> ModelRef:
    """Hash a bundle, and return a reference for the engine.

    Raises:
        ModelNotTrusted: the user does not trust this hash, which is in `why`.
        ModelError: the file cannot be read, or is not a TorchScript file.
    """
    digest = sha256_of(path)
    if digest not in trusted_hashes():
        require_torchscript(path)
        raise ModelNotTrusted(
            "This model is not trusted yet",
            path=path,
            why=f"SHA-256 {digest}",
            hint="A model is a program. Trust it only if you know where it comes from.",
        )
    return ModelRef(path, digest, device, runtime, precision)


def trust_model(path: Path) -> None:
    """Remember that the user trusts this file, by its hash.

    Raises:
        ModelError: the model cannot be read, is not a TorchScript file, or the list of trusted
            models cannot be written.
    """
    require_torchscript(path)
    entry = {"file": path.name, "trusted_utc": datetime.now(UTC).isoformat(timespec="seconds")}
    digest, trust_file = sha256_of(path), _trust_file()
    try:
        with locked(trust_file):
            _keep_unreadable(trust_file)
            trusted = {**_user_trust(), digest: entry}
            with replacing(trust_file) as stream:
                json.dump(trusted, stream, indent=2)
    except OSError as error:
        raise ModelError(
            "The trust in this model cannot be saved",
            path=path,
            why=f"{trust_file.name}: {error.strerror or type(error).__name__}",
            hint=f"Make the folder {trust_file.parent} writable.",
        ) from error


def trusted_hashes() -> frozenset[str]:
    """The hashes of shipped models and of those that the user trusts."""
    return frozenset(_shipped_hashes()) | frozenset(_user_trust())


def _bundles(folder: Path) -> list[Path]:
    # By the name without its suffix, so that `a` comes before `a-small`.
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stem) if folder.is_dir() else []


def _entry(path: Path, *, shipped: bool) -> CatalogueEntry:
    try:
        return CatalogueEntry(path, read_card(path), None, shipped)
    except XrayViewError as error:
        return CatalogueEntry(path, None, error, shipped)


def _shipped_hashes() -> Iterator[str]:
    """The hashes in the format of `sha256sum`: hash, two spaces, name."""
    sums = resource("models", CHECKSUMS)
    if sums.is_file():
        for line in sums.read_text(encoding="utf-8").splitlines():
            yield from line.split()[:1]


def _trust_file() -> Path:
    return config_folder() / "trusted_models.json"


def _keep_unreadable(trust_file: Path) -> None:
    """Copy a list that cannot be read before it is replaced."""
    if trust_file.exists() and not _user_trust() and trust_file.read_bytes().strip() != b"{}":
        save_dated_copy(trust_file)


def _user_trust() -> dict[str, object]:
    """The user's trusted models; none where the file cannot be read, so the user is asked again."""
    try:
        data = json.loads(_trust_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
