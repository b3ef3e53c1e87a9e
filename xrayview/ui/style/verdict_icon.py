"""The icon and the colour of a verdict."""

from __future__ import annotations

from xrayview.domain.events import FilmResult
from xrayview.domain.verdict import is_approved
from xrayview.errors import Status
from xrayview.ui.style.colours import STATUS_COLOUR, STATUS_ICON, C


def verdict_icon(result: FilmResult) -> tuple[str, str]:
    """Icon and colour; a tick only where nothing was left unchecked."""
    if result.status is Status.OK and not is_approved(result):
        return "info", C.quiet
    return STATUS_ICON[result.status], STATUS_COLOUR[result.status]
