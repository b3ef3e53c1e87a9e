"""What runs in the child processes.

This module is light: it is imported before the thread counts are set, and numpy's and OpenCV's
thread pools are sized at their import. Everything heavy is imported inside the functions.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from xrayview.errors import XrayViewError

if TYPE_CHECKING:
    from xrayview.engine.protocol import Request
    from xrayview.engine.transport import Wire

MIB = 1024 * 1024
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start_decode_worker(memory_mib: int, crash_log: str) -> None:
    """Prepare a decode worker: quiet, one thread, a limit on its memory, decoders loaded."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    isolate_process(crash_log)
    _limit("RLIMIT_AS", memory_mib * MIB)
    # What is missing here is reported by the request that needs it.
    with suppress(ImportError):
        import cv2

        from xrayview.engine import decode_handlers

        cv2.setNumThreads(1)
        decode_handlers.load_decoders()


def start_model_worker(crash_log: str) -> None:
    """Prepare the model worker: quiet, torch loaded so that no request waits for it."""
    isolate_process(crash_log)
    with suppress(ImportError, OSError):
        from xrayview.engine import model_handlers

        model_handlers.load_runtime()


def run(request: Request, segment: str) -> Wire | XrayViewError:
    """Answer one request; a failure comes back as a value.

    Raised exceptions would carry their traceback along, and texts of the file with it.
    """
    from xrayview.engine import transport

    return transport.answer(request, segment)


def isolate_process(crash_log: str) -> None:
    """What every worker does first: die at once when told to, print nothing."""
    # A decoder that hangs never returns to Python's own handler: the default action ends it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _limit("RLIMIT_CORE", 0)
    _silence()
    with suppress(OSError):
        # Kept open for the life of the process: faulthandler writes to its descriptor.
        faulthandler.enable(open(crash_log, "a"), all_threads=False)  # noqa: SIM115, PTH123
    logging.disable()


def _silence() -> None:
    """Native decoders print what they find in a header, identity included: nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    # A windowed frozen app has no streams at all.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123


def _limit(name: str, value: int) -> None:
    """Lower one resource limit, where the platform has it."""
    try:
        import resource
    except ImportError:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(getattr(resource, name), (value, value))
