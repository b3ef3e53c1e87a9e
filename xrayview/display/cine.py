"""How fast the frames of a film follow each other when they are played."""

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
"""Where a file says it, and how; the first that does counts."""


def frame_rate(radiograph: Radiograph) -> float:
    """Frames a second that the file asks for, 1 to 60; 10 where it does not ask.

    Source: PS3.3 C.7.6.5 (Cine).
    """
    for keyword, in_hertz in _RATES:
        value = _number(radiograph.attributes.get(keyword, ""))
        if value > 0:
            return min(max(in_hertz(value), SLOWEST_HZ), FASTEST_HZ)
    return DEFAULT_RATE_HZ


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
