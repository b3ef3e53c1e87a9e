"""The placement of a film in its viewport: zoom, pan, flips and quarter turns; plain geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QTransform

ZOOM_LIMITS = (0.001, 64.0)


@dataclass(frozen=True)
class Placement:
    """Maps one film into one viewport.

    Lengths on screen are physical pixels, so that a zoom of 1 shows one film pixel on one pixel of
    the screen whatever its scaling is. For oblong pixels that is the shorter side; the longer one
    is `stretch` times as long. The film is first mirrored (left and right), then turned clockwise,
    then scaled. `center` is the film point in the middle of the viewport, in film pixels with the
    film's top left corner at (0, 0).
    """

    film: QSize
    view: QSize
    zoom: float = 1.0
    center: QPointF = field(default_factory=QPointF)
    turns: int = 0
    mirrored: bool = False
    stretch: tuple[float, float] = (1.0, 1.0)
    """Factors down and across the film, from `display.true_shape`."""

    def fitted(self) -> Placement:
        """Return the placement of the whole film, as large as the viewport allows."""
        high, wide = self.film.height() * self.stretch[0], self.film.width() * self.stretch[1]
        if self.turns % 2:
            high, wide = wide, high
        zoom = min(self.view.width() / max(1, wide), self.view.height() / max(1, high))
        return replace(self, zoom=_limited(zoom), center=self.film_rect().center())

    def film_rect(self) -> QRectF:
        """Return the film's rectangle in its own coordinates."""
        return QRectF(0, 0, self.film.width(), self.film.height())

    @property
    def is_native(self) -> bool:
        """Whether each film pixel covers exactly one screen pixel: nothing to interpolate."""
        return self.stretch == (1.0, 1.0) and math.isclose(self.zoom, 1.0, rel_tol=1e-6)

    def to_view(self) -> QTransform:
        """Return the map from film pixels to physical pixels of the viewport.

        The shift is a whole number of pixels, so that at a zoom of 1 each film pixel covers one
        screen pixel and nothing is interpolated.
        """
        linear = self._linear()
        middle = linear.map(self.center)
        shift = QPointF(self.view.width() / 2, self.view.height() / 2) - middle
        return linear * QTransform.fromTranslate(round(shift.x()), round(shift.y()))

    def to_film(self, point: QPointF) -> QPointF:
        """Return the film point under a physical pixel of the viewport."""
        return self.to_view().inverted()[0].map(point)

    def panned(self, delta: QPointF) -> Placement:
        """Move the film by `delta` pixels; its edge stops in the middle of the viewport."""
        moved = self._linear().inverted()[0].map(delta)
        return self._centered_on(self.center - moved)

    def zoomed_at(self, point: QPointF, factor: float) -> Placement:
        """Zoom so that the film point under `point` stays there."""
        zoom = _limited(self.zoom * factor)
        fixed = self.to_film(point)
        moved = fixed + (self.center - fixed) * (self.zoom / zoom)
        return replace(self, zoom=zoom)._centered_on(moved)

    def resized(self, view: QSize) -> Placement:
        """Adapt to a viewport of another size; the film point in the middle stays there."""
        return replace(self, view=view)

    def rotated(self, quarter_turns: int) -> Placement:
        """Turn clockwise on screen."""
        return replace(self, turns=(self.turns + quarter_turns) % 4)

    def flipped_horizontal(self) -> Placement:
        """Swap left and right of the screen, also on a turned film."""
        return replace(self, turns=-self.turns % 4, mirrored=not self.mirrored)

    def flipped_vertical(self) -> Placement:
        """Swap top and bottom of the screen: a horizontal flip and half a turn."""
        return self.flipped_horizontal().rotated(2)

    def _linear(self) -> QTransform:
        down, across = (self.zoom * factor for factor in self.stretch)
        sideways = -across if self.mirrored else across
        return QTransform.fromScale(sideways, down) * _TURNS[self.turns]

    def _centered_on(self, point: QPointF) -> Placement:
        # A film entirely outside the viewport would be hard to find again.
        inside = QPointF(
            min(max(point.x(), 0.0), self.film.width()),
            min(max(point.y(), 0.0), self.film.height()),
        )
        return replace(self, center=inside)


# QTransform.rotate computes with sine and cosine; these are exact.
_TURNS = (
    QTransform(1, 0, 0, 1, 0, 0),
    QTransform(0, 1, -1, 0, 0, 0),
    QTransform(-1, 0, 0, -1, 0, 0),
    QTransform(0, -1, 1, 0, 0, 0),
)


def _limited(zoom: float) -> float:
    low, high = ZOOM_LIMITS
    return min(max(zoom, low), high)
