"""The command line.

It starts without torch and Qt, so that `--help` and usage errors are instant: a command imports
what it needs when it runs.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xrayview import __version__
from xrayview.commands.terminal import interrupting_signals, open_standard_streams, print_err
from xrayview.errors import ExitCode, UsageError, XrayViewError
from xrayview.inference.cores import set_wait_policy


@dataclass(frozen=True)
class Command:
    """A command: its module in `xrayview.commands` has its name, and is imported when it runs."""

    name: str
    help: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's options and the function that runs it."""
        module = f"xrayview.commands.{self.name.replace('-', '_')}"
        importlib.import_module(module).add_arguments(parser)


COMMANDS = (
    Command("classify", "score the films of a folder and write a table"),
    Command("merge", "check the parts of an index and merge them into one table"),
    Command("scan", "list the films of a folder, and why other files are not films"),
    Command("index", "list the files of a folder once, to classify them in shards"),
    Command("inspect", "show a film's format and how its stored values become grey"),
    Command("render", "write films as pictures, with heat maps on request"),
    Command("tags", "write the DICOM tags of a folder as a table"),
    Command("measurements", "write the measurements on the films of a folder as a table"),
    Command("evaluate", "compare the scores of a table with labels, as a report"),
    Command("readers", "compare readers and conditions of a reader study"),
    Command("deidentify", "write de-identified copies of DICOM films"),
    Command("model", "list, show and describe model bundles"),
    Command("self-test", "check this installation in a minute at most"),
)
SELF_TEST = "--self-test"
"""Starts the self-test where a command's name cannot be given, as for the window's program."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, see `ExitCode`."""
    # A frozen program starts its workers by starting itself.
    multiprocessing.freeze_support()
    set_wait_policy()
    open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    arguments = _with_self_test(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(arguments)
    options, unknown = parser.parse_known_args(arguments)
    options.command_line = tuple(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    if unknown and run is not _run_app:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    handlers = {kind: signal.getsignal(kind) for kind in interrupting_signals()}
    try:
        return run(options)
    except XrayViewError as error:
        print_err(f"xrayview: {error.text_with_path()}")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of the output (`| head`) has closed it; Python must not flush it at exit.
        sys.stdout = None
        return ExitCode.OK
    except Exception as error:
        from xrayview.services.log import log_unforeseen

        log_unforeseen(error)
        if reason := _outside_reason(error):
            print_err(f"xrayview: {reason}")
            return ExitCode.USAGE
        print_err(
            f"xrayview: internal error ({type(error).__name__}). The log file has the details."
        )
        return ExitCode.INTERNAL
    finally:
        # A command may have replaced the handlers of Ctrl+C and its like.
        if threading.current_thread() is threading.main_thread():
            for kind, handler in handlers.items():
                signal.signal(kind, handler)


def _outside_reason(error: Exception) -> str:
    """What the system does not allow, where that is the cause of an error; else empty."""
    from xrayview.engine.failures import address_space_limit

    if isinstance(error, OSError) and error.strerror:
        file = f"{Path(os.fsdecode(error.filename)).name}: " if error.filename else ""
        what = "The disk is full" if error.errno == errno.ENOSPC else "The system refuses access"
        return f"{file}{what} ({error.strerror})."
    # Threads and libraries fail in ways of their own where no memory is left for them.
    if isinstance(error, MemoryError | ImportError | RuntimeError | OSError) and (
        limit := address_space_limit()
    ):
        return f"The program does not fit into the memory that it may use ({limit})."
    return "There is not enough memory." if isinstance(error, MemoryError) else ""


def window() -> int:
    """Run `xrayview app` without a terminal.

    Spawned workers import the main module again. Started here, that module is a light one and Qt
    stays out of the workers: it costs 50 MB each, and on Windows torch cannot be loaded after it.
    """
    arguments = sys.argv[1:]
    is_command = arguments[:1] in (["app"], ["self-test"])  # as this program starts itself
    return main(arguments if is_command else ["app", *arguments])


def _with_self_test(arguments: Sequence[str]) -> list[str]:
    """`--self-test` is a command that has no place for a command's name, as a shortcut has none."""
    if SELF_TEST not in arguments:
        return list(arguments)
    return ["self-test", *(a for a in arguments if a not in ("app", SELF_TEST))]


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command that is named has its options, so that others stay unloaded."""
    chosen = next((argument for argument in arguments if not argument.startswith("-")), "")
    parser = argparse.ArgumentParser(
        prog="xrayview",
        description="Chest-radiograph research: read, classify, explain, audit. Not for diagnosis.",
        epilog="`xrayview COMMAND --help` explains the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"xrayview {__version__}")
    parsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        description = f"{command.help[0].upper()}{command.help[1:]}."
        part = parsers.add_parser(command.name, help=command.help, description=description)
        if command.name == chosen:
            command.add_arguments(part)
    app = parsers.add_parser("app", help="open the main window", add_help=False)
    app.set_defaults(run=_run_app)
    return parser


def _run_app(options: argparse.Namespace) -> int:
    from xrayview.services.display import library_missing, require_display
    from xrayview.services.program import show_native_message

    arguments = options.command_line[1:]
    try:
        if not {"-h", "--help", "--version"} & set(arguments):
            require_display()
        try:
            from xrayview.app import main as start_app
        except ImportError as error:  # a library of the system, or Qt itself, is missing
            raise library_missing(str(error)) from error
    except UsageError as error:
        show_native_message("XrayView", str(error))
        raise
    # The window's own parser takes what follows.
    return start_app(arguments)
