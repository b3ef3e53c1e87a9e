"""What all tests share: where the development films are, and that nothing is written at home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A property is true or false; how fast it was found out belongs to the benchmarks.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ROOT = Path(__file__).parents[1]


def _films() -> Path | None:
    folder = Path(os.environ.get("XRAYVIEW_FILMS", ROOT.parent / "shared" / "data"))
    return folder if (folder / "labels.csv").is_file() else None


@pytest.fixture(scope="session")
def films_dir() -> Path:
    """The development films; tests that use them carry the marker `films`."""
    folder = _films()
    if folder is None:
        pytest.skip("the development films are not here (set XRAYVIEW_FILMS)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _home_stays_clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings, caches and logs of the tests go to a folder of their own."""
    home = tmp_path_factory.mktemp("home")
    names = {
        "XDG_CONFIG_HOME": home / "config",
        "XDG_CACHE_HOME": home / "cache",
        "XDG_DATA_HOME": home / "data",
        "XDG_STATE_HOME": home / "state",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in names.items():
            patch.setenv(name, str(folder))
        yield
