"""`xrayview self-test`: check this installation in processes and folders of its own."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from xrayview import __version__
from xrayview.commands.terminal import (
    cancel_on_interrupt,
    print_err,
    print_out,
)
from xrayview.domain.self_test import (
    CheckResult,
    CheckStatus,
    NotChecked,
    as_json,
    has_passed,
    summary,
    timed,
)
from xrayview.errors import ExitCode, XrayViewError

_INNER = "--without-window"
_CHECKS_S, _WINDOW_S, _END_S = 150.0, 90.0, 5.0
_MARK = "XRAYVIEW_SELF_TEST"
_NO_CONSOLE = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Windows would open one for each process that a windowed program starts."""
_SYSTEM_CACHES = ("fontconfig", "mesa_shader_cache", "mesa_shader_cache_db", "nvidia")
"""What the system's libraries write to ~/.cache for any program."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    # The window's dialog reads a line as soon as its check has ended.
    parser.add_argument("--lines", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(_INNER, action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the installation; returns 0 where nothing failed, else 1."""
    if options.without_window:
        return _run_inner()
    start_s = time.monotonic()
    program = _program()
    if not (options.json or options.lines):
        print_out(" · ".join(program.values()))
    results = []
    cancel = cancel_on_interrupt()
    for result in _results(cancel):
        if cancel.is_set():
            break
        results.append(result)
        if options.lines:
            _print_line(result)
        elif options.json:
            print_err(result.line)
        else:
            print_out(result.line)
            sys.stdout.flush()
    if cancel.is_set():
        print_err("Interrupted.")
        return ExitCode.INTERRUPTED
    seconds = time.monotonic() - start_s
    if options.json:
        sys.stdout.write(f"{as_json(results, program, seconds)}\n")
    elif not options.lines:
        print_out(summary(results, seconds))
    return ExitCode.OK if has_passed(results) else ExitCode.INTERNAL


def _program() -> dict[str, str]:
    from xrayview.services.program import is_frozen
    from xrayview.services.resources import resource

    return {
        "version": f"XrayView {__version__}",
        "python": f"Python {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "from": f"{'frozen, ' if is_frozen() else ''}{resource().parent}",
    }


def _run_inner() -> int:
    """The checks without a window, one JSON object per line."""
    from xrayview.services.self_test.checks import run_checks

    results = []
    for result in run_checks(cancel_on_interrupt()):
        results.append(result)
        _print_line(result)
    return ExitCode.OK if has_passed(results) else ExitCode.INTERNAL


def _print_line(result: CheckResult) -> None:
    sys.stdout.write(f"{json.dumps(asdict(result))}\n")
    sys.stdout.flush()


def _results(cancel: threading.Event) -> Iterator[CheckResult]:
    from xrayview.services.log import log_unforeseen

    mark = uuid4().hex
    with tempfile.TemporaryDirectory(
        prefix="xrayview-self-test-", ignore_cleanup_errors=True
    ) as name:
        root = Path(name).resolve()
        environment = _environment(root, mark)
        before = _shipped_files()
        yield from _checks(root, environment, cancel)
        if cancel.is_set():
            return
        yield timed("Window", lambda: _check_window(root, environment, cancel), log_unforeseen)
        yield timed("Folders", lambda: _check_folders(root, before), log_unforeseen)
        yield timed("Processes", lambda: _check_processes(mark), log_unforeseen)


def _environment(root: Path, mark: str) -> dict[str, str]:
    """The environment of the checked program: folders of its own, and a mark."""
    from xrayview.services.program import program_environment

    folders = {name: str(root / name) for name in ("home", "tmp", "work")}
    for folder in folders.values():
        Path(folder).mkdir()
    own = {"XRAYVIEW_HOME": str(root / "xrayview"), _MARK: mark}
    if os.name == "posix":
        own |= {"HOME": folders["home"], "TMPDIR": folders["tmp"]}
        own |= dict.fromkeys(("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"), "")
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        own |= {"QT_QPA_PLATFORM": "offscreen"}
    return program_environment() | own


