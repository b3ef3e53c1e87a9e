"""The table of keys, from which bindings, menus, tooltips and the sheet of keys are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class Key:
    """One row: the action id, its default keys, its text, and its group in menus and the sheet."""

    name: str
    keys: tuple[str, ...]
    text: str
    group: str

    @property
    def is_numbered(self) -> bool:
        """True where each key stands for an index, such as the first and second window."""
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
    Key("play_frames", ("Ctrl+Space",), "Play or pause the frames", "Folder and film"),
    Key("find", ("Ctrl+F",), "Filter films", "Folder and film"),
    Key("star", ("K",), "Star the film", "Folder and film"),
    Key("clear_thumbnails", (), "Clear thumbnails on disk", "Folder and film"),
    Key("auto_window", ("0",), "Auto window", "Greyscale"),
    Key("voi", tuple("123456789"), "Windows of the file, then presets", "Greyscale"),
    Key("invert", ("I",), "Invert", "Greyscale"),
    Key("histogram", ("Ctrl+H",), "Show or hide the histogram", "Greyscale"),
    Key("overlays", ("O",), "Show or hide overlays", "Greyscale"),
    Key("shutter", ("Shift+O",), "Show or hide the shutter", "Greyscale"),
    Key("tool_window", ("W",), "Window tool", "Tools"),
    Key("tool_zoom", ("Z",), "Zoom tool", "Tools"),
    Key("tool_pan", ("P",), "Pan tool", "Tools"),
    Key("tool_magnifier", ("M",), "Magnifier (hold; wheel to zoom)", "Tools"),
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
    Key("tool_calibrate", ("Shift+D",), "Calibrate with a known length", "Measure"),
    Key("undo", ("Ctrl+Z",), "Undo", "Measure"),
    Key("redo", ("Ctrl+Y",), "Redo", "Measure"),
    Key("delete_mark", ("Del",), "Delete the selected annotation", "Measure"),
    Key("cancel_drawing", ("Esc",), "Cancel the drawing or the tool", "Measure"),
    Key("measurements", ("Shift+M",), "Measurements panel", "Measure"),
    Key("export_measurements", ("Ctrl+Shift+M",), "Export measurements", "Measure"),
    Key("flip_horizontal", ("H",), "Flip left-right", "Orientation and zoom"),
    Key("flip_vertical", ("V",), "Flip top-bottom", "Orientation and zoom"),
    Key("rotate_right", ("R",), "Rotate right", "Orientation and zoom"),
    Key("rotate_left", ("L",), "Rotate left", "Orientation and zoom"),
    Key("fit", ("F",), "Fit to view", "Orientation and zoom"),
    Key("one_to_one", ("Ctrl+1",), "Actual pixels (1:1)", "Orientation and zoom"),
    Key("reset_view", ("Space",), "Reset the view", "Orientation and zoom"),
    Key("layout_1x1", ("Alt+1",), "One film", "Views"),
    Key("layout_1x2", ("Alt+2",), "Two films side by side", "Views"),
    Key("layout_2x2", ("Alt+4",), "Four films", "Views"),
    Key("next_view", ("Ctrl+Tab",), "Next view (Tab in the grid)", "Views"),
    Key("previous_view", ("Ctrl+Shift+Tab",), "Previous view", "Views"),
    Key("maximise", ("Ctrl+M",), "Maximise or restore the view", "Views"),
    Key("link_views", ("Ctrl+L",), "Link pan, zoom and window", "Views"),
    Key("prior_beside", ("Shift+P",), "Prior beside the current film", "Views"),
    Key("second_window", ("F12",), "Film in a second window", "Views"),
    Key("pin_film", ("Shift+F12",), "Pin the film in the second window", "Views"),
    Key("classify", ("Return", "Enter"), "Classify the film", "Model"),
    Key("classify_folder", ("B",), "Classify the folder", "Model"),
    Key("state_films", ("Shift+B",), "State age and view of the folder …", "Model"),
    Key("heat_map", ("G",), "Show or hide the heat map", "Model"),
    Key("heat_fainter", ("[",), "Heat map fainter", "Model"),
    Key("heat_stronger", ("]",), "Heat map stronger", "Model"),
    Key("heat_finding", _SHIFTED, "Heat map of finding 1-9", "Model"),
    Key("copy_picture", ("Ctrl+C",), "Copy the picture without identity", "Export"),
    Key("save_figure", ("Ctrl+S",), "Save a figure …", "Export"),
    Key("export_folder", ("Ctrl+Shift+S",), "Export pictures of the folder …", "Export"),
    Key("deidentify", ("Ctrl+Shift+D",), "De-identified DICOM copies …", "Export"),
    Key("tag_table", ("Ctrl+Shift+T",), "Export tags of the folder …", "Export"),
    Key("tags", ("T",), "Tags panel", "Window"),
    Key("pipeline", ("Shift+T",), "Pipeline panel", "Window"),
    Key("reading", ("F3",), "Reading panel: verdicts on films", "Window"),
    Key("hide_identity", ("X",), "Hide or show identity", "Window"),
    Key("settings", ("Ctrl+,",), "Settings", "Window"),
    Key("full_screen", ("F11",), "Full screen", "Window"),
    Key("next_screen", ("Shift+F11",), "Move to the next monitor", "Window"),
    Key("shortcuts", ("F1",), "Keyboard and mouse", "Help"),
    Key("check_installation", (), "Check this installation", "Help"),
    Key("log_folder", (), "Show log folder", "Help"),
    Key("about", (), "About XrayView", "Help"),
)  # fmt: skip

ROWS = {row.name: row for row in KEYS}
_in_force: dict[str, tuple[str, ...]] = {}


def use(keys: Mapping[str, tuple[str, ...]]) -> None:
    """Replace the default keys of some actions; call `refresh` to update what is shown."""
    _in_force.clear()
    _in_force.update(keys)


def keys_of(name: str) -> tuple[str, ...]:
    """The keys of an action in force; empty where the user removed them."""
    return _in_force.get(name, ROWS[name].keys)


def groups() -> dict[str, list[Key]]:
    """The rows by their group, in the order of the table."""
    listed: dict[str, list[Key]] = {}
    for row in KEYS:
        listed.setdefault(row.group, []).append(row)
    return listed


def native(key: str) -> str:
    """A key in the platform's notation."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def key_label(name: str) -> str:
    """The first key of an action in the platform's notation; empty without one."""
    return native(next(iter(keys_of(name)), ""))


