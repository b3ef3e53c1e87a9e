"""The toolbar: open, tools, grey-scale, placement, views, model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolBar,
    QToolButton,
    QWidget,
)

from xrayview.domain.devices import DEVICE_CHOICES
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.command_menu import POSSIBLE, add_all_commands, add_command
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C

if TYPE_CHECKING:  # the bar is part of the first paint, numpy is not
    from xrayview.domain.model import ModelCard
    from xrayview.engine.protocol import ModelReady
    from xrayview.services.catalogue import CatalogueEntry

_OTHER_MODEL = object()
_NO_MODEL = "No model is loaded"
_AROUND_NAME_PX = 2
_WIDE_PX = 1520
"""From this width on, there is room for the full name of the model."""
_ROOM_FROM_PX = {
    "invert": 1000, "histogram": 1130, "fit": 1130, "link_views": 1210, "prior_beside": 1210,
}  # fmt: skip
"""A narrower bar hides these; their keys and the menu of all commands remain."""
_TEXT_FROM_PX = {"classify": 1270, "classify_folder": _WIDE_PX, "heat_map": _WIDE_PX}
"""From these widths on, there is room for the text of the model's buttons."""


@dataclass(frozen=True)
class Tool:
    """One button; `name` is the action id that its key has too."""

    name: str
    icon: str
    text: str = ""
    checkable: bool = False
    group: str = ""
    tip: str = ""
    """The tooltip, where the text of the key table is too short."""


_SEPARATOR = None
_TOOLS: tuple[Tool | None, ...] = (
    Tool("tool_window", "window", checkable=True, group="tool"),
    Tool("tool_zoom", "zoom", checkable=True, group="tool"),
    Tool("tool_pan", "pan", checkable=True, group="tool"),
    _SEPARATOR,
    Tool("auto_window", "auto"),
    Tool("invert", "invert", checkable=True),
    Tool("histogram", "histogram", checkable=True),
    Tool("fit", "fit"),
)
_MEASURE: tuple[Tool | None, ...] = (
    Tool("tool_length", "ruler"),
    Tool("tool_angle", "angle"),
    Tool("tool_cobb", "cobb"),
    Tool("tool_cardiothoracic", "ctr"),
    _SEPARATOR,
    Tool("tool_rectangle", "rectangle"),
    Tool("tool_ellipse", "ellipse"),
    Tool("tool_polygon", "polygon"),
    _SEPARATOR,
    Tool("tool_arrow", "arrow"),
    Tool("tool_text", "text"),
    _SEPARATOR,
    Tool("tool_magnifier", "magnifier"),
    Tool("tool_region_window", "region_window"),
    Tool("tool_calibrate", "calibrate"),
)
_AFTER_MEASURING = ("", "undo", "redo", "delete_mark", "", "measurements", "export_measurements")
_PLACEMENT = (
    "rotate_right", "rotate_left", "flip_horizontal", "flip_vertical", "", "fit", "one_to_one",
    "reset_view",
)  # fmt: skip
_MORE = (
    "tags", "pipeline", "", "overlays", "shutter", "", "copy_picture", "save_figure",
    "export_folder", "deidentify", "tag_table", "", "hide_identity", "second_window",
    "full_screen", "", "settings", "shortcuts",
)  # fmt: skip
_LINK_TIP = (
    "Link pan, zoom and window.\n"
    "Films are matched by their relative size and by their relative range of values\n"
    "(0.5th to 99.5th percentile), because films have no common scale of values."
)
_VIEW_TOOLS = (
    Tool("layout_1x1", "layout_1x1", checkable=True, group="layout"),
    Tool("layout_1x2", "layout_1x2", checkable=True, group="layout"),
    Tool("layout_2x2", "layout_2x2", checkable=True, group="layout"),
    Tool("link_views", "link", checkable=True, tip=_LINK_TIP),
    Tool("prior_beside", "prior"),
)
_MODEL_TOOLS = (
    Tool("classify", "classify", "Classify"),
    Tool("classify_folder", "classify_folder", "Classify folder"),
    Tool("heat_map", "heat", "Heat map", checkable=True),
)
FILM_BUTTONS = (*(tool.name for tool in _TOOLS if tool), "menu_turn", "menu_window", "menu_measure")
"""What needs a film on screen."""
VIEW_BUTTONS = tuple(tool.name for tool in _VIEW_TOOLS)
MODEL_BUTTONS = tuple(tool.name for tool in _MODEL_TOOLS)


