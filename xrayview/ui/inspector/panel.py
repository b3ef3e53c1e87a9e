"""The pipeline inspector: follows the film, its window and its inversion while visible."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QTextBrowser, QVBoxLayout, QWidget

from xrayview.display.inspector import pipeline_steps, spacing_attributes
from xrayview.display.voi import Voi
from xrayview.domain.radiograph import Radiograph, Spacing
from xrayview.ui.inspector.page import pipeline_html
from xrayview.ui.style import theme
from xrayview.ui.viewer.message_page import MessagePage

_EVERY_MS = 40
"""A window drag sends more states than can be read, and each page takes milliseconds."""
NO_FILM = "No film is open."


@dataclass(frozen=True)
class _State:
    """Everything that the page depends on."""

    radiograph: Radiograph | None = None
    voi: Voi | None = None
    inverted: bool = False
    overlays: bool = True
    shutter: bool = True
    spacing: Spacing | None = None


class PipelineInspector(QFrame):
    """The steps that turn the displayed film's stored values into grey."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._state = _State()
        self._drawn: _State | None = None
        self.page = QTextBrowser()
        self.page.setAccessibleName("Steps from stored values to displayed grey")
        self.page.setOpenLinks(False)
        self.page.document().setDocumentMargin(12)
        self.message = MessagePage()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.message)
        column.addWidget(self.page)
        self.setFocusProxy(self.page)
        self._next = QTimer(self, singleShot=True, interval=_EVERY_MS)
        self._next.timeout.connect(self._draw)
        self._draw()
        theme.on_switch(self._redraw)

    def show_film(
        self,
        radiograph: Radiograph | None,
        voi: Voi | None,
        *,
        inverted: bool = False,
        overlays: bool = True,
        shutter: bool = True,
        spacing: Spacing | None = None,
    ) -> None:
        """Show the displayed film with the window or LUT in use; None if no film is shown.

        `spacing` is the one in use; None is the film's own. Cheap where nothing has changed. A
        hidden panel is updated when it becomes visible.
        """
        is_new = radiograph is not self._state.radiograph
        self._state = _State(radiograph, voi, inverted, overlays, shutter, spacing)
        if not self.isVisible() or self._state == self._drawn:
            return
        if is_new:
            self._draw()
        elif not self._next.isActive():
            self._next.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    def _redraw(self) -> None:
        self._drawn = None
        self._draw()

    def _draw(self) -> None:
        if self._state == self._drawn:
            return
        self._drawn = self._state
        state = self._state
        radiograph = state.radiograph
        self.page.setVisible(radiograph is not None)
        self.message.setVisible(radiograph is None)
        if radiograph is None:
            self.message.show_text(NO_FILM)
            return
        html = pipeline_html(
            pipeline_steps(
                radiograph,
                state.voi,
                invert=state.inverted,
                overlays=state.overlays,
                shutter=state.shutter,
            ),
            state.spacing or radiograph.spacing,
            spacing_attributes(radiograph),
            radiograph.warnings,
            radiograph.notes,
        )
        scrolled = self.page.verticalScrollBar().value()
        self.page.setHtml(html)
        self.page.verticalScrollBar().setValue(scrolled)
