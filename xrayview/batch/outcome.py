"""What a film's way through the batch comes to: one status, one code, one message."""

from __future__ import annotations

from datetime import UTC, datetime

from xrayview.batch.pipeline import FilmOutcome
from xrayview.domain.events import FilmResult
from xrayview.domain.film import RejectedFile
from xrayview.domain.model import GateVerdict
from xrayview.engine.protocol import PreparedFilm
from xrayview.errors import Status, StatusCode, XrayViewError
from xrayview.inference.gate import combine_verdicts

CODES = frozenset(StatusCode)


def result_of_film(tried: FilmOutcome) -> FilmResult:
    """The outcome as the CSV and the window show it."""
    status, code, message = _verdict(tried)
    prepared, gate = tried.prepared, _gate(tried)
    refused = gate is not None and gate.refused
    return FilmResult(
        relative_path=tried.found.relative_path,
        status=status,
        code=code,
        message=message,
        ref=None if isinstance(tried.found, RejectedFile) else tried.found,
        sha256=prepared.sha256 if prepared else "",
        preprocessing_id=prepared.model_input.preprocessing_id if prepared else "",
        prediction=None if refused else tried.prediction,
        gate=gate,
        time_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _verdict(tried: FilmOutcome) -> tuple[Status, StatusCode, str]:
    if isinstance(tried.found, RejectedFile):
        return Status.ERROR, tried.found.code, _sentence(tried.found.why, "", tried.found.hint)
    if tried.error:
        code = tried.error.code or StatusCode.DECODE_FAILED
        return Status.ERROR, code, error_message(tried.error)
    gate = _gate(tried)
    if tried.prepared is None or gate is None:
        raise ValueError("a film is rejected, failed or prepared")
    return _judgement(tried.prepared, gate)


def _gate(tried: FilmOutcome) -> GateVerdict | None:
    """What header and pixels say, with what the model's statistics say."""
    if tried.prepared is None:
        return None
    said = tried.prediction.gate if tried.prediction else GateVerdict()
    return combine_verdicts((tried.prepared.gate, said))


def _judgement(prepared: PreparedFilm, gate: GateVerdict) -> tuple[Status, StatusCode, str]:
    message = "; ".join((*gate.reasons, *prepared.warnings))
    if gate.refused:
        return Status.REFUSED, _code(gate, StatusCode.NOT_A_RADIOGRAPH), message
    if gate.flags or prepared.warnings:
        return Status.WARN, _code(gate, StatusCode.OK), message
    return Status.OK, StatusCode.OK, message


def _code(gate: GateVerdict, otherwise: StatusCode) -> StatusCode:
    return next((StatusCode(flag) for flag in gate.flags if flag in CODES), otherwise)


def error_message(error: XrayViewError) -> str:
    """An error without its file, which has a column of its own."""
    return _sentence(error.what, error.why, error.hint)


def _sentence(what: str, why: str, hint: str) -> str:
    reason = f" ({why})" if why else ""
    return f"{what}{reason}. {hint}".strip()
