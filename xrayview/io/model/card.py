"""The model card between JSON and its type: every field checked, every problem named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, get_args

from xrayview.domain.model import (
    Activation,
    Calibration,
    Finding,
    ModelCard,
    OperatingPoint,
    Outputs,
    PreprocessSpec,
    Scope,
    Task,
)

SCHEMA = 1
MAX_SIDE = 4096
MAX_AGE_YEARS = 150

Problems = list[str]
Check = Callable[[Any, str, Problems], Any]
"""(value, its place, problems to add to) -> the typed value, meaningless with a problem."""


def card_from_plain(data: object) -> tuple[ModelCard | None, tuple[str, ...]]:
    """The card, or None and all that is wrong with it, as `place: problem`."""
    problems: Problems = []
    if isinstance(data, dict) and data.get("schema", SCHEMA) != SCHEMA:
        # Other rules hold for another schema: its fields are not judged by these.
        return None, (f"schema: {data['schema']!r} is not known, this program reads {SCHEMA}",)
    values = _object(_CARD)(data, "", problems)
    if problems:
        return None, tuple(problems)
    inference = values.pop("inference", {})
    card = ModelCard(**values, **inference)
    _check_together(card, problems)
    return (None, tuple(problems)) if problems else (card, ())


def card_to_json(card: ModelCard) -> dict[str, Any]:
    """The card as plain JSON values; `card_from_json` gives an equal card back.

    Raises:
        ValueError: a number is NaN or infinite, which JSON does not have.
    """
    plain = asdict(card)
    plain["inference"] = {name: plain.pop(name) for name in _INFERENCE}
    result: dict[str, Any] = json.loads(json.dumps(plain, allow_nan=False))
    return result


@dataclass(frozen=True)
class _Field:
    check: Check
    required: bool = False


def _text(value: Any, at: str, problems: Problems) -> Any:
    if not isinstance(value, str):
        problems.append(f"{at}: must be a text")
    return value


def _name(value: Any, at: str, problems: Problems) -> Any:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        problems.append(f"{at}: must be a text on one line, not empty")
    return value


def _finding_name(value: Any, at: str, problems: Problems) -> Any:
    if isinstance(value, str) and "|" in value:
        problems.append(f"{at}: must not hold |, which parts the predicted findings")
    return _name(value, at, problems)


def _flag(value: Any, at: str, problems: Problems) -> Any:
    if not isinstance(value, bool):
        problems.append(f"{at}: must be true or false")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer past the largest float
        return False


def _number(low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> Check:
    limits = f"above {low:g}" if above else f"in {low:g}..{high:g}"
    words = "a number" if math.isinf(low) and math.isinf(high) else f"a number {limits}"

    def check(value: Any, at: str, problems: Problems) -> Any:
        if not _is_number(value) or not low <= value <= high or (above and value == low):
            problems.append(f"{at}: must be {words}")
            return 0.0
        return float(value)

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: Any, at: str, problems: Problems) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            problems.append(f"{at}: must be a whole number in {low}..{high}")
        return value

    return check


def _one_of(*choices: object) -> Check:
    def check(value: Any, at: str, problems: Problems) -> Any:
        if isinstance(value, bool) or value not in choices:
            problems.append(f"{at}: must be one of {', '.join(map(str, choices))}")
            return choices[0]
        return choices[choices.index(value)]  # 1.0 is 1

    return check


def _or_none(inner: Check) -> Check:
    return lambda value, at, problems: None if value is None else inner(value, at, problems)


def _list(inner: Check, low: int = 0, high: int = 1000) -> Check:
    words = f"a list of {low}" if low == high else f"a list of {low} to {high}"

    def check(value: Any, at: str, problems: Problems) -> Any:
        if not isinstance(value, list) or not low <= len(value) <= high:
            problems.append(f"{at}: must be {words}")
            return ()
        return tuple(inner(item, f"{at}[{i}]", problems) for i, item in enumerate(value))

    return check


def _one_or_list(inner: Check) -> Check:
    several = _list(inner, 1)
    return lambda value, at, problems: several(
        value if isinstance(value, list) else [value], at, problems
    )


def _object(fields: dict[str, _Field], build: Callable[..., Any] = dict) -> Check:
    def check(value: Any, at: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(f"{at or 'card'}: must be an object")
            return {}
        before, found = len(problems), {}
        for key, field in fields.items():
            place = f"{at}.{key}" if at else key
            if key in value:
                found[key] = field.check(value[key], place, problems)
            elif field.required:
                problems.append(f"{place}: missing")
        return build(**found) if len(problems) == before else found

    return check


def _mapping(inner: Check) -> Check:
    def check(value: Any, at: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(f"{at}: must be an object")
            return {}
        return {key: inner(item, f"{at}.{key}", problems) for key, item in value.items()}

    return check


def _anything(value: Any, _at: str, _problems: Problems) -> Any:
    return value


def _figure(value: Any, at: str, problems: Problems) -> Any:
    if value is not None and not _is_number(value):
        problems.append(f"{at}: must be a number or null")
    return value


def _open_object(**known: Check) -> Check:
    """An object of any content whose known keys are checked."""

    def check(value: Any, at: str, problems: Problems) -> Any:
        value = _mapping(_anything)(value, at, problems)
        for key, inner in known.items():
            if key in value:
                inner(value[key], f"{at}.{key}", problems)
        return value

    return check


_SHARE = _number(0, 1)
_FINDING = {
    "name": _Field(_finding_name, required=True),
    "description": _Field(_text),
    "abnormal": _Field(_flag),
}
_PREPROCESSING = {
    "size": _Field(_list(_whole(8, MAX_SIDE), 2, 2), required=True),
    "channels": _Field(_one_of(1, 3)),
    "source": _Field(_one_of("percentile", "full_range")),
    "percentiles": _Field(_list(_number(0, 100), 2, 2)),
    "fit": _Field(_one_of("letterbox", "stretch", "center_crop")),
    "interpolation": _Field(_one_of("area", "linear", "cubic")),
    "equalize": _Field(_one_of("none", "histogram", "clahe")),
    "standardize": _Field(_one_of("fixed", "film")),
    "mean": _Field(_list(_number(), 1, 3)),
    "std": _Field(_list(_number(0, above=True), 1, 3)),
    "value_range": _Field(_list(_number(), 2, 2)),
    "version": _Field(_one_of(1)),
}
_CALIBRATION = {
    "method": _Field(_one_of("none", "temperature")),
    "temperature": _Field(_one_or_list(_number(0, above=True))),
    "fitted_on": _Field(_text),
}
_OPERATING_POINT = {
    "finding": _Field(_name, required=True),
    "name": _Field(_name, required=True),
    "threshold": _Field(_SHARE, required=True),
    "chosen_by": _Field(_text, required=True),
    "sensitivity": _Field(_or_none(_SHARE)),
    "specificity": _Field(_or_none(_SHARE)),
}
_INFERENCE = {
    "flip_average": _Field(_flag),
    "outputs": _Field(_one_of(*get_args(Outputs))),
}
_SCOPE = {
    "age_years": _Field(_list(_number(0, MAX_AGE_YEARS), 0, 2)),
    "modalities": _Field(_list(_name)),
    "body_parts": _Field(_list(_name)),
    "view_positions": _Field(_list(_name)),
}
_CARD = {
    "schema": _Field(_one_of(SCHEMA), required=True),
    "name": _Field(_name, required=True),
    "version": _Field(_name, required=True),
    "task": _Field(_one_of(*get_args(Task)), required=True),
    "activation": _Field(_one_of(*get_args(Activation)), required=True),
    "findings": _Field(_list(_object(_FINDING, Finding), 1), required=True),
    "preprocessing": _Field(_object(_PREPROCESSING, PreprocessSpec), required=True),
    **{
        key: _Field(_text)
        for key in (
            "description", "authors", "licence", "created_utc", "intended_use", "limitations",
        )
    },
    "inference": _Field(_object(_INFERENCE)),
    "calibration": _Field(_object(_CALIBRATION, Calibration)),
    "operating_points": _Field(_list(_object(_OPERATING_POINT, OperatingPoint))),
    "explain": _Field(_open_object(method=_text)),
    "gate": _Field(_open_object(method=_text, threshold=_or_none(_number()))),
    "scope": _Field(_object(_SCOPE, Scope)),
    "training": _Field(_open_object()),
    "metrics": _Field(_mapping(_mapping(_mapping(_figure)))),
    "reference": _Field(_open_object()),
}  # fmt: skip


def _check_together(card: ModelCard, problems: Problems) -> None:
    """What one field asks of another."""
    names = [finding.name for finding in card.findings]
    abnormal = [finding for finding in card.findings if finding.abnormal]
    spec, temperatures = card.preprocessing, len(card.calibration.temperature)
    ages = card.scope.age_years
    rules = (
        (len(set(names)) == len(names), "findings: two have one name"),
        (
            card.task != "binary" or len(names) <= 2,
            "findings: a binary model has one or two",
        ),
        (
            card.activation != "softmax" or len(names) >= 2,
            "activation: softmax needs two findings or more",
        ),
        (
            card.activation != "softmax" or card.task != "multilabel",
            "activation: a multilabel model has sigmoid",
        ),
        (
            card.activation != "sigmoid" or card.task != "multiclass",
            "activation: a multiclass model has softmax",
        ),
        (
            card.task != "binary" or len(names) != 2 or len(abnormal) == 1,
            "findings: of the two of a binary model one is abnormal",
        ),
        (
            temperatures in {1, len(names)} and (card.activation == "sigmoid" or temperatures == 1),
            "calibration.temperature: one, or with sigmoid one for each finding",
        ),
        (len(spec.mean) in {1, spec.channels}, "preprocessing.mean: one, or one for each channel"),
        (len(spec.std) in {1, spec.channels}, "preprocessing.std: one, or one for each channel"),
        (
            len(ages) != 1 and ages == tuple(sorted(ages)),
            "scope.age_years: none, or the youngest and the oldest",
        ),
        (
            spec.percentiles[0] < spec.percentiles[1],
            "preprocessing.percentiles: the first must be the lower",
        ),
        (
            spec.value_range[0] < spec.value_range[1],
            "preprocessing.value_range: the first must be the lower",
        ),
    )
    problems += [words for holds, words in rules if not holds]
    problems += [
        f"operating_points[{i}].finding: {point.finding!r} is none of the findings"
        for i, point in enumerate(card.operating_points)
        if point.finding not in names
    ]
