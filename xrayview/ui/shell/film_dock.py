"""The dock beside the film with its tags, display pipeline and measurements."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QButtonGroup,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.ui.inspector.panel import PipelineInspector
from xrayview.ui.keys import shortcuts
from xrayview.ui.measure.panel import MeasurementList
from xrayview.ui.reading.panel import ReadingPanel
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.tags.panel import TagBrowser
from xrayview.ui.tags.tree_view import KEYS as COPY_KEYS
from xrayview.ui.viewer.film_view import FilmViewer

WIDTH_PX = 422
_LEAST_PX = 320
_LEAST_WINDOW_PX = 1190
"""Width that panels, film and dock need side by side."""
_PAGES = (
    ("tags", "Tags"), ("pipeline", "Pipeline"), ("measurements", "Measurements"),
    ("reading", "Reading"),
)  # fmt: skip
"""Action id and title of each page, in the order in which they are built."""
_OWN_KEYS = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home,
    Qt.Key.Key_End, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape,
}  # fmt: skip


class FilmDock(QDockWidget):
    """Has a page for each row of `_PAGES`; its key shows it, or hides it again."""

    left = Signal()
    """The dock was hidden by the user: return the keyboard focus to the film."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Film", parent)
        self.setObjectName("film_dock")
        self.pages = QStackedWidget()
        body = _Body(self.pages)
        self.setWidget(body)  # before it is filled, so that each page is styled only once
        self.buttons = QButtonGroup(self)
        self.buttons.idClicked.connect(self._turn_to)
        self.setTitleBarWidget(self._title_bar())
        body.escaped.connect(self.leave)
        self.tags = TagBrowser(self.pages)
        self.pipeline = PipelineInspector(self.pages)
        self.measurements = MeasurementList(self.pages)
        self.reading = ReadingPanel(self.pages)
        for page in (self.tags, self.pipeline, self.measurements, self.reading):
            self.pages.addWidget(page)
        self._turn_to(0)
        self.hide()

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands that show a page, by action id."""
        return {name: partial(self.toggle, index) for index, (name, _) in enumerate(_PAGES)}

    def show_viewer(self, viewer: FilmViewer) -> None:
        """Show the film of the active view on the pages, where it differs from theirs."""
        self.pipeline.show_film(
            viewer.radiograph,
            viewer.voi,
            inverted=viewer.inverted,
            overlays=viewer.overlays_shown,
            shutter=viewer.shutter_shown,
            spacing=viewer.measure.spacing,
        )
        self.measurements.refresh()

    def set_blinded(self, blinded: bool) -> None:
        """Show only the page of the reading session, or all pages again."""
        for index, (name, _) in enumerate(_PAGES):
            self.buttons.button(index).setVisible(name == "reading" or not blinded)
        if blinded:
            self.open_page("reading")

    @property
    def page(self) -> str:
        """The name of the current page; empty while the dock is hidden."""
        return "" if self.isHidden() else _PAGES[self.pages.currentIndex()][0]

    def open_page(self, name: str) -> None:
        """Show the page with this name; do nothing for an unknown name."""
        for index, (page_name, _) in enumerate(_PAGES):
            if page_name == name:
                self._turn_to(index)
                self.show()

    def toggle(self, index: int) -> None:
        """Show a page and give it the keyboard focus; hide it if it is already shown."""
        if not self.isHidden() and self.pages.currentIndex() == index:
            self.leave()
            return
        self._turn_to(index)
        self._make_room()
        self.show()
        self.raise_()
        self.activateWindow()
        page = self.pages.currentWidget()
        if page is not None:
            page.setFocus()

    def leave(self) -> None:
        """Hide the dock and return the keyboard focus to the film."""
        self.hide()
        self.left.emit()

    def _make_room(self) -> None:
        """Dock below the film in a window that is too narrow."""
        main = self.parent()
        if isinstance(main, QMainWindow) and not self.isFloating():
            below = Qt.DockWidgetArea.BottomDockWidgetArea
            if main.width() < _LEAST_WINDOW_PX and main.dockWidgetArea(self) != below:
                main.addDockWidget(below, self)

    def _turn_to(self, index: int) -> None:
        self.pages.setCurrentIndex(index)
        self.buttons.button(index).setChecked(True)
        self.setWindowTitle(_PAGES[index][1])

    def _title_bar(self) -> QWidget:
        bar = QFrame()
        bar.setProperty("panel", True)
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(4)
        for index, (name, text) in enumerate(_PAGES):
            button = QPushButton(text)
            button.setCheckable(True)
            button.setProperty("flat", True)
            button.setProperty("segment", True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            shortcuts.describe(button, name, text)
            self.buttons.addButton(button, index)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(_tool("undock", "Dock or undock", self._float))
        row.addWidget(_tool("close", "Hide (Esc)", self.leave))
        return bar

    def _float(self) -> None:
        self.setFloating(not self.isFloating())


def _tool(icon: str, tip: str, act: Callable[[], None]) -> QToolButton:
    button = QToolButton()
    button.setIcon(icons.icon(icon, C.quiet))
    button.setIconSize(QSize(16, 16))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.clicked.connect(lambda _checked: act())
    return button


class _Body(QFrame):
    """Keeps the keys that lists and pages need from the shortcuts of the main window."""

    escaped = Signal()

    def __init__(self, pages: QStackedWidget) -> None:
        super().__init__()
        self.setProperty("panel", True)
        self.setMinimumWidth(_LEAST_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(pages)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH_PX, 320)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            pressed = QKeySequence(event.keyCombination())
            plain = event.key() in _OWN_KEYS
            if plain or pressed in COPY_KEYS or event.matches(QKeySequence.StandardKey.Find):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)
