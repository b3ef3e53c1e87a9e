"""The keys: one table that binds them, and that sheet, menus and tooltips are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class Key:
    """One row: what it is called, its keys, what they say, and the group on the sheet."""

    name: str
    keys: tuple[str, ...]
    text: str
    group: str

    @property
    def numbered(self) -> bool:
        """True where each key stands for a place: the first window, the second one."""
        return len(self.keys) > 2


_SHIFTED = tuple(f"Shift+{n}" for n in range(1, 10))

KEYS: tuple[Key, ...] = (
    Key("open_folder", ("Ctrl+O",), "Open folder", "Folder and film"),
    Key("previous_film", ("Up",), "Previous film", "Folder and film"),
    Key("next_film", ("Down",), "Next film", "Folder and film"),
    Key("previous_series", ("PgUp",), "Previous series", "Folder and film"),
    Key("next_series", ("PgDown",), "Next series", "Folder and film"),
    Key("first_film", ("Home",), "First film", "Folder and film"),
    Key("last_film", ("End",), "Last film", "Folder and film"),
    Key("previous_frame", (",",), "Previous frame", "Folder and film"),
    Key("next_frame", (".",), "Next frame", "Folder and film"),
    Key("play_frames", ("Ctrl+Space",), "Play the frames, or pause", "Folder and film"),
    Key("find", ("Ctrl+F",), "Filter the films", "Folder and film"),
    Key("star", ("K",), "Star the film", "Folder and film"),
    Key("clear_thumbnails", (), "Clear the thumbnails on disk", "Folder and film"),
    Key("auto_window", ("0",), "Auto window", "Grey-scale"),
    Key("voi", tuple("123456789"), "Windows of the file, then presets", "Grey-scale"),
    Key("invert", ("I",), "Invert", "Grey-scale"),
    Key("histogram", ("Ctrl+H",), "Histogram on or off", "Grey-scale"),
    Key("overlays", ("O",), "Overlays of the file on or off", "Grey-scale"),
    Key("shutter", ("Shift+O",), "Shutter of the file on or off", "Grey-scale"),
    Key("tool_window", ("W",), "Window tool", "Tools"),
    Key("tool_zoom", ("Z",), "Zoom tool", "Tools"),
    Key("tool_pan", ("P",), "Pan tool", "Tools"),
    Key("tool_magnifier", ("M",), "Magnifier: hold, the wheel changes it", "Tools"),
    Key("tool_region_window", ("Shift+W",), "Window from a region", "Tools"),
    Key("tool_length", ("D",), "Length", "Measure"),
    Key("tool_angle", ("A",), "Angle", "Measure"),
    Key("tool_cobb", ("Shift+A",), "Cobb angle", "Measure"),
    Key("tool_cardiothoracic", ("C",), "Cardiothoracic ratio", "Measure"),
    Key("tool_rectangle", ("Shift+R",), "Rectangle", "Measure"),
    Key("tool_ellipse", ("E",), "Ellipse", "Measure"),
    Key("tool_polygon", ("Shift+E",), "Polygon", "Measure"),
    Key("tool_arrow", ("Shift+N",), "Arrow", "Measure"),
    Key("tool_text", ("N",), "Text", "Measure"),
    Key("tool_calibrate", ("Shift+D",), "Calibrate by a known length", "Measure"),
    Key("undo", ("Ctrl+Z",), "Undo", "Measure"),
    Key("redo", ("Ctrl+Y",), "Redo", "Measure"),
    Key("delete_mark", ("Del",), "Delete the selected", "Measure"),
    Key("cancel_drawing", ("Esc",), "Cancel the drawing, then the tool", "Measure"),
    Key("measurements", ("Shift+M",), "Measurements of the film", "Measure"),
    Key("export_measurements", ("Ctrl+Shift+M",), "Export measurements", "Measure"),
    Key("flip_horizontal", ("H",), "Flip left-right", "Placement"),
    Key("flip_vertical", ("V",), "Flip top-bottom", "Placement"),
    Key("rotate_right", ("R",), "Rotate right", "Placement"),
    Key("rotate_left", ("L",), "Rotate left", "Placement"),
    Key("fit", ("F",), "Fit the film", "Placement"),
    Key("one_to_one", ("Ctrl+1",), "One to one", "Placement"),
    Key("reset_view", ("Space",), "Reset the view", "Placement"),
    Key("layout_1x1", ("Alt+1",), "One film", "Views"),
    Key("layout_1x2", ("Alt+2",), "Two films beside each other", "Views"),
    Key("layout_2x2", ("Alt+4",), "Four films", "Views"),
    Key("next_view", ("Ctrl+Tab",), "Next view (Tab inside the films)", "Views"),
    Key("previous_view", ("Ctrl+Shift+Tab",), "Previous view", "Views"),
    Key("maximise", ("Ctrl+M",), "Maximise the view, and back (double-click)", "Views"),
    Key("link_views", ("Ctrl+L",), "Link pan, zoom and window", "Views"),
    Key("prior_beside", ("Shift+P",), "Prior film beside the current one", "Views"),
    Key("second_window", ("F12",), "Film in a second window", "Views"),
    Key("pin_film", ("Shift+F12",), "Pin the film of the second window", "Views"),
    Key("classify", ("Return", "Enter"), "Classify the film", "Model"),
    Key("classify_folder", ("B",), "Classify the folder", "Model"),
    Key("heat_map", ("G",), "Heat map on or off", "Model"),
    Key("heat_fainter", ("[",), "Heat map fainter", "Model"),
    Key("heat_stronger", ("]",), "Heat map stronger", "Model"),
    Key("heat_finding", _SHIFTED, "Heat map of finding 1-9", "Model"),
    Key("copy_picture", ("Ctrl+C",), "Copy the picture without identity", "Export"),
    Key("save_figure", ("Ctrl+S",), "Save a figure of the film …", "Export"),
    Key("export_folder", ("Ctrl+Shift+S",), "Pictures of the folder …", "Export"),
    Key("deidentify", ("Ctrl+Shift+D",), "De-identified DICOM copies …", "Export"),
    Key("tag_table", ("Ctrl+Shift+T",), "Tags of the folder as a table …", "Export"),
    Key("tags", ("T",), "Tags of the film", "Window"),
    Key("pipeline", ("Shift+T",), "Pipeline of the film", "Window"),
    Key("hide_identity", ("X",), "Hide or show identity", "Window"),
    Key("settings", ("Ctrl+,",), "Settings", "Window"),
    Key("full_screen", ("F11",), "The film over the whole screen", "Window"),
    Key("next_screen", ("Shift+F11",), "To the next monitor", "Window"),
    Key("shortcuts", ("F1",), "Keys and mouse", "Window"),
)  # fmt: skip

ROWS = {row.name: row for row in KEYS}
_in_force: dict[str, tuple[str, ...]] = {}


def use(keys: Mapping[str, tuple[str, ...]]) -> None:
    """Put the keys of some rows in the place of the table's; what is shown follows `refresh`."""
    _in_force.clear()
    _in_force.update(keys)


