"""Two runs never write one mapping: with it, the aliases of the first could not be undone."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.builders import phantom, write_dicom
from xrayview.batch.deidentify import DeidentifyOptions, deidentify_folder
from xrayview.engine.client import Engine
from xrayview.errors import UsageError


def test_that_a_mapping_that_another_run_will_write_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    folder, mapping = tmp_path / "films", tmp_path / "mapping.csv"
    folder.mkdir()
    for number in range(3):
        write_dicom(folder / f"{number}.dcm", phantom(), PatientID=f"P{number}")
    options, cancel = DeidentifyOptions(mapping=mapping), threading.Event()
    first = deidentify_folder(engine, folder, tmp_path / "one", options, cancel)
    next(first)
    with pytest.raises(UsageError, match="mapping exists already"):
        next(deidentify_folder(engine, folder, tmp_path / "two", options, cancel))
    assert len(list(first)) == 2
    lines = mapping.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert mapping.stat().st_mode & 0o077 == 0
