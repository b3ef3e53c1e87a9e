"""Conversion of plain data (JSON, the command line) to frozen dataclasses by their annotations."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from typing import Any, Literal

from xrayview.errors import UsageError


def replace_fields(record: Any, tree: dict[str, Any], where: str) -> Any:
    """Return the frozen dataclass with these fields changed; `where` is its prefix (`optim.`).

    Raises:
        UsageError: an unknown field (the nearest is named) or a value of the wrong kind.
    """
    hints = typing.get_type_hints(type(record))
    changes = {}
    for name, value in tree.items():
        if name not in hints:
            near = difflib.get_close_matches(name, hints, n=1)
            known = f"Did you mean {where}{near[0]}?" if near else f"Known: {', '.join(hints)}."
            raise UsageError(f"There is no setting {where}{name}", hint=known)
        current = getattr(record, name)
        if dataclasses.is_dataclass(current) and isinstance(value, dict):
            changes[name] = replace_fields(current, value, f"{where}{name}.")
        else:
            changes[name] = coerce(value, hints[name], where + name)
    return dataclasses.replace(record, **changes)


def coerce(value: Any, kind: Any, where: str) -> Any:
    """Convert plain data to the annotated type.

    Raises:
        UsageError: the value does not fit; the error names the setting and the type.
    """
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise _wrong_type(value, kind.__name__, where)
        hints = typing.get_type_hints(kind)
        unknown = set(value) - set(hints)
        if unknown:
            near = difflib.get_close_matches(min(unknown), hints, n=1)
            hint = f"Did you mean {where}.{near[0]}?" if near else "Remove it."
            raise UsageError(f"There is no setting {where}.{min(unknown)}", hint=hint)
        if missing := _required(kind) - set(value):
            raise UsageError(
                f"{where} lacks {', '.join(sorted(missing))}", hint="Add what is missing."
            )
        return kind(**{k: coerce(v, hints[k], f"{where}.{k}") for k, v in value.items()})
    if origin is tuple:
        return _typed_tuple(value, typing.get_args(kind), where)
    if origin is Literal:
        if value not in typing.get_args(kind):
            choices = ", ".join(map(str, typing.get_args(kind)))
            raise UsageError(f"{where} is {value!r}", hint=f"Choose one of: {choices}.")
        return value
    if origin in (typing.Union, types.UnionType):
        raise TypeError(f"{where}: a setting cannot be a union")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if type(value) is not kind:
        raise _wrong_type(value, kind.__name__, where)
    return value


def _required(kind: type) -> set[str]:
    """Return the fields of a dataclass that have no default."""
    none = dataclasses.MISSING
    return {
        field.name for field in dataclasses.fields(kind)
        if field.default is none and field.default_factory is none
    }  # fmt: skip


def _typed_tuple(value: Any, items: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    variable = len(items) == 2 and items[1] is Ellipsis
    if not isinstance(value, list | tuple):
        value = [value] * (1 if variable else len(items))
    kinds = [items[0]] * len(value) if variable else list(items)
    if len(kinds) != len(value):
        raise UsageError(f"{where} has {len(value)} values", hint=f"Give {len(kinds)}.")
    return tuple(
        coerce(v, k, f"{where}[{i}]") for i, (v, k) in enumerate(zip(value, kinds, strict=True))
    )


def _wrong_type(value: Any, kind: str, where: str) -> UsageError:
    return UsageError(f"{where} is {value!r}", hint=f"It must be of type {kind}.")
