"""How fast the frames of a film are played."""

from __future__ import annotations

from collections.abc import Callable

from xrayview.domain.radiograph import Radiograph

DEFAULT_RATE_HZ = 10.0
SLOWEST_HZ, FASTEST_HZ = 1.0, 60.0

_RATES: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("RecommendedDisplayFrameRate", lambda hertz: hertz),  # PS3.3 C.7.6.5: (0008,2144)
    ("CineRate", lambda hertz: hertz),  # (0018,0040)
    ("FrameTime", lambda milliseconds: 1000.0 / milliseconds),  # (0018,1063)
)
"""Attributes that may give the rate, with their conversion to hertz; the first one present wins."""


def frame_rate(radiograph: Radiograph) -> float:
    """Return the frames per second that the file recommends, 1 to 60; 10 where it gives none.

    Source: PS3.3 C.7.6.5 (Cine).
    """
    for keyword, to_hertz in _RATES:
        value = _parse_number(radiograph.attributes.get(keyword, ""))
        if value > 0:
            return min(max(to_hertz(value), SLOWEST_HZ), FASTEST_HZ)
    return DEFAULT_RATE_HZ


def _parse_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
