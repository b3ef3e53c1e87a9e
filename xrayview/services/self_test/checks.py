"""The checks that need no window, in order, each with a time and a text."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from xrayview.domain.self_test import CheckResult, CheckStatus, NotChecked, timed
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import DeviceUnavailable, XrayViewError
from xrayview.services.catalogue import find_model, list_models, model_ref, trust_model
from xrayview.services.identity import identity_key
from xrayview.services.log import crash_log, log_unforeseen, start_log
from xrayview.services.resources import require_resources
from xrayview.services.self_test.batch import check_batch, start_decode_workers
from xrayview.services.self_test.codecs import check_codecs
from xrayview.services.self_test.scores import check_cuda, check_model
from xrayview.services.settings import Settings


def run_checks(cancel: threading.Event) -> Iterator[CheckResult]:
    """Run all checks; the program's folders are those of the environment.

    A failed check does not end the others, unless shipped files are missing.
    """
    with (
        tempfile.TemporaryDirectory(prefix="xrayview-") as folder,
        Engine(2, spare_workers=0, crash_log=crash_log()) as engine,
    ):
        yield (files := timed("Files", _check_files, log_unforeseen))
        if files.status is CheckStatus.FAILED:
            return
        workers = start_decode_workers(engine, cancel)
        model = partial(model_ref, find_model(), "cpu")
        checks: tuple[tuple[str, Callable[[], str]], ...] = (
            ("Codecs", lambda: check_codecs(engine, cancel)),
            ("Model", lambda: check_model(engine, model(), cancel)),
            ("CUDA", lambda: _check_cuda(engine, model(), cancel)),
            (
                "Batch and CSV",
                lambda: check_batch(engine, workers[0], model(), Path(folder, "batch"), cancel),
            ),
            ("Settings", lambda: _check_settings(model(), Path(folder))),
        )
        for name, check in checks:
            yield timed(name, check, log_unforeseen)


def _check_files() -> str:
    """Shipped folders are there, and shipped bundles have the hashes of their list."""
    require_resources()
    shipped = [entry for entry in list_models() if entry.shipped]
    for entry in shipped:
        if entry.error is not None:
            raise entry.error
        model_ref(entry.path)
    return f"{', '.join(entry.name for entry in shipped)}: as listed"


def _check_settings(model: ModelRef, folder: Path) -> str:
    """Settings, trust and the identity key can be written and read back."""
    start_log()
    settings = Settings()
    settings["theme"], settings["device"] = "light", "cpu"
    settings.save()
    if Settings()["theme"] != "light":
        raise XrayViewError("The settings are not read as they were written", path=settings.path)
    copy = folder / "copy.pt"
    shutil.copyfile(model.path, copy)
    trust_model(copy)
    model_ref(copy)
    if identity_key() != identity_key():
        raise XrayViewError("The identity key changes")
    return "settings, trusted models and identity key are written and read"


def _check_cuda(engine: Engine, model: ModelRef, cancel: threading.Event) -> str:
    try:
        return check_cuda(engine, model, cancel)
    except DeviceUnavailable as error:
        raise NotChecked(f"{error.what}: {error.why}") from error
