"""The commands for the displayed films, as a table of functions on the grid."""

from __future__ import annotations

from collections.abc import Callable

from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.viewer.film_view import FilmViewer


def film_commands(grid: ViewGrid) -> dict[str, Callable[..., object]]:
    """Return the commands by their names in the key table; most act on the active view."""

    def active(act: Callable[..., object]) -> Callable[..., object]:
        return lambda *args: act(grid.viewer, *args)

    def toggle_overlays() -> None:
        shown = not grid.viewer.overlays_shown
        for viewer in grid.viewers:
            viewer.set_overlays_shown(shown)

    def toggle_shutter() -> None:
        shown = not grid.viewer.shutter_shown
        for viewer in grid.viewers:
            viewer.set_shutter_shown(shown)

    return {
        "auto_window": active(FilmViewer.auto_window),
        "voi": active(FilmViewer.apply_voi),
        "invert": active(lambda viewer: viewer.set_inverted(not viewer.inverted)),
        "tool_window": lambda: grid.set_tool("window"),
        "tool_zoom": lambda: grid.set_tool("zoom"),
        "tool_pan": lambda: grid.set_tool("pan"),
        "tool_magnifier": lambda: grid.set_tool("magnifier"),
        "overlays": toggle_overlays,
        "shutter": toggle_shutter,
        "flip_horizontal": active(FilmViewer.flip_horizontal),
        "flip_vertical": active(FilmViewer.flip_vertical),
        "rotate_right": active(lambda viewer: viewer.rotate(1)),
        "rotate_left": active(lambda viewer: viewer.rotate(-1)),
        "fit": active(FilmViewer.fit),
        "one_to_one": active(FilmViewer.one_to_one),
        "reset_view": active(FilmViewer.reset_view),
    }