def _checks(
    root: Path, environment: Mapping[str, str], cancel: threading.Event
) -> Iterator[CheckResult]:
    """The checks without a window, as they end in their process."""
    from xrayview.services.program import program_command

    start_s = time.monotonic()
    log = root / "checks.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603 - this program
            [*program_command(), "self-test", _INNER],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=root / "work",
            creationflags=_NO_CONSOLE,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        timer = threading.Timer(_CHECKS_S, process.kill)
        timer.start()
        threading.Thread(target=_end_on, args=(cancel, process), daemon=True).start()
        assert process.stdout is not None
        try:
            for line in process.stdout:
                with suppress(ValueError, KeyError, TypeError):
                    yield CheckResult.of(json.loads(line))
        finally:
            timer.cancel()
    if process.returncode not in (ExitCode.OK, ExitCode.INTERNAL) and not cancel.is_set():
        detail = f"the checks ended with {process.returncode}: {_last_line(log)}"
        seconds = time.monotonic() - start_s
        yield CheckResult("Program", CheckStatus.FAILED, round(seconds, 2), detail)


def _end_on(cancel: threading.Event, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        if cancel.wait(0.1):
            process.terminate()
            return


def _check_window(root: Path, environment: Mapping[str, str], cancel: threading.Event) -> str:
    """Start the program's window on the sample study, and compare what it reports."""
    from xrayview.io.model.bundle import sha256_of
    from xrayview.services.catalogue import find_model
    from xrayview.services.program import program_command
    from xrayview.services.self_test.scores import (
        SCORE_TOLERANCE,
        film_difference,
        recorded_scores,
    )

    report, log = root / "window.json", root / "window.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603 - this program
            [*program_command(), "app", "--sample", "--self-check", str(report)],
            stdout=errors,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=root / "work",
            creationflags=_NO_CONSOLE,
            text=True,
        ) as process,
    ):
        end_s = time.monotonic() + _WINDOW_S
        while process.poll() is None and time.monotonic() < end_s and not cancel.is_set():
            time.sleep(0.05)
        if process.poll() is None:
            process.kill()
            raise XrayViewError("The window did not close", why=_last_line(log))
    if process.returncode != 0 or not report.is_file():
        why = f"exit code {process.returncode}: {_last_line(log)}"
        raise XrayViewError("The window did not start", why=why)
    found = json.loads(report.read_text(encoding="utf-8"))
    if "error" in found:
        raise XrayViewError("The window failed", why=found["error"])
    expected = recorded_scores(sha256_of(find_model()))["films"][found["film"]]
    if not film_difference(expected, found) <= SCORE_TOLERANCE:
        raise XrayViewError("The window's scores are not the recorded ones", why=found["film"])
    states = found["states"]
    return (
        f"{found['platform']}: painted, sample study opened, classified as recorded, "
        f"heat map drawn ({states['film is painted']:.1f} s), closed"
    )


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"


def _shipped_files() -> dict[Path, tuple[int, int]]:
    from xrayview.services.resources import resource

    files = (path for path in resource().rglob("*") if path.is_file())
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def _check_folders(root: Path, before: Mapping[Path, tuple[int, int]]) -> str:
    """Only the program's folders have been written to."""
    own = root / "xrayview"
    expected = ("config/settings.json", "config/trusted_models.json", "log/xrayview.log", "cache")
    missing = [name for name in expected if not (own / name).exists()]
    if missing:
        raise XrayViewError("Expected files were not written", why=", ".join(missing))
    after = _shipped_files()
    changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    if changed:
        names = ", ".join(path.name for path in changed[:5])
        raise XrayViewError("Shipped files have changed", why=names)
    strays = [
        path.relative_to(root)
        for folder in ("home", "work", "tmp")
        for path in (root / folder).rglob("*")
        if path.is_file() and not _is_of_system(path.relative_to(root))
    ]
    if strays:
        raise XrayViewError(
            "Files were written outside the program's folders", why=", ".join(map(str, strays[:5]))
        )
    kinds = sorted(path.name for path in own.iterdir())
    return f"written only in the program's folders ({', '.join(kinds)})"


def _is_of_system(path: Path) -> bool:
    return path.parts[:2] == ("home", ".cache") and path.parts[2] in _SYSTEM_CACHES


def _check_processes(mark: str) -> str:
    """No process of the checks is left."""
    from xrayview.services.program import can_list_processes, processes_with

    if not can_list_processes():
        raise NotChecked("The system does not list the processes of a program")
    end_s = time.monotonic() + _END_S
    while left := processes_with({_MARK: mark}):
        if time.monotonic() > end_s:
            raise XrayViewError("Processes are still running", why=", ".join(left))
        time.sleep(0.1)
    return "none left"
