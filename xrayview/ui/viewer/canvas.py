"""The black surface with the film on it: turns mouse gestures into placement, steps and drags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.magnifier import Magnifier
from xrayview.ui.viewer.mouse import Tool, WheelSteps, action_of, zoom_of_drag, zoom_of_wheel
from xrayview.ui.viewer.placement import Placement

_Move = Callable[[QPointF], None]
"""Handles each further position of the pointer during a drag, in logical pixels."""

_MOTION_END_MS = 100
"""A film at rest this long after the last turn of the wheel or move of a drag is drawn sharply."""
_DRAWING = Qt.CursorShape.CrossCursor
_CURSORS: dict[Tool, Qt.CursorShape] = {
    "window": Qt.CursorShape.ArrowCursor,
    "zoom": Qt.CursorShape.SizeVerCursor,
    "pan": Qt.CursorShape.OpenHandCursor,
}


class PointerHandler(Protocol):
    """Handles the left button before the canvas; positions are logical pixels of the viewport."""

    def press(self, position: QPointF) -> bool:
        """Return True to take the press and everything up to its release."""

    def move(self, position: QPointF) -> None:
        """Handle a move of the pointer, with or without the button pressed."""

    def release(self, position: QPointF) -> None:
        """Handle the release of a press that was taken."""

    def double_click(self, position: QPointF) -> bool:
        """Return True to take the double-click, like a press."""

    def leave(self) -> None:
        """Handle the pointer leaving the viewport."""


class Canvas(QGraphicsView):
    """Shows a `FilmItem` through a `Placement`; scene units are logical pixels of the viewport."""

    placement_changed = Signal()
    stepped = Signal(int)
    double_clicked = Signal()
    window_drag_began = Signal()
    window_dragged = Signal(float, float)
    """Pixels to the right and down since the drag began."""

    def __init__(self, film: FilmItem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.film = film
        self.tool: Tool = "window"
        self.pointer_handler: PointerHandler | None = None
        """Draws and moves annotations on the film."""
        self._handler_pressed = False
        self.placement = Placement(QSize(), QSize())
        self._fitted = True
        self._steps = WheelSteps()
        self._drag: _Move | None = None
        self._motion_timer = QTimer(self)
        self._motion_timer.setSingleShot(True)
        self._motion_timer.timeout.connect(film.end_motion)
        self._drag_starters: dict[Tool, Callable[[QPointF], _Move]] = {
            "window": self._window_drag,
            "zoom": self._zoom_drag,
            "pan": self._pan_drag,
            "magnifier": self._magnify,
        }
        self._drag_button = Qt.MouseButton.NoButton
        scene = QGraphicsScene(self)
        scene.addItem(film)
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setBackgroundBrush(Qt.GlobalColor.black)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.magnifier = Magnifier(film, self.viewport())
        self.set_tool("window")

    def show_film(self, size: QSize, stretch: tuple[float, float] = (1.0, 1.0)) -> None:
        """Show a film of `size` pixels upright and whole; `stretch` corrects oblong pixels."""
        placement = Placement(size, self._view_size(), stretch=stretch)
        self.set_placement(placement.fitted(), fitted=True)

    def set_placement(self, placement: Placement, *, fitted: bool = False) -> None:
        """Place the film; a fitted film stays fitted when the viewport is resized.

        A drag in progress started from another placement and ends here.
        """
        self.end_drag()
        self._apply_placement(placement, fitted=fitted)

    def end_drag(self) -> None:
        """End the drag in progress: its film or its placement has changed."""
        self._drag = None
        self.magnifier.hide()

    def _apply_placement(
        self, placement: Placement, *, fitted: bool = False, in_motion: bool = False
    ) -> None:
        self.placement = placement
        self._fitted = fitted
        self.film.set_placement(placement, self.devicePixelRatioF(), in_motion=in_motion)
        if in_motion:
            self._motion_timer.start(_MOTION_END_MS)
        self.placement_changed.emit()

    def fit(self) -> None:
        self.set_placement(self.placement.fitted(), fitted=True)

    def one_to_one(self) -> None:
        """Show one film pixel per physical pixel, keeping the middle of the viewport."""
        middle = QPointF(self.placement.view.width() / 2, self.placement.view.height() / 2)
        self.set_placement(self.placement.zoomed_at(middle, 1 / self.placement.zoom))

    def turn(self, placement: Placement) -> None:
        """Show the film flipped or rotated; a fitted film is fitted again."""
        if self._fitted:
            placement = placement.fitted()
        self.set_placement(placement, fitted=self._fitted)

    def set_tool(self, tool: Tool) -> None:
        self.tool = tool
        self.show_cursor(None)

    def show_cursor(self, shape: Qt.CursorShape | None) -> None:
        """Show a cursor; None shows that of the tool."""
        self.viewport().setCursor(shape or _CURSORS.get(self.tool, _DRAWING))

    def _view_size(self) -> QSize:
        return (self.viewport().size().toSizeF() * self.devicePixelRatioF()).toSize()

    def _physical(self, point: QPointF) -> QPointF:
        return point * self.devicePixelRatioF()

    # Gestures

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._drag is None and self._is_for_handler(event):
            assert self.pointer_handler is not None
            self._handler_pressed = self.pointer_handler.press(event.position())
            if self._handler_pressed:
                return
        action = action_of(event.button(), self.tool)
        begin = self._drag_starters.get(action) if action else None
        if begin is None or self._drag is not None or not self.film.isVisible():
            return
        self._drag_button = event.button()
        self._drag = begin(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag(event.position())
        elif self.pointer_handler is not None and self.film.isVisible():
            self.pointer_handler.move(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._handler_pressed and event.button() == Qt.MouseButton.LeftButton:
            assert self.pointer_handler is not None
            self._handler_pressed = False
            self.pointer_handler.release(event.position())
        elif event.button() == self._drag_button:
            self.end_drag()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._is_for_handler(event):
            assert self.pointer_handler is not None
            self._handler_pressed = self.pointer_handler.double_click(event.position())
            if self._handler_pressed:
                return
        if event.button() == Qt.MouseButton.LeftButton:
            self.double_clicked.emit()

    def _is_for_handler(self, event: QMouseEvent) -> bool:
        left = event.button() == Qt.MouseButton.LeftButton
        return left and self.pointer_handler is not None and self.film.isVisible()

    def leaveEvent(self, event: QEvent) -> None:
        if self.pointer_handler is not None:
            self.pointer_handler.leave()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        angle = event.angleDelta().y()
        if self.magnifier.isVisible():
            self.magnifier.step_factor(-self._steps.add(angle))
            self.magnifier.show_at(event.position(), self.placement)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if self.film.isVisible():
                point = self._physical(event.position())
                self.end_drag()
                self._zoom(self.placement, point, zoom_of_wheel(angle))
        elif event.phase() != Qt.ScrollPhase.ScrollMomentum:  # momentum would overshoot
            steps = self._steps.add(angle)
            if steps:
                self.stepped.emit(steps)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # keys are shortcuts of the main window; the base class would scroll

    def _window_drag(self, start: QPointF) -> _Move:
        self.window_drag_began.emit()

        def move(point: QPointF) -> None:
            delta = point - start
            self.window_dragged.emit(delta.x(), delta.y())

        return move

    def _pan_drag(self, start: QPointF) -> _Move:
        start_placement = self.placement
        return lambda point: self._apply_placement(
            start_placement.panned(self._physical(point - start))
        )

    def _zoom_drag(self, start: QPointF) -> _Move:
        start_placement, anchor = self.placement, self._physical(start)
        return lambda point: self._zoom(start_placement, anchor, zoom_of_drag((point - start).y()))

    def _zoom(self, start_placement: Placement, anchor: QPointF, factor: float) -> None:
        self._apply_placement(start_placement.zoomed_at(anchor, factor), in_motion=True)

    def _magnify(self, start: QPointF) -> _Move:
        def move(point: QPointF) -> None:
            self.magnifier.show_at(point, self.placement)

        move(start)
        return move

    # Size and screen

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_viewport()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._follow_viewport()
        return super().viewportEvent(event)

    def _follow_viewport(self) -> None:
        self.scene().setSceneRect(self.viewport().rect())
        resized = self.placement.resized(self._view_size())
        self.set_placement(resized.fitted() if self._fitted else resized, fitted=self._fitted)
