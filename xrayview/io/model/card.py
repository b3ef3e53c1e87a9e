"""Convert model cards from and to JSON, with every field checked and every problem listed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, get_args

from xrayview.domain.finding_names import normalise
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
"""(value, its path in the card, list to add problems to) -> the typed value.

The result is meaningless if a problem was added.
"""


def card_from_plain(data: object) -> tuple[ModelCard | None, tuple[str, ...]]:
    """The card, or None and all problems as `path: problem`."""
    problems: Problems = []
    if isinstance(data, dict) and data.get("schema", SCHEMA) != SCHEMA:
        # The rules below do not apply to another schema.
        return None, (f"schema: {data['schema']!r} is unknown, this program reads {SCHEMA}",)
    values = _object(_CARD)(data, "", problems)
    if problems:
        return None, tuple(problems)
    inference = values.pop("inference", {})
    card = ModelCard(**values, **inference)
    _check_together(card, problems)
    return (None, tuple(problems)) if problems else (card, ())


def card_to_json(card: ModelCard) -> dict[str, Any]:
    """The card as plain JSON values; `card_from_json` returns an equal card.

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


def _text(value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, str):
        problems.append(f"{path}: must be a text")
    return value


def _name(value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        problems.append(f"{path}: must be one line of text, not empty")
    return value


def _finding_name(value: Any, path: str, problems: Problems) -> Any:
    if isinstance(value, str) and "|" in value:
        problems.append(f"{path}: must not contain |, which separates the predicted findings")
    return _name(value, path, problems)


def _flag(value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, bool):
        problems.append(f"{path}: must be true or false")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer above the largest float
        return False


def _number(low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> Check:
    limits = f"above {low:g}" if above else f"in {low:g}..{high:g}"
    expected = "a number" if math.isinf(low) and math.isinf(high) else f"a number {limits}"

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not _is_number(value) or not low <= value <= high or (above and value == low):
            problems.append(f"{path}: must be {expected}")
            return 0.0
        return float(value)

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            problems.append(f"{path}: must be a whole number in {low}..{high}")
        return value

    return check


def _one_of(*choices: object) -> Check:
    def check(value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, bool) or value not in choices:
            problems.append(f"{path}: must be one of {', '.join(map(str, choices))}")
            return choices[0]
        return choices[choices.index(value)]  # 1.0 is 1

    return check


def _or_none(inner: Check) -> Check:
    return lambda value, path, problems: None if value is None else inner(value, path, problems)


def _list(inner: Check, low: int = 0, high: int = 1000) -> Check:
    expected = f"a list of {low}" if low == high else f"a list of {low} to {high}"

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, list) or not low <= len(value) <= high:
            problems.append(f"{path}: must be {expected}")
            return ()
        return tuple(inner(item, f"{path}[{i}]", problems) for i, item in enumerate(value))

    return check


def _one_or_list(inner: Check) -> Check:
    several = _list(inner, 1)
    return lambda value, path, problems: several(
        value if isinstance(value, list) else [value], path, problems
    )


def _object(fields: dict[str, _Field], build: Callable[..., Any] = dict) -> Check:
    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(f"{path or 'card'}: must be an object")
            return {}
        before, values = len(problems), {}
        for key, field in fields.items():
            field_path = f"{path}.{key}" if path else key
            if key in value:
                values[key] = field.check(value[key], field_path, problems)
            elif field.required:
                problems.append(f"{field_path}: missing")
        return build(**values) if len(problems) == before else values

    return check


def _mapping(inner: Check) -> Check:
    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(f"{path}: must be an object")
            return {}
        return {key: inner(item, f"{path}.{key}", problems) for key, item in value.items()}

    return check


def _anything(value: Any, _path: str, _problems: Problems) -> Any:
    return value


def _metric(value: Any, path: str, problems: Problems) -> Any:
    if value is not None and not _is_number(value):
        problems.append(f"{path}: must be a number or null")
    return value


def _open_object(**known: Check) -> Check:
    """An object with arbitrary keys, of which the known ones are checked."""

    def check(value: Any, path: str, problems: Problems) -> Any:
        value = _mapping(_anything)(value, path, problems)
        for key, inner in known.items():
            if key in value:
                inner(value[key], f"{path}.{key}", problems)
        return value

    return check


_SHARE = _number(0, 1)
_FINDING = {
    "name": _Field(_finding_name, required=True),
    "description": _Field(_text),
    "abnormal": _Field(_flag),
    "synonyms": _Field(_list(_finding_name)),
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
    "metrics": _Field(_mapping(_mapping(_mapping(_metric)))),
    "reference": _Field(_open_object()),
}  # fmt: skip


def _shares_synonym(card: ModelCard) -> bool:
    """Tell whether a synonym of one finding also means another."""
    meanings = [{*map(normalise, (f.name, *f.synonyms))} for f in card.findings]
    return any(
        normalise(synonym) in other
        for i, finding in enumerate(card.findings)
        for synonym in finding.synonyms
        for other in (*meanings[:i], *meanings[i + 1 :])
    )


def _check_together(card: ModelCard, problems: Problems) -> None:
    """Check the rules that involve several fields."""
    names = [finding.name for finding in card.findings]
    abnormal = [finding for finding in card.findings if finding.abnormal]
    spec, temperatures = card.preprocessing, len(card.calibration.temperature)
    ages = card.scope.age_years
    rules = (
        (len(set(names)) == len(names), "findings: two have the same name"),
        (not _shares_synonym(card), "findings: a synonym of one also means another"),
        (
            card.task != "binary" or len(names) <= 2,
            "findings: a binary model has one or two",
        ),
        (
            card.activation != "softmax" or len(names) >= 2,
            "activation: softmax needs at least two findings",
        ),
        (
            card.activation != "softmax" or card.task != "multilabel",
            "activation: a multilabel model needs sigmoid",
        ),
        (
            card.activation != "sigmoid" or card.task != "multiclass",
            "activation: a multiclass model needs softmax",
        ),
        (
            card.task != "binary" or len(names) != 2 or len(abnormal) == 1,
            "findings: exactly one of the two findings of a binary model must be abnormal",
        ),
        (
            temperatures in {1, len(names)} and (card.activation == "sigmoid" or temperatures == 1),
            "calibration.temperature: must be one value, or with sigmoid one for each finding",
        ),
        (
            len(spec.mean) in {1, spec.channels},
            "preprocessing.mean: must be one value, or one for each channel",
        ),
        (
            len(spec.std) in {1, spec.channels},
            "preprocessing.std: must be one value, or one for each channel",
        ),
        (
            len(ages) != 1 and ages == tuple(sorted(ages)),
            "scope.age_years: must be empty, or the youngest and the oldest age",
        ),
        (
            spec.percentiles[0] < spec.percentiles[1],
            "preprocessing.percentiles: the first must be lower than the second",
        ),
        (
            spec.value_range[0] < spec.value_range[1],
            "preprocessing.value_range: the first must be lower than the second",
        ),
    )
    problems += [problem for holds, problem in rules if not holds]
    problems += [
        f"operating_points[{i}].finding: {point.finding!r} is not one of the findings"
        for i, point in enumerate(card.operating_points)
        if point.finding not in names
    ]
