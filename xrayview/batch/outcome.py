"""The result of a film's way through the batch: one status, one code, one message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from xrayview.batch.pipeline import FilmOutcome
from xrayview.domain.events import FilmResult
from xrayview.domain.film import RejectedFile
from xrayview.domain.model import GateVerdict, Scope
from xrayview.domain.sentences import joined
from xrayview.domain.stated import StatedFilms
from xrayview.domain.verdict import gate_texts
from xrayview.errors import Status, StatusCode, XrayViewError
from xrayview.inference.gate import check_description, combine_verdicts

CODES = frozenset(StatusCode)


def result_of_film(outcome: FilmOutcome) -> FilmResult:
    """The outcome as the CSV and the window show it."""
    status, code, message = _status(outcome)
    prepared, gate = outcome.prepared, _gate(outcome)
    is_refused = gate is not None and gate.refused
    by_model = outcome.prediction.gate if outcome.prediction else GateVerdict()
    return FilmResult(
        relative_path=outcome.file.relative_path,
        status=status,
        code=code,
        message=message,
        ref=None if isinstance(outcome.file, RejectedFile) else outcome.file,
        sha256=prepared.sha256 if prepared else "",
        preprocessing_id=prepared.model_input.preprocessing_id if prepared else "",
        prediction=None if is_refused else outcome.prediction,
        gate=gate,
        pixel_gate=combine_verdicts((prepared.pixel_gate, by_model)) if prepared else None,
        warnings=prepared.warnings if prepared else (),
        time_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def restated(result: FilmResult, scope: Scope, stated: StatedFilms) -> FilmResult | None:
    """The result with another statement about its folder; scores and pixels stay.

    None where the film was refused before the model scored it, and is not refused now.
    """
    if result.ref is None or result.pixel_gate is None or result.status is Status.ERROR:
        return result
    described = check_description(result.ref, scope, stated)
    gate = combine_verdicts((described, result.pixel_gate))
    if gate == result.gate:
        return result
    if result.prediction is None and not gate.refused:
        return None
    status, code, message = _status_of_gate(gate, result.warnings)
    prediction = None if gate.refused else result.prediction
    return replace(
        result, status=status, code=code, message=message, gate=gate, prediction=prediction
    )


def _status(outcome: FilmOutcome) -> tuple[Status, StatusCode, str]:
    if isinstance(outcome.file, RejectedFile):
        return Status.ERROR, outcome.file.code, rejection_message(outcome.file)
    if outcome.error:
        code = outcome.error.code or StatusCode.DECODE_FAILED
        return Status.ERROR, code, error_message(outcome.error)
    gate = _gate(outcome)
    if outcome.prepared is None or gate is None:
        raise ValueError("a film is rejected, failed or prepared")
    return _status_of_gate(gate, outcome.prepared.warnings)


def _gate(outcome: FilmOutcome) -> GateVerdict | None:
    """The verdict by header and pixels, combined with that of the model's statistics."""
    if outcome.prepared is None:
        return None
    by_model = outcome.prediction.gate if outcome.prediction else GateVerdict()
    return combine_verdicts((outcome.prepared.gate, by_model))


def _status_of_gate(gate: GateVerdict, warnings: tuple[str, ...]) -> tuple[Status, StatusCode, str]:
    message = joined((*gate_texts(gate), *warnings))
    if gate.refused:
        return Status.REFUSED, _code(gate, StatusCode.NOT_A_RADIOGRAPH), message
    if gate.flags or warnings:
        return Status.WARN, _code(gate, StatusCode.OK), message
    return Status.OK, StatusCode.OK, message


def _code(gate: GateVerdict, default: StatusCode) -> StatusCode:
    return next((StatusCode(flag) for flag in gate.flags if flag in CODES), default)


def error_message(error: XrayViewError) -> str:
    """The text of an error without its file, which has a column of its own."""
    reason = f" ({error.why})" if error.why else ""
    return f"{error.what}{reason}. {error.hint}".strip()


def rejection_message(file: RejectedFile) -> str:
    """Why a file is not a film, and what to do."""
    return f"{file.why}. {file.hint}".strip()
