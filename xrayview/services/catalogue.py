"""Which models there are, and which of them the user trusts to run.

A model is a program. Those that ship are trusted by their hash; any other asks once, and the
answer is kept by hash, so that a changed file asks again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from xrayview.domain.devices import AUTO
from xrayview.domain.model import ModelCard
from xrayview.engine.protocol import ModelRef
from xrayview.errors import ModelError, ModelNotTrusted, XrayViewError
from xrayview.io.atomic import replacing
from xrayview.io.model.bundle import read_card, sha256_of
from xrayview.services.resources import resource
from xrayview.services.user_folders import config_folder, models_folder

SUFFIX = ".pt"
CHECKSUMS = "SHA256SUMS"


@dataclass(frozen=True)
class CatalogueEntry:
    """One bundle in a model folder: its card, or why it has none."""

    path: Path
    card: ModelCard | None
    error: XrayViewError | None
    shipped: bool

    @property
    def name(self) -> str:
        """What the user calls it: the file's name without its ending."""
        return self.path.stem


def list_models(folders: Iterable[Path] = ()) -> tuple[CatalogueEntry, ...]:
    """Shipped bundles first, then the user's folder, then `folders`; by name. Nothing is run."""
    shipped = resource("models")
    return tuple(
        _entry(path, shipped=folder == shipped)
        for folder in (shipped, models_folder(), *folders)
        for path in _bundles(folder)
    )


def find_model(name: str = "", folders: Iterable[Path] = ()) -> Path:
    """The bundle of a path or a catalogue name; without a name the first one that ships.

    Raises:
        ModelError: there is none.
    """
    if name and (path := Path(name)).is_file():
        return path
    places = (resource("models"), models_folder(), *folders)
    bundles = [path for folder in places for path in _bundles(folder)]
    found = next((p for p in bundles if not name or name in (p.stem, p.name)), None)
    if found is None:
        known = ", ".join(path.stem for path in bundles) or "none"
        what = f"There is no model {name}" if name else "There is no model bundle here"
        raise ModelError(what, why=f"known models: {known}", hint="Name a file that exists.")
    return found


def model_ref(path: Path, device: str = AUTO) -> ModelRef:
    """Hash a bundle for the engine.

    Raises:
        ModelNotTrusted: the user has not said that this hash may run; its `why` is the hash.
        ModelError: the file cannot be read.
    """
    digest = sha256_of(path)
    if digest not in trusted_hashes():
        raise ModelNotTrusted(
            "This model has not been trusted yet",
            path=path,
            why=f"SHA-256 {digest}",
            hint="A model is a program: trust it if you know where it comes from.",
        )
    return ModelRef(path, digest, device)


def trust_model(path: Path) -> None:
    """Remember, by its hash, that the user lets this file run.

    Raises:
        ModelError: the model cannot be read, or the list of trusted ones cannot be written.
    """
    trusted = _user_trust()
    trusted[sha256_of(path)] = {
        "file": path.name,
        "trusted_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    listed = _trust_file()
    try:
        with replacing(listed) as stream:
            json.dump(trusted, stream, indent=2)
    except OSError as error:
        raise ModelError(
            "The trust in this model cannot be saved",
            path=path,
            why=f"{listed.name}: {error.strerror or type(error).__name__}",
            hint=f"Make the folder {listed.parent} writable.",
        ) from error


def trusted_hashes() -> frozenset[str]:
    """Hashes that may run: shipped ones, and those that the user trusts."""
    return frozenset(_shipped_hashes()) | frozenset(_user_trust())


def _bundles(folder: Path) -> list[Path]:
    # By the name without its ending: the bundle `a` stands before `a-small`.
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stem) if folder.is_dir() else []


def _entry(path: Path, *, shipped: bool) -> CatalogueEntry:
    try:
        return CatalogueEntry(path, read_card(path), None, shipped)
    except XrayViewError as error:
        return CatalogueEntry(path, None, error, shipped)


def _shipped_hashes() -> Iterator[str]:
    """Lines as `sha256sum` writes them: the hash, two spaces, the name."""
    sums = resource("models", CHECKSUMS)
    if sums.is_file():
        for line in sums.read_text(encoding="utf-8").splitlines():
            yield from line.split()[:1]


def _trust_file() -> Path:
    return config_folder() / "trusted_models.json"


def _user_trust() -> dict[str, object]:
    """A file that cannot be read trusts nothing: the user is asked again."""
    try:
        data = json.loads(_trust_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
