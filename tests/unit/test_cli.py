"""Output, errors and exit codes of the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.builders import phantom, write_dicom, write_raster
from tests.bundles import write_bundle
from xrayview import __version__, cli
from xrayview.batch.journal import journal_path
from xrayview.commands import scan
from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.errors import ExitCode, Status, StatusCode
from xrayview.io.model.bundle import sha256_of
from xrayview.io.tables.predictions import read_predictions
from xrayview.services.log import start_log
from xrayview.services.progress import BatchProgress

ROOT = Path(__file__).parents[2]
MANY = 400
HANG_SHOWN = """
import faulthandler, sys
from xrayview.cli import main
faulthandler.dump_traceback_later(200, exit=True)
sys.exit(main())
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("models") / "tiny.pt")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    write_raster(folder / "a.png", phantom(64, 64).astype(np.uint16))
    write_dicom(folder / "b.dcm", phantom(), PatientName="DOE^JANE", PatientID="4711")
    return folder


def classify(folder: Path, model: Path, out: Path, *more: str) -> list[str]:
    return ["classify", str(folder), "--model", str(model), "--out", str(out), "--workers", "1",
            "--trust-model", "--device", "cpu", *more]  # fmt: skip


def start_process(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # A run that hangs prints its stack before the test times out.
        [sys.executable, "-c", HANG_SHOWN, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    one = write_raster(tmp_path / "one.png", phantom(400, 400).astype(np.uint16)).read_bytes()
    for n in range(MANY):
        (folder / f"{n:04}.png").write_bytes(one)
    return folder


def wait_for_rows(process: subprocess.Popen[str], out: Path, rows: int) -> None:
    journal = journal_path(out)
    while not journal.exists() or journal.read_bytes().count(b"\n") <= rows:
        if process.poll() is not None:
            pytest.fail(f"{process.returncode}: {process.communicate()}")
        time.sleep(0.02)


@pytest.fixture
def ended() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_that_a_folder_with_other_files_has_rows_and_exit_code_3(
    films: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "cut.dcm").write_bytes((films / "b.dcm").read_bytes()[:-1000])
    (films / "empty.dcm").write_bytes(b"")
    (films / "notes.txt").write_text("not a film")
    out = tmp_path / "predictions.csv"
    assert cli.main(classify(films, model, out)) == ExitCode.SOME_FAILED
    rows = {row["path"]: row["status"] for row in read_predictions(out).rows}
    assert list(rows) == ["a.png", "b.dcm", "cut.dcm", "empty.dcm", "notes.txt"]
    assert (rows["a.png"], rows["b.dcm"]) == ("ok", "ok")
    assert (rows["empty.dcm"], rows["notes.txt"]) == ("error", "error")
    output = capsys.readouterr()
    assert output.out == ""
    assert "notes.txt: error NOT_AN_IMAGE" in output.err
    assert "JANE" not in output.err
    report = json.loads(out.with_name("predictions.run.json").read_text())
    assert report["command"][:2] == ["xrayview", "classify"]


def test_that_films_give_exit_code_0_and_no_films_4(
    films: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "predictions.csv"
    assert cli.main(classify(films, model, out, "--identity", "full")) == ExitCode.OK
    assert "4711" in out.read_text()
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("not a film")
    assert cli.main(classify(texts, model, out, "--restart")) == ExitCode.NOTHING_USABLE
    assert len(read_predictions(out).rows) == 1
    assert "the file is not a film" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_that_a_signal_leaves_a_valid_csv_and_the_same_command_resumes(
    many: Path, model: Path, tmp_path: Path, ended: list[subprocess.Popen[str]], name: str
) -> None:
    out = tmp_path / "predictions.csv"
    process = start_process(classify(many, model, out))
    ended.append(process)
    wait_for_rows(process, out, 1)
    process.send_signal(getattr(signal, name))
    _, output = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, output
    before = read_predictions(out).rows
    assert 0 < len(before) < MANY
    assert "Run the same command again" in output
    assert json.loads((tmp_path / "predictions.run.json").read_text())["cancelled"] is True
    assert not list(tmp_path.glob("*.lock"))

    again = start_process(classify(many, model, out))
    ended.append(again)
    _, output = again.communicate(timeout=120)
    assert again.returncode == ExitCode.OK, output
    rows = read_predictions(out).rows
    assert len(rows) == MANY
    assert rows[: len(before)] == before


def test_that_a_killed_run_is_resumed(
    many: Path, model: Path, tmp_path: Path, ended: list[subprocess.Popen[str]]
) -> None:
    out = tmp_path / "predictions.csv"
    process = start_process(classify(many, model, out))
    ended.append(process)
    wait_for_rows(process, out, 10)
    process.kill()
    process.communicate()
    assert not out.exists()
    tried = journal_path(out).read_bytes().count(b"\n") - 1
    for film in sorted(many.iterdir())[tried + 5 :]:
        film.unlink()
    assert cli.main(classify(many, model, out)) == ExitCode.OK
    rows = read_predictions(out).rows
    assert len(rows) == tried + 5
    assert len({row["run_id"] for row in rows}) == 2


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_that_nohup_is_heeded(tmp_path: Path) -> None:
    code = """
import signal
from xrayview.commands.terminal import cancel_on_interrupt
signal.signal(signal.SIGHUP, signal.SIG_IGN)
cancel = cancel_on_interrupt()
signal.raise_signal(signal.SIGHUP)
assert not cancel.is_set()
signal.raise_signal(signal.SIGTERM)
assert cancel.is_set()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_that_a_full_disk_is_called_so_and_the_run_continues_when_there_is_space(
    many: Path, model: Path, tmp_path: Path
) -> None:
    for film in sorted(many.iterdir())[40:]:
        film.unlink()
    for n, film in enumerate(sorted(many.iterdir())):
        write_raster(film, (phantom(60, 60) // 16 + n).astype(np.uint8))
    whole, out = tmp_path / "whole.csv", tmp_path / "p.csv"
    assert cli.main(classify(many, model, whole)) == ExitCode.OK
    command = [sys.executable, "-m", "xrayview", *classify(many, model, out)]
    # A limit on the size of files stands for a full disk; it is 16 blocks of 1 KiB in bash.
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 16; exec "$@"', "-", *command],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.USAGE
    assert "p.csv.journal: The disk is full" in done.stderr
    assert 0 < len(read_predictions(out).rows) < 40  # the table is shorter than the journal
    assert cli.main(classify(many, model, out)) == ExitCode.OK
    own = ("run_id", "time_utc")
    rows = [[{k: v for k, v in row.items() if k not in own} for row in read_predictions(p).rows]
            for p in (whole, out)]  # fmt: skip
    assert rows[0] == rows[1]


def test_that_events_are_printed_as_json_lines(
    films: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main([*classify(films, model, tmp_path / "p.csv"), "--json"])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = read_predictions(tmp_path / "p.csv").rows
    first, *middle, last = events
    assert (first["event"], first["device"], first["precision"]) == ("started", "cpu", "float32")
    assert first["runtime"] in ("torch", "openvino")
    assert [event["path"] for event in middle] == [row["path"] for row in rows]
    assert [event["done"] for event in middle] == list(range(1, len(rows) + 1))
    assert (last["event"], sum(last["counts"].values())) == ("finished", len(rows))


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize("streams", [">&- 2>&- <&-", "2>/dev/full", "2>&1 | true"])
def test_that_a_run_needs_no_standard_streams(
    films: Path, model: Path, tmp_path: Path, streams: str
) -> None:
    out = tmp_path / "p.csv"
    command = [sys.executable, "-m", "xrayview", *classify(films, model, out)]
    shell = f'set -o pipefail; "$@" {streams}'
    done = subprocess.run(["bash", "-c", shell, "-", *command], cwd=ROOT, check=False)
    assert done.returncode == ExitCode.OK
    assert len(read_predictions(out).rows) == 2
    assert all(json.loads(line) for line in journal_path(out).read_text().splitlines())


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has this limit")
def test_that_a_limit_on_memory_is_named(films: Path, model: Path, tmp_path: Path) -> None:
    for kib in (200_000, 1_000_000):
        command = [sys.executable, "-m", "xrayview", *classify(films, model, tmp_path / "p.csv")]
        done = subprocess.run(
            ["bash", "-c", f'ulimit -v {kib}; exec "$@"', "-", *command],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (ExitCode.USAGE, ExitCode.MODEL)
        assert f"`ulimit -v` allows {kib // 1024} MiB" in done.stderr
        assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["classify", "no such folder"], ExitCode.USAGE, "No such file or folder"),
        (["classify", "{films}", "--model", "nix"], ExitCode.MODEL, "There is no model nix"),
        (["classify", "{films}", "--model", "{model}"], ExitCode.MODEL, "--trust-model"),
        (["model", "show", "{films}/a.png"], ExitCode.MODEL, "not a TorchScript model"),
        (["scan", "no such folder"], ExitCode.USAGE, "No such file or folder"),
    ],
)
def test_that_an_error_states_what_happened_and_what_to_do(
    films: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    expected: str,
) -> None:
    new = write_bundle(tmp_path / "new.pt", version=str(tmp_path))
    given = [a.format(films=films, model=new) for a in arguments]
    assert cli.main(given) == code
    output = capsys.readouterr()
    assert expected in output.err
    assert "Traceback" not in output.err


def test_that_a_missing_device_gives_exit_code_6(
    films: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.csv"
    arguments = [a if a != "cpu" else "cuda" for a in classify(films, model, out)]
    code = cli.main(arguments)
    if code == ExitCode.OK:
        pytest.skip("this machine has a CUDA device")
    assert code == ExitCode.DEVICE
    assert "CUDA" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [[], ["nothing"], ["classify", ".", "--device", "tpu"],
     ["classify", ".", "--workers", "0"], ["scan", ".", "--sample"]],
)  # fmt: skip
def test_that_a_usage_error_gives_exit_code_2(arguments: list[str]) -> None:
    try:
        code = cli.main(arguments)
    except SystemExit as end:  # argparse's own errors
        code = end.code
    assert code == ExitCode.USAGE


def test_that_classify_needs_a_folder_or_an_index() -> None:
    assert cli.main(["classify"]) == ExitCode.USAGE


def test_that_the_window_gets_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    app = ModuleType("xrayview.app")
    monkeypatch.setattr(app, "main", lambda argv: given.append(list(argv)) or 0, raising=False)
    monkeypatch.setitem(sys.modules, "xrayview.app", app)
    assert cli.main(["app", "films", "--sample"]) == ExitCode.OK
    monkeypatch.setattr(sys, "argv", ["xrayview-app", "--help"])
    assert cli.window() == ExitCode.OK
    assert given == [["films", "--sample"], ["--help"]]


def test_that_progress_counts_by_status_without_a_rate_from_one_film() -> None:
    progress = BatchProgress(total=200, resumed=100)
    assert progress.text == "100 / 200  50 %"
    result = FilmResult("a.png", Status.OK, StatusCode.OK)
    progress.add(FilmFinished(result, 101, 200))
    assert progress.text == "101 / 200  50 %   ok 1"
    refused = FilmResult("b.png", Status.REFUSED, StatusCode.NOT_FRONTAL)
    progress.add(FilmFinished(refused, 102, 200))
    assert progress.text.endswith("   ok 1  refused 1")


def test_that_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"xrayview {__version__}\n"


def test_that_an_unforeseen_error_gives_exit_code_1_without_its_text(
    films: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "DOE^JANE"

    def broken() -> None:
        start_log()
        int(name)

    monkeypatch.setattr(scan, "load_settings", broken)
    assert cli.main(["scan", str(films)]) == ExitCode.INTERNAL
    output = capsys.readouterr().err
    logged = start_log().read_text(encoding="utf-8")
    for text in (output, logged):
        assert "ValueError" in text
        assert "JANE" not in text


def test_that_scan_lists_films_and_reasons_without_identity(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "notes.txt").write_text("not a film")
    assert cli.main(["scan", str(films)]) == ExitCode.OK
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert lines[0].startswith("a.png: png")
    assert lines[1].startswith("b.dcm: dicom DX")
    assert lines[2].startswith("notes.txt: NOT_AN_IMAGE: ")
    assert output.err == "2 films, 1 other file\n"
    assert "JANE" not in output.out
    assert "4711" not in output.out


def test_that_scan_prints_json(films: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scan", str(films), "--json"]) == ExitCode.OK
    output = capsys.readouterr().out
    rows = [json.loads(line) for line in output.splitlines()]
    assert [(row["path"], row["film"]) for row in rows] == [("a.png", True), ("b.dcm", True)]
    assert (rows[1]["Rows"], rows[1]["Columns"]) == phantom().shape
    assert "4711" not in output


@pytest.mark.skipif(os.name == "nt", reason="Windows does not allow such a name")
def test_that_control_codes_in_a_file_name_do_not_reach_the_terminal(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "\x1b[2J.txt").write_text("not a film")
    assert cli.main(["scan", str(films)]) == ExitCode.OK
    assert "\x1b" not in capsys.readouterr().out


def test_that_model_show_prints_card_hash_and_contract(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["model", "show", str(model), "--trust-model"]) == ExitCode.OK
    output = capsys.readouterr().out
    assert sha256_of(model) in output
    assert f"{'Finding':13} Opacity" in output
    assert f"{'Contract':13} kept on" in output


def test_that_the_command_line_is_light() -> None:
    code = "import sys, xrayview.cli; print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    heavy = {"torch", "PySide6", "pyqtgraph", "cv2", "pydicom", "numpy"}
    assert not heavy & set(out.stdout.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--window", "40"], "expected CENTRE,WIDTH, such as 40,400"),
        (["--window", "40,0"], "expected CENTRE,WIDTH, such as 40,400"),
        (["--opacity", "2"], "expected a number above 0, up to 1"),
        (["--frame", "x"], "expected a whole number from 1"),
        (["--workers", "0"], "expected a whole number from 1"),
    ],
)
def test_that_an_option_with_a_wrong_value_says_what_it_expects(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["render", "film.dcm", "--out", "pictures", *options])
    assert capsys.readouterr().err.endswith(f"{options[0]}: {message}\n")


def test_that_a_missing_path_is_shown_as_typed(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("some") / "folder"
    assert cli.main(["scan", str(path)]) == ExitCode.USAGE
    assert f"{path}: No such file or folder." in capsys.readouterr().err