class TopBar(QToolBar):
    """Buttons for the actions that the keys run."""

    recent_requested = Signal(Path)
    model_chosen = Signal(Path)
    model_file_requested = Signal()
    model_dismissed = Signal()
    """The user has chosen no other model; the list shows the loaded one again."""
    device_chosen = Signal(str)

    def __init__(self, actions: Mapping[str, Callable[..., object]]) -> None:
        super().__init__("Tools")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(20, 20))
        self.buttons: dict[str, QToolButton] = {}
        self._bar_actions: dict[str, QAction] = {}
        self._groups: dict[str, QButtonGroup] = {}
        self._actions = actions
        self._add_open()
        self.addSeparator()
        for tool in _TOOLS:
            self._add(tool)
            if tool is not None and tool.name == "tool_pan":
                self._add_measure()
        self._menu_button("turn", "Rotate and flip", _PLACEMENT)
        self.windows = self._menu_button("window", "Choose a window", (), icon="presets")
        self.addSeparator()
        for tool in (*_VIEW_TOOLS, _SEPARATOR, *_MODEL_TOOLS):
            self._add(tool)
        self._add_spacer()
        self.models = self._chooser("Model", 120)
        self.models.setPlaceholderText(_NO_MODEL)
        self.models.activated.connect(self._on_model)
        self.devices = self._chooser("Device", 80)
        for device, title in DEVICE_CHOICES.items():
            self.devices.addItem(title, device)
        self.devices.setToolTip("Device for the model")
        self.devices.activated.connect(lambda: self.device_chosen.emit(self.devices.currentData()))
        more = self._menu_button("more", "All commands", _MORE).menu()
        more.addSeparator()
        add_all_commands(more, actions, self.buttons)
        self.show_models((), None)
        self.show_recent(())
        self.buttons["tool_window"].setChecked(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        width, style = event.size().width(), Qt.ToolButtonStyle
        for name, wide_px in _TEXT_FROM_PX.items():
            has_text = width >= wide_px
            self.buttons[name].setToolButtonStyle(
                style.ToolButtonTextBesideIcon if has_text else style.ToolButtonIconOnly
            )
        for name, room_px in _ROOM_FROM_PX.items():
            self._bar_actions[name].setVisible(width >= room_px)
        self.models.setFixedWidth(272 if width >= _WIDE_PX else 180 if width >= 1060 else 120)
        super().resizeEvent(event)

    def show_recent(self, folders: Iterable[Path], missing: Collection[Path] = ()) -> None:
        """Fill the menu of recent folders; those that are missing are disabled."""
        menu = self.buttons["open_folder"].menu()
        menu.clear()
        for folder in folders:
            gone = "  –  not found" if folder in missing else ""
            action = menu.addAction(icons.icon("recent", C.quiet), f"{_short(folder)}{gone}")
            action.setToolTip(str(folder))
            action.setEnabled(not gone)
            action.triggered.connect(lambda _=False, f=folder: self.recent_requested.emit(f))
        if menu.isEmpty():
            menu.addAction("No recent folders").setEnabled(False)

    def show_models(
        self, models: Sequence[CatalogueEntry], ready: ModelReady | None, loading: str = ""
    ) -> None:
        """List the bundles, and choose the loaded one; `loading` is shown in its place."""
        # As text: Qt compares item data, and takes two equal paths for different objects.
        loaded = str(ready.model.path) if ready else ""
        with QSignalBlocker(self.models):
            self.models.clear()
            paths = [str(entry.path) for entry in models]
            for entry, path in zip(models, paths, strict=True):
                self.models.addItem(_model_name(entry), path)
            if ready is not None and loaded not in paths:
                self.models.addItem(_card_name(ready.card), loaded)
            self.models.addItem("Choose a file …", _OTHER_MODEL)
            self.models.setPlaceholderText(loading or _NO_MODEL)
            self.models.setCurrentIndex(-1 if loading else self.models.findData(loaded))
        self.models.setToolTip(loaded or "Choose a model bundle")

    def show_device(self, device: str) -> None:
        """Choose the requested device; `device_chosen` is not emitted."""
        with QSignalBlocker(self.devices):
            self.devices.setCurrentIndex(self.devices.findData(device))

    def show_windows(self, titles: Sequence[str]) -> None:
        """List the windows and LUTs of a film, with their keys."""
        keys = chain(shortcuts.keys_of("voi"), repeat(""))
        texts = [
            f"{title}\t{shortcuts.native(key)}" for title, key in zip(titles, keys, strict=False)
        ]
        menu, show = self.windows.menu(), self._actions["voi"]
        if [action.text() for action in menu.actions()] != texts:
            menu.clear()
            for index, text in enumerate(texts):
                menu.addAction(text).triggered.connect(lambda _=False, i=index: show(i))
        self.windows.setEnabled(bool(titles))

    def set_enabled(self, names: Iterable[str], enabled: bool) -> None:
        """Enable or disable buttons by name; those that do not change are left alone."""
        for name in names:
            if self.buttons[name].property(POSSIBLE) is not enabled:
                # Through its action, which enables the button again when there is room for it.
                self._bar_actions[name].setEnabled(enabled)
                self.buttons[name].setProperty(POSSIBLE, enabled)

    def set_checked(self, name: str, checked: bool) -> None:
        """Show a button pressed or not; its command does not run."""
        if self.buttons[name].isChecked() != checked:
            self.buttons[name].setChecked(checked)

    def show_tool(self, name: str) -> None:
        """Show the tool of the left button; the Measure button keeps the last measuring tool."""
        tool = f"tool_{name}"
        if tool in self.buttons:
            self.set_checked(tool, checked=True)
            return
        self._measure_with = tool
        button = self.buttons["menu_measure"]
        button.setIcon(icons.icon(next(t.icon for t in _MEASURE if t and t.name == tool)))
        button.setChecked(True)

    def _add_measure(self) -> None:
        """A click takes the tool used last; the arrow lists them all."""
        self._measure_with = "tool_length"
        entries = [tool.name if tool else "" for tool in _MEASURE]
        icon_names = {tool.name: tool.icon for tool in _MEASURE if tool}
        tip = "Measure"
        button = self._menu_button(
            "measure", tip, (*entries, *_AFTER_MEASURING), "ruler", icon_names
        )
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setCheckable(True)
        self._groups["tool"].addButton(button)
        button.clicked.connect(lambda _checked: self._actions[self._measure_with]())

    def _add_open(self) -> None:
        button = self._button("open_folder", "open", "Open")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setMenu(QMenu(button))
        button.clicked.connect(self._actions["open_folder"])

    def _add(self, tool: Tool | None) -> None:
        if tool is None:
            self.addSeparator()
            return
        button = self._button(tool.name, tool.icon, tool.text)
        button.setCheckable(tool.checkable)
        if tool.tip:
            shortcuts.describe(button, tool.name, tool.tip)
        if tool.group:
            self._groups.setdefault(tool.group, QButtonGroup(self)).addButton(button)
        # The click alone must not change the state: the command may do nothing.
        act = self._actions[tool.name]
        button.clicked.connect(lambda _checked: act())

    def _button(self, name: str, icon: str, text: str = "") -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(icon))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if name in shortcuts.ROWS:
            shortcuts.describe(button, name)
        else:
            button.setToolTip(text)
            button.setAccessibleName(text)
        if text:
            button.setText(text)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._bar_actions[name] = self.addWidget(button)
        self.buttons[name] = button
        return button

    def _menu_button(
        self,
        name: str,
        tip: str,
        entries: Sequence[str],
        icon: str = "",
        icon_names: Mapping[str, str] | None = None,
    ) -> QToolButton:
        button = self._button(f"menu_{name}", icon or name)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for entry in entries:
            if not entry:
                menu.addSeparator()
                continue
            add_command(menu, entry, self._actions)
            if icon_names and entry in icon_names:
                menu.actions()[-1].setIcon(icons.icon(icon_names[entry]))
        button.setMenu(menu)
        return button

    def _add_spacer(self) -> None:
        workspace = QWidget()
        workspace.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(workspace)

    def _chooser(self, name: str, width: int) -> QComboBox:
        combo = _ElidedCombo()
        combo.setAccessibleName(name)
        combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        combo.setMinimumWidth(width)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.addWidget(combo)
        spacer = QWidget()
        spacer.setFixedWidth(4)
        self.addWidget(spacer)
        return combo

    def _on_model(self) -> None:
        chosen = self.models.currentData()
        if chosen is _OTHER_MODEL:
            self.model_file_requested.emit()
        elif chosen is not None:
            self.model_chosen.emit(Path(chosen))


class _ElidedCombo(QComboBox):
    """Elides a long name in the middle: its start and its version stay."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        style, painter = self.style(), QStylePainter(self)
        room = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            self,
        )
        shown = option.currentText or self.placeholderText()
        option.currentText = self.fontMetrics().elidedText(
            shown, Qt.TextElideMode.ElideMiddle, room.width() - 2 * _AROUND_NAME_PX
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


def _model_name(entry: CatalogueEntry) -> str:
    return _card_name(entry.card) if entry.card else entry.name


def _card_name(card: ModelCard) -> str:
    return f"{card.name} {card.version}"


def _short(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}" if folder.parent.name else str(folder)
