"""An engine with real workers per module, and a small bundle for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bundles import write_bundle
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.io.model.bundle import sha256_of


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One decode worker, and the model worker where a test uses it."""
    with Engine(1, spare_workers=0) as engine:
        yield engine


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    """The trusted tiny bundle on the CPU."""
    path = write_bundle(tmp_path_factory.mktemp("models") / "tiny.pt")
    return ModelRef(path, sha256_of(path), "cpu")
