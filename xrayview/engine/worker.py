"""Code that runs in the worker processes.

Heavy imports are inside the functions: numpy and OpenCV size their thread pools when they are
imported, which must be after the thread counts are set.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.errors import XrayViewError
from xrayview.inference.cores import set_wait_policy

if TYPE_CHECKING:
    from xrayview.engine.protocol import Request
    from xrayview.engine.transport import Wire

MIB = 1024 * 1024
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start_decode_worker(memory_mib: int, crash_log: str) -> None:
    """Prepare a decode worker: no output, one thread, limited memory, decoders imported."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    isolate_process(crash_log)
    _limit("RLIMIT_AS", memory_mib * MIB)
    # A missing module is reported by the request that needs it.
    with suppress(ImportError):
        import cv2

        from xrayview.engine import decode_handlers

        cv2.setNumThreads(1)
        decode_handlers.load_decoders()


def start_model_worker(crash_log: str, cache: Path | None = None) -> None:
    """Prepare the model worker: no output, torch imported so that no request waits for it.

    Args:
        crash_log: where a crash writes its stack trace.
        cache: the folder of converted networks; None to convert each time.
    """
    set_wait_policy()
    isolate_process(crash_log)
    with suppress(ImportError, OSError):
        from xrayview.engine import model_handlers

        model_handlers.load_runtime(cache)


def run(request: Request, segment: str) -> Wire | XrayViewError:
    """Run one request; a failure is returned as a value.

    A raised exception would include its traceback, and with it text from the film.
    """
    from xrayview.engine import transport

    return transport.reply_to(request, segment)


def isolate_process(crash_log: str) -> None:
    """Prepare any worker: end at once on SIGTERM, print nothing, log crashes."""
    # A hanging decoder never returns to Python's handler; the default action ends the process.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A closed terminal signals all its processes; the parent decides when work ends.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _limit("RLIMIT_CORE", 0)
    _silence()
    with suppress(OSError):
        # Stays open as long as the process lives: faulthandler writes to its descriptor.
        faulthandler.enable(open(crash_log, "a"), all_threads=False)  # noqa: SIM115, PTH123
    logging.disable()


def _silence() -> None:
    """Discard all output: native decoders print parts of headers, which may identify a patient."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(devnull, stream)
    os.close(devnull)
    # A windowed frozen app has no streams.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123


def _limit(name: str, value: int) -> None:
    """Set a resource limit, where the platform has it."""
    try:
        import resource
    except ImportError:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(getattr(resource, name), (value, value))