def keys_of(name: str) -> tuple[str, ...]:
    """The keys of a row as they are in force; none where the user took them away."""
    return _in_force.get(name, ROWS[name].keys)


def groups() -> dict[str, list[Key]]:
    """The rows by their group, in the order of the table."""
    listed: dict[str, list[Key]] = {}
    for row in KEYS:
        listed.setdefault(row.group, []).append(row)
    return listed


def native(key: str) -> str:
    """A key as the platform writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def label(name: str) -> str:
    """The first key of a row as the platform writes it, for tooltips; empty without one."""
    return native(next(iter(keys_of(name)), ""))


def span(row: Key) -> str:
    """The keys of a row as one text: `W`, `1-9`, `Shift+1-9`."""
    return spelled(row, keys_of(row.name))


def spelled(row: Key, keys: tuple[str, ...]) -> str:
    """These keys as one text, as `span` writes them."""
    if row.numbered and keys:
        return f"{native(keys[0])}-{keys[-1][-1]}"
    return native(next(iter(keys), ""))


_ROW, _TEXT = "key_row", "key_text"


def describe(control: QWidget | QAction, name: str, text: str = "") -> None:
    """Tooltip and name of a control that does what a row does; the key in it stays true."""
    control.setProperty(_ROW, name)
    control.setProperty(_TEXT, text or ROWS[name].text)
    _spell(control)


def refresh(top: QWidget) -> None:
    """Spell the keys anew on every control of a window that was described."""
    controls: list[QWidget | QAction] = [*top.findChildren(QWidget), *top.findChildren(QAction)]
    for control in controls:
        if control.property(_ROW):
            _spell(control)


def _spell(control: QWidget | QAction) -> None:
    row, text = ROWS[control.property(_ROW)], control.property(_TEXT)
    key = span(row)
    if isinstance(control, QAction):
        control.setText(f"{text}\t{key}")
    else:
        control.setToolTip(f"{text} ({key})" if key else text)
        control.setAccessibleName(text)