def keys_label(row: Key) -> str:
    """The keys of a row as one text: `W`, `1-9`, `Shift+1-9`."""
    return format_keys(row, keys_of(row.name))


def format_keys(row: Key, keys: tuple[str, ...]) -> str:
    """Keys as one text, like `keys_label`."""
    if row.is_numbered and keys:
        return f"{native(keys[0])}-{keys[-1][-1]}"
    return native(next(iter(keys), ""))


_ROW, _TEXT = "key_row", "key_text"


def describe(control: QWidget | QAction, name: str, text: str = "") -> None:
    """Set tooltip and name of a control for an action; `refresh` updates the key in them."""
    control.setProperty(_ROW, name)
    control.setProperty(_TEXT, text or ROWS[name].text)
    _update(control)


def refresh(top: QWidget) -> None:
    """Update the keys in the texts of every described control of a window."""
    controls: list[QWidget | QAction] = [*top.findChildren(QWidget), *top.findChildren(QAction)]
    for control in controls:
        if control.property(_ROW):
            _update(control)


def _update(control: QWidget | QAction) -> None:
    row, text = ROWS[control.property(_ROW)], control.property(_TEXT)
    key = keys_label(row)
    if isinstance(control, QAction):
        control.setText(f"{text}\t{key}")
    else:
        control.setToolTip(f"{text} ({key})" if key else text)
        control.setAccessibleName(text)
