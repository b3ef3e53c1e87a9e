"""The program runs without what the frozen one leaves out, and opens no file that it lacks.

`make bundle` compares the whole self-test, the window included, with the list of a real build.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from build_spec import recipe
from build_spec.loaded import module_of, python_roots, recorded_files, recording_environment
from xrayview.io.model.bundle import sha256_of
from xrayview.io.tables.predictions import read_predictions
from xrayview.services.catalogue import find_model
from xrayview.services.resources import resource, sample_study
from xrayview.services.self_test.scores import SCORE_TOLERANCE, recorded_scores

PLAIN = recipe.Flavour()


def test_that_classifying_needs_nothing_that_is_left_out(tmp_path: Path) -> None:
    table, record = tmp_path / "predictions.csv", tmp_path / "record"
    record.mkdir()
    own = {"XRAYVIEW_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    recording = recording_environment(record, recipe.modules_left_out(PLAIN))
    ran = subprocess.run(
        [sys.executable, "-m", "xrayview", "classify", str(sample_study()), "--out", str(table)],
        capture_output=True,
        text=True,
        env=os.environ | recording | own,
        timeout=200,
    )

    assert ran.returncode == 3, ran.stderr  # one film of the sample study is out of scope
    rows = {row["path"]: row for row in read_predictions(table).rows}
    recorded = recorded_scores(sha256_of(find_model()))["films"]
    assert rows.keys() == recorded.keys()
    for name, film in recorded.items():
        assert rows[name]["status"] == film["status"]
        for finding, score in film["scores"].items():
            assert abs(float(rows[name][f"score_{finding}"]) - score) <= SCORE_TOLERANCE
    files = recorded_files(record)
    roots = python_roots()
    modules = {module_of(file, roots) for file in files}
    assert {"xrayview.engine.worker", "torch"} <= modules  # workers are recorded as well
    assert not [name for name in modules if name and recipe.is_left_out(name, PLAIN)]
    ours = {file for file in files if file.is_relative_to(resource())}
    inside = [recipe.ROOT / source for source in recipe.data(PLAIN)]
    assert sample_study() / "child-1/current.dcm" in ours
    assert not [file for file in ours if not any(file.is_relative_to(root) for root in inside)]
