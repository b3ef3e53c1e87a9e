"""Errors for failed workers; they never quote text from a film."""

from __future__ import annotations

from pathlib import Path

from xrayview.engine.protocol import (
    Classify,
    Explain,
    FilmRequest,
    LoadModel,
    PruneThumbnails,
    ReadAttributes,
    ReadHeaders,
    ReadIndex,
    ReadTags,
    Request,
)
from xrayview.errors import ModelError, StatusCode, UnreadableFilm, XrayViewError

OPENCV_NO_MEMORY = -4
"""cv2.Error.StsNoMem"""


def timed_out(request: Request, timeout_s: float) -> XrayViewError:
    """The error of a request that exceeded its time limit."""
    if _is_for_model(request):
        return ModelError(
            f"The model did not finish within {timeout_s:g} s",
            path=_path(request),
            hint="Raise the model's time limit in the settings, or choose a smaller model.",
        )
    return UnreadableFilm(
        f"Decoding took longer than {timeout_s:g} s",
        code=StatusCode.TIMED_OUT,
        path=_path(request),
        hint="The file may be damaged. To allow more time, raise the limit in the settings.",
    )


def crashed(request: Request, exit_code: int | None, reason: str = "") -> XrayViewError:
    """The error of a request whose worker process died, or could not start for a `reason`."""
    why = f"its process ended with code {exit_code}" if exit_code is not None else reason
    if reason:
        hint = "Check that memory is free, and that /dev/shm is there, writable and not full."
        if _is_for_model(request):
            return ModelError("The model worker cannot work", why=why, hint=hint)
        code = StatusCode.DECODER_CRASHED
        return UnreadableFilm("The decoder cannot work", code=code, why=why, hint=hint)
    if _is_for_model(request):
        return ModelError(
            "The model worker stopped",
            path=_path(request),
            why=why,
            hint="It starts again with the next request. Check that enough memory is free.",
        )
    return UnreadableFilm(
        "The decoder crashed while reading this film",
        code=StatusCode.DECODER_CRASHED,
        path=_path(request),
        why=why,
        hint="The file may be damaged. Other films are not affected.",
    )


def unexpected(request: Request, error: Exception) -> XrayViewError:
    """The error of an unforeseen exception: its type, but not its text, which may quote a film."""
    kind = type(error).__name__
    if isinstance(error, ImportError):
        limit = address_space_limit()
        kind = limit if limit and _is_for_model(request) else f"{error.name} is not installed"
    if _is_for_model(request):
        return ModelError(
            "The model failed",
            path=_path(request),
            why=address_space_limit() or "not enough memory" if _is_memory(error) else kind,
            hint="Check that the model suits this device and these films.",
        )
    if _is_memory(error):
        return UnreadableFilm(
            "The film needs more memory than a decode worker may use",
            code=StatusCode.TOO_LARGE,
            path=_path(request),
            hint="Raise the memory limit in the settings.",
        )
    return UnreadableFilm(
        "The film cannot be decoded",
        code=StatusCode.DECODE_FAILED,
        path=_path(request),
        why=kind,
        hint="The file may be damaged. Try to open it in another viewer.",
    )


def address_space_limit() -> str:
    """The limit on this process's memory, for messages; empty where there is none.

    A library that does not fit into it looks as if it were not installed.
    """
    try:
        import resource
    except ImportError:
        return ""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return ""
    return f"not enough memory: `ulimit -v` allows {limit // 2**20} MiB"


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or getattr(error, "code", None) == OPENCV_NO_MEMORY


def _is_for_model(request: Request) -> bool:
    return isinstance(request, LoadModel | Classify | Explain)


def _path(request: Request) -> Path | None:
    if isinstance(request, FilmRequest):
        return request.film.path
    if isinstance(request, ReadTags | ReadAttributes | ReadIndex):
        return request.path
    if isinstance(request, ReadHeaders):
        return request.paths[0] if len(request.paths) == 1 else None
    if isinstance(request, PruneThumbnails):
        return None
    return request.model.path
