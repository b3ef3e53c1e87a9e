"""What the file says of the film on screen: its tags and its way to grey, beside it or afloat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

from xrayview.engine.client import Engine
from xrayview.services.tasks import Tasks
from xrayview.ui.inspector.panel import PipelineInspector
from xrayview.ui.keys import shortcuts
from xrayview.ui.measure.panel import MeasurementList
from xrayview.ui.shell.workspace import Workspace
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.tags.controller import TagController
from xrayview.ui.tags.panel import TagBrowser
from xrayview.ui.tags.tree_view import KEYS as COPY_KEYS
from xrayview.ui.viewer.film_view import FilmViewer

WIDTH_PX = 422
_LEAST_PX = 320
_ROOM_PX = 1190
"""What panels, film and dock need beside each other."""
_PAGES = (("tags", "Tags"), ("pipeline", "Pipeline"), ("measurements", "Measurements"))
_OWN_KEYS = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home,
    Qt.Key.Key_End, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape,
}  # fmt: skip


class FilmDock(QDockWidget):
    """Three pages, one key each; a key shows its page, and hides it again.

    It is whole after the last step of `build_steps`.
    """

    left = Signal()
    """The user is done here: the keyboard belongs to the film again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Film", parent)
        self.setObjectName("film_dock")
        self.pages = QStackedWidget()
        body = _Body(self.pages)
        self.setWidget(body)  # in its place before it is filled: each page is styled once
        self.buttons = QButtonGroup(self)
        self.buttons.idClicked.connect(self._turn_to)
        self.setTitleBarWidget(self._title_bar())
        body.escaped.connect(self.leave)
        self.hide()

    def build_steps(self) -> Iterator[None]:
        """Make the pages, each in a step of its own."""
        self.tags = TagBrowser(self.pages)
        yield
        self.pipeline = PipelineInspector(self.pages)
        self.measurements = MeasurementList(self.pages)
        for page in (self.tags, self.pipeline, self.measurements):
            self.pages.addWidget(page)
        self._turn_to(0)
        yield

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys do here, by the names of the key table."""
        return {name: partial(self.toggle, place) for place, (name, _) in enumerate(_PAGES)}

    def follow(self, workspace: Workspace, tasks: Tasks, engine: Engine) -> None:
        """Show what is said of the film of this workspace, from now on."""
        flow = self.flow = TagController(workspace.session, tasks, engine, self.tags)
        grid, films = workspace.grid, workspace.films
        films.folder_opened.connect(flow.forget)
        films.film_loading.connect(lambda _film: flow.follow())
        films.active_changed.connect(flow.follow)
        grid.viewer_changed.connect(lambda: self._show_pipeline(grid.viewer))
        workspace.identity_hidden.connect(self.tags.set_identity_hidden)
        self.tags.set_identity_hidden(workspace.hides_identity)
        self.left.connect(grid.take_keyboard)
        self.measurements.follow(workspace.measurement_controller)
        self.measurements.export_requested.connect(
            lambda: workspace.measurement_export.ask(workspace)
        )
        grid.viewer_changed.connect(self.measurements.refresh)

    def _show_pipeline(self, viewer: FilmViewer) -> None:
        self.pipeline.show_film(
            viewer.radiograph,
            viewer.voi,
            inverted=viewer.inverted,
            overlays=viewer.overlays_shown,
            shutter=viewer.shutter_shown,
            spacing=viewer.measure.spacing,
        )

    @property
    def page(self) -> str:
        """The name of the page that is shown; empty while none is."""
        return "" if self.isHidden() else _PAGES[self.pages.currentIndex()][0]

    def open_page(self, name: str) -> None:
        """Show the page of a name, as `page` says it; an unknown name shows nothing."""
        for place, (known, _) in enumerate(_PAGES):
            if known == name:
                self._turn_to(place)
                self.show()

    def toggle(self, place: int) -> None:
        """Show a page and give it the keyboard; hide it if it is what is shown."""
        if not self.isHidden() and self.pages.currentIndex() == place:
            self.leave()
            return
        self._turn_to(place)
        self._make_room()
        self.show()
        self.raise_()
        self.activateWindow()
        page = self.pages.currentWidget()
        if page is not None:
            page.setFocus()

    def leave(self) -> None:
        """Hide, and give the keyboard back."""
        self.hide()
        self.left.emit()

    def _make_room(self) -> None:
        """Below the film where a narrow window has no room at its side."""
        main = self.parent()
        if isinstance(main, QMainWindow) and not self.isFloating():
            below = Qt.DockWidgetArea.BottomDockWidgetArea
            if main.width() < _ROOM_PX and main.dockWidgetArea(self) != below:
                main.addDockWidget(below, self)

    def _turn_to(self, place: int) -> None:
        self.pages.setCurrentIndex(place)
        self.buttons.button(place).setChecked(True)
        self.setWindowTitle(_PAGES[place][1])

    def _title_bar(self) -> QWidget:
        bar = QFrame()
        bar.setProperty("panel", True)
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(4)
        for place, (name, text) in enumerate(_PAGES):
            button = QPushButton(text)
            button.setCheckable(True)
            button.setProperty("flat", True)
            button.setProperty("segment", True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            shortcuts.describe(button, name, text)
            self.buttons.addButton(button, place)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(_tool("undock", "Beside the film, or in a window", self._float))
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
    """Keeps the keys that move in a list or a page from the main window's shortcuts."""

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
