"""The self-test passes on the source tree, and finds what it is made to find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from xrayview.commands import self_test as command
from xrayview.domain.formats import DICOM, FORMATS
from xrayview.domain.self_test import CheckResult, CheckStatus, NotChecked, summary, timed
from xrayview.engine.client import Engine
from xrayview.errors import ExitCode, XrayViewError
from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES
from xrayview.io.model.bundle import sha256_of
from xrayview.services.catalogue import list_models
from xrayview.services.program import can_list_processes, processes_with
from xrayview.services.resources import resource, sample_study
from xrayview.services.self_test import batch, codecs
from xrayview.services.self_test.codecs import CODECS, check_codecs
from xrayview.services.self_test.scores import film_difference, recorded_scores

ROOT = Path(__file__).parents[2]
NAMES = ["Files", "Codecs", "Model", "CUDA", "Batch and CSV", "Settings", "Window", "Folders",
         "Processes"]  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(1, spare_workers=0) as engine:
        yield engine


def test_that_the_source_tree_passes() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "xrayview", "--self-test", "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"},
        timeout=280,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads(ran.stdout)
    assert result["passed"]
    assert [check["name"] for check in result["checks"]] == NAMES
    statuses = {check["name"]: check["status"] for check in result["checks"]}
    may_be_skipped = {"CUDA"} if can_list_processes() else {"CUDA", "Processes"}
    assert {name for name in NAMES if statuses[name] != "ok"} <= may_be_skipped


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signal")
def test_that_a_signal_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "xrayview", "self-test", "--lines"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"},
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["name"] == "Files"
        process.terminate()
        _, errors = process.communicate(timeout=100)
    assert process.returncode == ExitCode.INTERRUPTED
    assert errors == "Interrupted.\n"
    assert list(tmp_path.iterdir()) == []


# -- what is shipped for it --------------------------------------------------------------------


def test_that_every_codec_and_format_has_a_film() -> None:
    names = json.loads(resource(*CODECS).read_text(encoding="utf-8")).keys()
    assert {f"{uid}.dcm" for uid in TRANSFER_SYNTAXES} <= names
    for row in FORMATS:  # the others are raw values in files of megabytes, without a codec
        assert (
            row is DICOM
            or not row.is_common
            or any(Path(name).suffix in row.suffixes for name in names)
        )


def test_that_every_shipped_bundle_has_recorded_scores() -> None:
    films = {path.relative_to(sample_study()).as_posix() for path in sample_study().rglob("*.dcm")}
    for entry in list_models():
        if entry.shipped:
            record = recorded_scores(sha256_of(entry.path))
            assert entry.card is not None
            assert record["bundle"] == f"{entry.card.name} {entry.card.version}"
            assert record["films"].keys() == films


def test_that_the_default_bundle_shows_what_it_can_do_on_the_sample_study() -> None:
    default = next(entry for entry in list_models() if entry.shipped)
    films = recorded_scores(sha256_of(default.path))["films"]
    statuses = [film["status"] for film in films.values()]
    assert statuses == ["ok"] * 6 + ["warn", "refused"]
    flagged = [film["scores"]["Pneumonia"] >= 0.5 for film in films.values() if film["scores"]]
    assert flagged == [True, False, False, True, True, True, False]


# -- faults ------------------------------------------------------------------------------------


def test_that_another_value_or_a_missing_film_is_a_failure(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = json.loads(resource(*CODECS).read_text(encoding="utf-8"))
    (tmp_path / "codecs").mkdir()
    for name in ("grey.png", "grey.tif"):
        (tmp_path / "codecs" / name).write_bytes(resource("self_test", "codecs", name).read_bytes())
    wrong = {"grey.png": table["grey.png"], "grey.tif": "0" * 64, "gone.dcm": "0" * 64}
    (tmp_path / "codecs.json").write_text(json.dumps(wrong))
    monkeypatch.setattr(codecs, "resource", lambda _, name: tmp_path / name)
    with pytest.raises(XrayViewError, match=r"grey.tif has other values; gone.dcm is missing"):
        check_codecs(engine, threading.Event())


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ({"status": "ok", "scores": {"A": 0.5}}, 0.0),
        ({"status": "ok", "scores": {"A": 0.25}}, 0.25),
        ({"status": "warn", "scores": {"A": 0.5}}, float("inf")),
        ({"status": "ok", "scores": {}}, float("inf")),
    ],
)
def test_that_a_film_differs_by_scores_and_status(found: object, difference: float) -> None:
    expected = {"status": "ok", "scores": {"A": 0.5}}
    assert film_difference(expected, found) == difference  # type: ignore[arg-type]


def test_that_a_batch_reads_all_of_the_sample_study(tmp_path: Path) -> None:
    copies = dict(batch._copies(tmp_path))
    assert len(copies) == batch.FILMS
    assert len(set(copies.values())) == len(list(sample_study().rglob("*.dcm")))


def test_that_a_file_elsewhere_is_a_failure(tmp_path: Path) -> None:
    own = tmp_path / "xrayview"
    for name in ("config/settings.json", "config/trusted_models.json", "log/xrayview.log",
                 "cache/thumbnail"):  # fmt: skip
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).touch()
    for folder in ("home/.cache/fontconfig", "work", "tmp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "home/.cache/fontconfig/cache-8").touch()
    before = command._shipped_files()
    assert "cache, config, log" in command._check_folders(tmp_path, before)
    replaced = dict.fromkeys(list(before)[:1], (-1, -1))
    with pytest.raises(XrayViewError, match="Shipped files have changed"):
        command._check_folders(tmp_path, before | replaced)
    (tmp_path / "work" / "core").touch()
    with pytest.raises(XrayViewError, match=r"outside the program's folders \(work.core\)"):
        command._check_folders(tmp_path, before)
    (own / "config/settings.json").unlink()
    with pytest.raises(XrayViewError, match=r"config/settings\.json"):
        command._check_folders(tmp_path, before)


@pytest.mark.skipif(not can_list_processes(), reason="the system does not list processes")
def test_that_a_process_that_is_left_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_END_S", 0.0)
    mark = "left-by-a-test"
    code = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, command._MARK: mark},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [text.split()[0] for text in processes_with({command._MARK: mark})] == [
            str(process.pid)
        ]
        with pytest.raises(XrayViewError, match="Processes are still running"):
            command._check_processes(mark)
        process.communicate()
    assert command._check_processes(mark) == "none left"


def test_that_results_are_timed_and_summed_up() -> None:
    unforeseen: list[Exception] = []

    def fails(error: Exception) -> str:
        raise error

    results = [
        timed("A", lambda: "fine", unforeseen.append),
        timed("B", lambda: fails(NotChecked("Not here")), unforeseen.append),
    ]
    assert summary(results, 3) == "1 check passed, 1 not checked here (3 s)."
    results.append(timed("C", lambda: fails(ValueError("DOE^JANE")), unforeseen.append))
    assert summary(results, 3) == "Failed: C (3 s)."
    assert [result.status for result in results] == [
        CheckStatus.OK,
        CheckStatus.SKIPPED,
        CheckStatus.FAILED,
    ]
    assert "JANE" not in results[-1].line
    assert CheckResult.of(json.loads(json.dumps(results[0].__dict__))) == results[0]
