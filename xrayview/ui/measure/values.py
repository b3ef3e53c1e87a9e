"""Figures of the annotations on one film: at once where they are cheap, else when counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from xrayview.display.measure import measure, region_size
from xrayview.domain.measurement import Annotation, Mark, MeasuredValue
from xrayview.domain.radiograph import Radiograph, Spacing

Later = Callable[[str, Callable[[], Any], Callable[[Any], None]], None]
"""Runs work where nobody waits for it, then hands its result over; the newest of a slot wins."""

AT_ONCE_PIXELS = 60_000
"""Regions of at most so many pixels are counted within a frame of the screen."""
_REGIONS = frozenset({Mark.RECTANGLE, Mark.ELLIPSE, Mark.POLYGON})

Values = tuple[MeasuredValue, ...]


def at_once(_slot: str, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
    """Work that somebody waits for: where there is no other thread to do it."""
    done(work())


class ValueCache:
    """Remembers what was measured of one film under one spacing."""

    def __init__(self, radiograph: Radiograph, spacing: Spacing, arrived: Callable[[], None]):
        self._radiograph = radiograph
        self.spacing = spacing
        self._arrived = arrived
        self._known: dict[Annotation, Values] = {}
        self._asked: frozenset[Annotation] = frozenset()

    def values(self, annotation: Annotation) -> Values:
        """What is known now; of a large region its area, until `ask` has brought the rest."""
        known = self._known.get(annotation)
        if known is not None:
            return known
        if _is_large(annotation):
            return (region_size(annotation, self.spacing),)
        self._known[annotation] = measure(annotation, self._radiograph, self.spacing)
        return self._known[annotation]

    def ask(self, annotations: Iterable[Annotation], later: Later) -> None:
        """Have what is not known of large regions counted."""
        # Only what is on the film now is kept: each step of a drag is another annotation.
        annotations = tuple(annotations)
        self._known = {a: self._known[a] for a in annotations if a in self._known}
        missing = frozenset(a for a in annotations if _is_large(a) and a not in self._known)
        if not missing or missing == self._asked:
            return
        self._asked = missing
        film, spacing = self._radiograph, self.spacing
        later("figures", lambda: {a: measure(a, film, spacing) for a in missing}, self._take)

    def _take(self, measured: dict[Annotation, Values]) -> None:
        self._known |= measured
        self._asked = frozenset()
        self._arrived()


def _is_large(annotation: Annotation) -> bool:
    if annotation.kind not in _REGIONS:
        return False
    rows, columns = zip(*annotation.points, strict=True)
    return bool(math.prod(max(side) - min(side) for side in (rows, columns)) > AT_ONCE_PIXELS)
