"""The verdict on a film in words: one of three, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable

from xrayview.domain.events import FilmResult
from xrayview.domain.model import GateVerdict
from xrayview.errors import Status, StatusCode

IN_SCOPE, CAUTION, OUT_OF_SCOPE = "In scope", "Caution", "Out of scope"
NOT_COMPARED = "Scope not checked"
"""Of a film that was scored by a model without statistics of its training films."""
NOT_CLASSIFIED = "Not classified"
ERROR = "Error"
LIST_TITLES = (IN_SCOPE, NOT_COMPARED, CAUTION, OUT_OF_SCOPE, ERROR)
"""In the order of lists."""

_BY_STATUS = {
    Status.OK: IN_SCOPE,
    Status.WARN: CAUTION,
    Status.REFUSED: OUT_OF_SCOPE,
    Status.ERROR: NOT_CLASSIFIED,
}
_ATTRIBUTES = {"AGE": "age", "VIEW": "view", "BODY_PART": "body part", "MODALITY": "modality"}
_UNKNOWN, _STATED = "_UNKNOWN", "_STATED"


def verdict_of(result: FilmResult) -> str:
    """The verdict; "In scope" only where the film was compared with the training films."""
    if result.status is Status.OK and not is_compared(result):
        return NOT_COMPARED
    return _BY_STATUS[result.status]


def status_title(status: Status, *, compares: bool = True) -> str:
    """The list title of films with a status; `compares`: the model has training statistics."""
    if status is Status.OK and not compares:
        return NOT_COMPARED
    return ERROR if status is Status.ERROR else _BY_STATUS[status]


def title_of(result: FilmResult) -> str:
    """The verdict where there is one, else the status: `ok` without a model, and `error`."""
    return verdict_of(result) if _has_verdict(result) else result.status.value


def list_title(result: FilmResult) -> str:
    """The verdict as lists show it; a film that failed has none, and reads "Error"."""
    return ERROR if result.status is Status.ERROR else verdict_of(result)


def coded_title(result: FilmResult) -> str:
    """`title_of`, and the code where there is one: `Out of scope (NOT_FRONTAL)`."""
    title, code = title_of(result), result.code
    if code is StatusCode.OK:
        return title
    return f"{title} ({code})" if _has_verdict(result) else f"{title} {code}"


def _has_verdict(result: FilmResult) -> bool:
    return result.gate is not None and result.status is not Status.ERROR


def is_compared(result: FilmResult) -> bool:
    """True where the film was compared with the training films."""
    return result.gate is not None and result.gate.ood_score is not None


def is_approved(result: FilmResult) -> bool:
    """True for a film in scope of which nothing was left unchecked."""
    gate = result.gate
    unknown = gate is not None and any(fact.endswith(_UNKNOWN) for fact in gate.facts)
    return verdict_of(result) == IN_SCOPE and not unknown


def unknown_text(gate: GateVerdict) -> str:
    """What neither the file nor the user says: `Age, view: not in the file`."""
    return _listed(gate, _UNKNOWN, "not in the file")


def facts_texts(gate: GateVerdict) -> tuple[str, ...]:
    """What the file does not say, and what was taken in its place, a sentence each."""
    by_dates = "AGE_FROM_BIRTH_DATE" in gate.facts
    texts = (
        unknown_text(gate),
        _listed(gate, _STATED, "stated for the folder"),
        "Age: from the birth date" if by_dates else "",
    )
    return tuple(filter(None, texts))


def gate_texts(gate: GateVerdict) -> tuple[str, ...]:
    """The reasons of a verdict, then what the file does not say."""
    return (*gate.reasons, *facts_texts(gate))


def verdict_text(result: FilmResult) -> str:
    """The verdict with its reasons, for a caption: `Caution: View position is PA; ...`."""
    gate = result.gate or GateVerdict()
    # A film can be a caution only for what was noticed while it was read.
    reasons = " ".join(gate.reasons) or (result.message if result.status is Status.WARN else "")
    verdict = f"{verdict_of(result)}: {reasons}" if reasons else verdict_of(result)
    return " · ".join((verdict, *facts_texts(gate)))


def flags_text(gate: GateVerdict) -> str:
    """All flags and facts, as the CSV has them: `OUT_OF_DISTRIBUTION|AGE_UNKNOWN`."""
    return "|".join((*gate.flags, *gate.facts))


def _listed(gate: GateVerdict, ending: str, what: str) -> str:
    known: Iterable[str] = (
        fact.removesuffix(ending) for fact in gate.facts if fact.endswith(ending)
    )
    names = [_ATTRIBUTES[name] for name in known]
    return f"{', '.join(names).capitalize()}: {what}" if names else ""
