"""Errors as data: what happened, to which file, why, and what to do.

Every failure that can reach a user is one of these. Its status code is shown in the CSV and beside
the film in the window.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Status(StrEnum):
    """The outcome of one film, as written in the CSV."""

    OK = "ok"
    WARN = "warn"
    REFUSED = "refused"
    ERROR = "error"


class StatusCode(StrEnum):
    """The reason behind a Status, as written in the CSV."""

    OK = "OK"
    NOT_AN_IMAGE = "NOT_AN_IMAGE"
    NO_PIXELS = "NO_PIXELS"
    UNSUPPORTED_SYNTAX = "UNSUPPORTED_SYNTAX"
    DECODE_FAILED = "DECODE_FAILED"
    DECODER_CRASHED = "DECODER_CRASHED"
    TIMED_OUT = "TIMED_OUT"
    TOO_LARGE = "TOO_LARGE"
    NOT_A_RADIOGRAPH = "NOT_A_RADIOGRAPH"
    NOT_A_CHEST = "NOT_A_CHEST"
    NOT_FRONTAL = "NOT_FRONTAL"
    OUT_OF_DISTRIBUTION = "OUT_OF_DISTRIBUTION"
    MODEL_FAILED = "MODEL_FAILED"
    CANCELLED = "CANCELLED"
    IDENTITY = "IDENTITY"
    """A copy of the film could still identify the patient."""


class ExitCode:
    """Exit codes of the command line."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    SOME_FAILED = 3
    NOTHING_USABLE = 4
    MODEL = 5
    DEVICE = 6
    INTERRUPTED = 130
    """By Ctrl+C, SIGTERM or SIGHUP."""


class XrayViewError(Exception):
    """Base class of all errors that a user may see.

    Args:
        what: what happened, in a few words, without a period.
        path: the file concerned, if there is one.
        why: the reason, in the terms of the field.
        hint: what the user can do, as a sentence.
    """

    code: StatusCode | None = None
    exit_code: int = ExitCode.INTERNAL

    def __init__(
        self, what: str, *, path: Path | None = None, why: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, path, why, hint)
        self.what = what
        self.path = path
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return self._text(self.path.name or str(self.path) if self.path else "")

    def text_with_path(self) -> str:
        """The message for the terminal where the path was typed: with the whole path."""
        return self._text(str(self.path) if self.path else "")

    def _text(self, path: str) -> str:
        file = f"{path}: " if path else ""
        reason = f" ({self.why})" if self.why else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{file}{self.what}{reason}.{hint}"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors are passed between processes, and pickle cannot restore keyword arguments.
        state = {k: v for k, v in self.__dict__.items() if k != "args"}
        return (_rebuild, (type(self), state))


def _rebuild(kind: type[XrayViewError], state: dict[str, object]) -> XrayViewError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (error.what, error.path, error.why, error.hint)
    return error


class UnreadableFilm(XrayViewError):
    """A file that cannot be read as a film; `code` is the kind of failure."""

    exit_code = ExitCode.SOME_FAILED

    def __init__(
        self,
        what: str,
        *,
        code: StatusCode,
        path: Path | None = None,
        why: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what, path=path, why=why, hint=hint)
        self.code = code


class IdentityRemains(UnreadableFilm):
    """A de-identified copy would still identify the patient; `element` is the keyword of where."""

    def __init__(self, element: str, *, why: str, hint: str) -> None:
        what = "The copy would still identify the patient"
        super().__init__(what, code=StatusCode.IDENTITY, why=why, hint=hint)
        self.element = element


class ModelError(XrayViewError):
    """A model file is missing, is not a bundle, does not match its card, or failed while it ran."""

    code = StatusCode.MODEL_FAILED
    exit_code = ExitCode.MODEL


class ModelLost(ModelError):
    """The model that some films were classified with is not there any more, or has changed.

    It is not about a film: where it comes, no further film can be classified.
    """


class ContractBroken(ModelError):
    """A model does not match its card; `field` is the field of the card at fault, if known."""

    def __init__(
        self,
        what: str,
        *,
        path: Path | None = None,
        why: str = "",
        hint: str = "",
        field: str = "",
    ) -> None:
        super().__init__(what, path=path, why=why, hint=hint)
        self.field = field


class ModelWithoutCard(ModelError):
    """A TorchScript file without a card, inside or beside it."""


class ModelNotTrusted(ModelError):
    """The user does not trust this model file (this hash) yet."""


class DeviceUnavailable(XrayViewError):
    """The requested device does not work; there is no silent fallback to another."""

    code = StatusCode.MODEL_FAILED
    exit_code = ExitCode.DEVICE


class UsageError(XrayViewError):
    """The request is invalid."""

    exit_code = ExitCode.USAGE


class NothingUsable(XrayViewError):
    """The folder contains no films."""

    exit_code = ExitCode.NOTHING_USABLE


class Cancelled(XrayViewError):
    """The user cancelled the request."""

    code = StatusCode.CANCELLED
    exit_code = ExitCode.INTERRUPTED
