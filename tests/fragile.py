"""Workers whose handlers crash, hang or run out of memory, depending on the name of the file.

    monkeypatch.setattr("xrayview.engine.client.start_decode_worker", start_fragile_decoder)

The child processes import this module, so it is light and without torch.
"""

from __future__ import annotations

import gc
import hashlib
import os
import signal
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
from pebble.pool.channel import WorkerChannel

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.model import Finding, ModelCard, Prediction, PreprocessSpec
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.engine import worker
from xrayview.engine.protocol import (
    Classify,
    DecodeFilm,
    LoadModel,
    ModelReady,
    PreparedFilm,
    PrepareInput,
    ReadHeaders,
)

CARD = ModelCard(
    schema=1,
    name="fragile",
    version="1",
    task="binary",
    activation="sigmoid",
    findings=(Finding("Opacity"),),
    preprocessing=PreprocessSpec((64, 64)),
)
PREDICTION = Prediction(
    film_id="",
    model_sha256="0" * 64,
    findings=("Opacity",),
    scores=(0.5,),
    logits=(0.0,),
    thresholds=(0.5,),
    flags=(True,),
    predicted="Opacity",
    uncertainty=1.0,
    device="cpu",
    precision="float32",
)
SECRET = "DOE^JANE 1950-01-01"


def start_fragile_decoder(memory_mib: int, crash_log: str) -> None:
    """Start a decode worker with decoders that misbehave."""
    worker.start_decode_worker(memory_mib, crash_log)
    from xrayview.engine import transport

    transport.HANDLERS[DecodeFilm] = _decode
    transport.HANDLERS[ReadHeaders] = _read_headers


def start_hanging_decoder(memory_mib: int, crash_log: str) -> None:
    """Start a decode worker that prepares films, but for those that hang."""
    worker.start_decode_worker(memory_mib, crash_log)
    from xrayview.engine import transport

    prepare = transport.HANDLERS[PrepareInput]

    def prepare_or_hang(request: PrepareInput) -> PreparedFilm:
        _misbehave(request.film.path)
        reply = prepare(request)
        assert isinstance(reply, PreparedFilm)
        return reply

    transport.HANDLERS[PrepareInput] = prepare_or_hang


def start_fragile_model(crash_log: str, _cache: Path | None = None) -> None:
    """Start a model worker without a network that misbehaves on films."""
    worker.isolate_process(crash_log)
    from xrayview.engine import transport

    transport.HANDLERS[LoadModel] = _load
    transport.HANDLERS[Classify] = _classify


def _decode(request: DecodeFilm) -> Radiograph | Poison:
    _misbehave(request.film.path)
    if "poison" in request.film.path.stem:
        return Poison()
    return Radiograph(request.film, np.full((300, 200), 7, np.uint16), Greyscale())


def _read_headers(request: ReadHeaders) -> tuple[FilmRef | RejectedFile, ...]:
    for path in request.paths:
        _misbehave(path)
    return tuple(FilmRef(path, path.name) for path in request.paths)


def _load(request: LoadModel) -> ModelReady:
    return ModelReady(request.model, CARD, "cpu", "cpu", "float32", ())


def _classify(request: Classify) -> tuple[Prediction, ...]:
    for one in request.inputs:
        _misbehave(Path(one.film_id.partition("#")[0]))
    return tuple(replace(PREDICTION, film_id=one.film_id) for one in request.inputs)


def _misbehave(path: Path) -> None:
    if "crash" in path.stem:
        os.kill(os.getpid(), signal.SIGSEGV)
    elif "hang" in path.stem:
        # Native code that does not return to Python's signal handlers for an hour.
        hashlib.pbkdf2_hmac("sha512", b"", b"", 2**31 - 1)
    elif "starve" in path.stem:
        np.ones((64 * 1024, 1024 * 1024), np.uint8).sum()
    elif "lock" in path.stem:
        _channel().mutex.acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    elif "half" in path.stem:
        channel = _channel()
        channel.mutex.acquire()
        os.write(channel.writer.fileno(), struct.pack("!i", 1000) + b"half a reply")
        os.kill(os.getpid(), signal.SIGKILL)
    elif "bug" in path.stem:
        raise ValueError(SECRET)


def _channel() -> WorkerChannel:
    """The channel that the workers of the pool share."""
    return next(item for item in gc.get_objects() if isinstance(item, WorkerChannel))


class Poison:
    """A reply that the parent cannot read."""

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("poison",)
