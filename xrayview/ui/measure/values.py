"""Measured values of the annotations on one film; large regions are computed in the background."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from xrayview.display.measure import measure, region_size
from xrayview.domain.measurement import Annotation, Mark, MeasuredValue
from xrayview.domain.radiograph import Radiograph, Spacing

Result = TypeVar("Result")


class Later(Protocol):
    """Runs work in the background and passes its result on; the newest work of a slot wins."""

    def __call__(
        self, slot: str, work: Callable[[], Result], done: Callable[[Result], None], /
    ) -> None: ...


AT_ONCE_PIXELS = 60_000
"""Regions up to this size are computed within a frame of the screen."""
_REGIONS = frozenset({Mark.RECTANGLE, Mark.ELLIPSE, Mark.POLYGON})

Values = tuple[MeasuredValue, ...]


def at_once(_slot: str, work: Callable[[], Result], done: Callable[[Result], None]) -> None:
    """Run work on the calling thread, where there is no other one to do it."""
    done(work())


class ValueCache:
    """Caches the values measured on one film with one spacing."""

    def __init__(self, radiograph: Radiograph, spacing: Spacing, on_new_values: Callable[[], None]):
        self._radiograph = radiograph
        self.spacing = spacing
        self._on_new_values = on_new_values
        self._known: dict[Annotation, Values] = {}
        self._requested: frozenset[Annotation] = frozenset()

    def values(self, annotation: Annotation) -> Values:
        """Return the values known so far; of a large region its area, until `request` is done."""
        known = self._known.get(annotation)
        if known is not None:
            return known
        if _is_large(annotation):
            return (region_size(annotation, self.spacing),)
        self._known[annotation] = measure(annotation, self._radiograph, self.spacing)
        return self._known[annotation]

    def request(self, annotations: Iterable[Annotation], later: Later) -> None:
        """Have the missing values of large regions computed."""
        # Drop what is no longer on the film: each step of a drag is another annotation.
        annotations = tuple(annotations)
        self._known = {a: self._known[a] for a in annotations if a in self._known}
        missing = frozenset(a for a in annotations if _is_large(a) and a not in self._known)
        if not missing or missing == self._requested:
            return
        self._requested = missing
        film, spacing = self._radiograph, self.spacing
        later("values", lambda: {a: measure(a, film, spacing) for a in missing}, self._on_measured)

    def _on_measured(self, measured: dict[Annotation, Values]) -> None:
        self._known |= measured
        self._requested = frozenset()
        self._on_new_values()


def _is_large(annotation: Annotation) -> bool:
    if annotation.kind not in _REGIONS:
        return False
    rows, columns = zip(*annotation.points, strict=True)
    size = math.prod(max(side) - min(side) for side in (rows, columns))
    return bool(size > AT_ONCE_PIXELS)
