"""Drawing, moving, labelling and deleting annotations with the mouse in one viewport."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Qt, Signal

from xrayview.display.drawings import (
    AnnotationDrawing,
    handles,
    make_drawing,
    strokes_of,
)
from xrayview.display.measure import probe
from xrayview.display.regions import region_window
from xrayview.domain.measurement import Annotation, Mark, MeasuredValue, Probe
from xrayview.domain.radiograph import Point, Radiograph, Spacing, Window
from xrayview.ui.measure.annotation_drag import AnnotationDrag
from xrayview.ui.measure.film_marks import FilmMarksModel, film_key
from xrayview.ui.measure.hit import Hit, find_hit
from xrayview.ui.measure.label_layout import DrawingState
from xrayview.ui.measure.marks_item import MarksItem
from xrayview.ui.measure.sketch import Sketch
from xrayview.ui.measure.text_field import TextField
from xrayview.ui.measure.tools import BY_NAME, MeasureTool
from xrayview.ui.measure.values import Later, ValueCache, at_once
from xrayview.ui.viewer.canvas import Canvas
from xrayview.ui.viewer.film_item import FilmItem

DRAG_PX = 4.0
"""A press that moves less is a click."""
SMALLEST_PX = 3.0
"""A smaller drawing on screen is taken for an accidental click."""


class MeasureLayer(QObject):
    """The annotations of one viewport; stored in a `FilmMarksModel`, which views may share."""

    changed = Signal()
    """Annotations, selection or measured values have changed."""
    probed = Signal(Probe)
    """The pixel under the pointer, or None."""
    window_requested = Signal(Window)
    """The window computed from a drawn region."""
    length_drawn = Signal(tuple, tuple)
    """The end points of a line whose length the user knows."""
    spacing_changed = Signal()
    escaped = Signal()
    """Esc while nothing is being drawn or selected."""
    drawing_began = Signal()
    """A press draws or edits: frames that play would turn the film away."""

    def __init__(self, film: FilmItem, canvas: Canvas) -> None:
        super().__init__(canvas)
        self.item = MarksItem(film)
        self.later: Later = at_once
        self.field = TextField(canvas.viewport())
        self._film = film
        self._canvas = canvas
        self._tool: MeasureTool | None = None
        self._radiograph: Radiograph | None = None
        self._marks: FilmMarksModel | None = None
        self._values: ValueCache | None = None
        self._selected: Annotation | None = None
        self._sketch: Sketch | None = None
        self._drag: AnnotationDrag | None = None
        self._pressed_at = QPointF()
        self._pointer: QPointF | None = None
        self._handles_hidden = False
        canvas.pointer_handler = self

    # Film

    def show_film(self, radiograph: Radiograph | None) -> None:
        """Show another film, or none; its annotations follow with `set_marks`."""
        self.set_marks(None)
        self._radiograph = radiograph
        self._reset_values()
        self.refresh_probe()

    def show_frame(self, radiograph: Radiograph) -> None:
        """Show another frame of the same film, with the annotations of that frame."""
        self._cancel_interaction()
        self._selected = None
        self._radiograph = radiograph
        self._reset_values()
        self._on_marks()
        self.refresh_probe()

    def set_marks(self, marks: FilmMarksModel | None) -> None:
        """Set the annotations of the displayed film."""
        self._cancel_interaction()
        self._selected = None
        if self._marks is not None:
            self._marks.changed.disconnect(self._on_marks)
        self._marks = marks
        if marks is not None:
            marks.changed.connect(self._on_marks)
        self._on_marks()

    @property
    def marks(self) -> FilmMarksModel | None:
        return self._marks

    @property
    def radiograph(self) -> Radiograph | None:
        return self._radiograph

    @property
    def spacing(self) -> Spacing:
        """The spacing behind all lengths: the user's calibration, else the film's own."""
        calibration = self._marks.marks.calibration if self._marks else None
        return calibration or (self._radiograph.spacing if self._radiograph else Spacing())

    def annotations(self) -> tuple[Annotation, ...]:
        """Return the annotations of the displayed frame, in the order they were drawn."""
        if self._marks is None or self._radiograph is None:
            return ()
        frame = self._radiograph.ref.frame
        return tuple(a for a in self._marks.marks.annotations if a.frame == frame)

    def values(self, annotation: Annotation) -> tuple[MeasuredValue, ...]:
        """Return the values of an annotation that have been measured so far."""
        return self._values.values(annotation) if self._values else ()

    def drawings(self) -> tuple[AnnotationDrawing, ...]:
        """Return the annotations as geometry and text in film coordinates."""
        return tuple(make_drawing(a, self.values(a)) for a in self.annotations())

    def set_handles_hidden(self, hidden: bool) -> None:
        """Hide handles, selection and unfinished drawings, for a picture."""
        self._handles_hidden = hidden
        self._redraw()

    def _on_marks(self) -> None:
        if self._values is None or self._values.spacing != self.spacing:
            self._reset_values()
            self.spacing_changed.emit()
        self._selected = self._still_shown(self._selected)
        if self._drag is not None and self._drag.annotation not in self.annotations():
            self._drag = None  # another window has changed it
        self._refresh()

    def _still_shown(self, annotation: Annotation | None) -> Annotation | None:
        """The annotation as it is now; None where it no longer exists."""
        if annotation is None:
            return None
        shown = self.annotations()
        equal = next((a for a in shown if a == annotation), None)
        return equal or next((a for a in shown if a.mark_id == annotation.mark_id), None)

    def _reset_values(self) -> None:
        film = self._radiograph
        self._values = ValueCache(film, self.spacing, self._refresh) if film else None

    def _refresh(self) -> None:
        if self._values is not None:
            self._values.request(self.annotations(), self.later)
        self._redraw()
        self.changed.emit()

    def _redraw(self) -> None:
        self.item.show_drawings(
            [*(self._state_of(a) for a in self.annotations()), *self._unfinished()]
        )

    def _state_of(self, annotation: Annotation) -> DrawingState:
        drag = self._drag
        is_moving = drag is not None and drag.annotation == annotation and drag.has_moved
        current = drag.result if drag is not None and is_moving else annotation
        is_selected = annotation == self._selected and not self._handles_hidden
        visible_handles = handles(current.kind, current.points) if is_selected else ()
        return DrawingState(
            make_drawing(current, self.values(current)),
            annotation,
            is_selected,
            visible_handles,
            is_moving,
        )

    def _unfinished(self) -> tuple[DrawingState, ...]:
        sketch = self._sketch
        if sketch is None or not sketch.points or self._handles_hidden:
            return ()
        kind, points = sketch.kind, sketch.points
        try:
            annotation = self._annotation(kind, points)
        except ValueError:  # still too few points to measure anything
            drawn = AnnotationDrawing(kind, strokes_of(kind, points), (), points)
        else:
            values = self.values(annotation) if sketch.tool.is_kept else ()
            drawn = make_drawing(annotation, values)
        return (
            DrawingState(drawn, None, is_selected=True, visible_handles=points, is_moving=True),
        )

    def _annotation(self, kind: Mark, points: tuple[Point, ...], text: str = "") -> Annotation:
        assert self._radiograph is not None
        film = self._radiograph
        return Annotation(kind, points, film_key(film), film.ref.frame, text)

    # Tool and selection

    def set_tool(self, name: str) -> None:
        """Draw with a tool of the table; with any other name, draw nothing."""
        self._tool = BY_NAME.get(name)
        self._cancel_interaction()
        self._redraw()

    @property
    def selected(self) -> Annotation | None:
        return self._selected

    def select(self, annotation: Annotation | None) -> None:
        """Select an annotation, which shows its handles; None selects nothing."""
        if annotation != self._selected:
            self._selected = self._still_shown(annotation)
            self._redraw()
            self.changed.emit()

    def delete_selected(self) -> None:
        if self._marks is not None and self._selected is not None:
            self._marks.remove(self._selected)

    def clear(self) -> None:
        """Remove all annotations from the displayed frame."""
        if self._marks is not None and self._radiograph is not None:
            self._marks.clear(self._radiograph.ref.frame)

    def undo(self) -> None:
        if self._marks is not None:
            self._cancel_interaction()
            self._marks.undo.undo()

    def redo(self) -> None:
        if self._marks is not None:
            self._cancel_interaction()
            self._marks.undo.redo()

    def cancel(self) -> None:
        """Cancel the drawing in progress; else clear the selection; else leave the tool."""
        if self._sketch is not None or self._drag is not None:
            self._cancel_interaction()
            self._redraw()
        elif self._selected is not None:
            self.select(None)
        else:
            self.escaped.emit()

    def edit_text(self, annotation: Annotation) -> None:
        """Let the user edit the text of an annotation."""

        def done(text: str | None) -> None:
            if self._marks is None or text is None or annotation not in self.annotations():
                return
            if not text and annotation.kind is Mark.TEXT:
                self._marks.remove(annotation)
                return
            edited = replace(annotation, text=text)
            self._marks.change(annotation, edited)
            self.select(edited)

        self.field.start_editing(self.item.to_screen(annotation.points[0]), annotation.text, done)

    def _cancel_interaction(self) -> None:
        self._sketch = self._drag = None
        self.field.accept()

    # Pointer, in logical pixels of the viewport

    def press(self, position: QPointF) -> bool:
        """Return True where the press starts or continues a drawing, or a drag."""
        if self._radiograph is None or self._marks is None:
            return self._tool is not None
        self._pressed_at = position
        if self._sketch is None:
            if self._tool is not None:
                self.drawing_began.emit()
            hit = self._hit(position)
            if hit is not None:
                self.drawing_began.emit()
                self.select(hit.annotation)
                self._drag = AnnotationDrag(hit, self.item.to_film(position))
                return True
            self.select(None)
            if self._tool is None:
                return False
            if not self._marks.is_loaded:
                return True
            self._sketch = Sketch(self._tool)
        self._sketch.press(self.item.to_film(position))
        self._redraw()
        return True

    def move(self, position: QPointF) -> None:
        self._pointer = position
        self.refresh_probe()
        point = self.item.to_film(position)
        if self._drag is not None:
            if self._drag.has_moved or self._dragged(position):
                self._drag.move(point)
                self._redraw()
        elif self._sketch is not None:
            self._sketch.hover(point)
            self._redraw()
        else:
            self._show_cursor(self._hit(position))

    def release(self, position: QPointF) -> None:
        if self._drag is not None:
            self._finish_drag()
        elif self._sketch is not None:
            if self._closes_polygon(position):
                self.finish()
                return
            self._sketch.release(self.item.to_film(position), dragged=self._dragged(position))
            if self._sketch.is_complete:
                self.finish()
            self._redraw()

    def double_click(self, position: QPointF) -> bool:
        """Return True where it closes a polygon or edits the text of an annotation."""
        if self._sketch is not None:
            if self._sketch.kind is Mark.POLYGON:
                self.finish()
            else:
                self.press(position)
            return True
        hit = self._hit(position) if self._radiograph is not None else None
        if hit is not None:
            self._drag = None
            self.edit_text(hit.annotation)
            return True
        return self._tool is not None and self.press(position)

    def leave(self) -> None:
        self._pointer = None
        self.refresh_probe()

    def refresh_probe(self) -> None:
        """Read the pixel under the pointer again, after a change of film, window or placement."""
        lut = self._film.lut
        if self._radiograph is None or self._pointer is None or lut is None:
            self.probed.emit(None)
        else:
            self.probed.emit(probe(self._radiograph, self.item.to_film(self._pointer), lut))

    def finish(self) -> None:
        """End the drawing, and keep it unless it was an accidental click."""
        sketch, self._sketch = self._sketch, None
        if sketch is not None and sketch.close() and not self._is_slip(sketch):
            self._finish_sketch(sketch)
        self._redraw()

    def _finish_sketch(self, sketch: Sketch) -> None:
        assert self._marks is not None
        assert self._radiograph is not None
        if sketch.kind is Mark.TEXT:
            self._edit_new_text(sketch.fixed)
        elif sketch.tool.is_kept:
            self._add(self._annotation(sketch.kind, sketch.fixed))
        elif sketch.kind is Mark.RECTANGLE:
            film, points = self._radiograph, sketch.fixed
            self.later("window", lambda: region_window(film, points), self._request_window)
        else:
            self.length_drawn.emit(*sketch.fixed)

    def _request_window(self, window: Window | None) -> None:
        if window is not None:
            self.window_requested.emit(window)

    def _edit_new_text(self, points: tuple[Point, ...]) -> None:
        def done(text: str | None) -> None:
            if text and self._marks is not None:
                self._add(self._annotation(Mark.TEXT, points, text))

        self.field.start_editing(self.item.to_screen(points[0]), "", done)

    def _add(self, annotation: Annotation) -> None:
        assert self._marks is not None
        self._marks.add(annotation)
        self.select(annotation)

    def _finish_drag(self) -> None:
        drag, self._drag = self._drag, None
        assert drag is not None
        if drag.result != drag.annotation and self._marks is not None:
            self._selected = drag.result
            self._marks.change(drag.annotation, drag.result)
        self._redraw()

    def _hit(self, position: QPointF) -> Hit | None:
        return find_hit(self.item.placed_drawings(), position)

    def _closes_polygon(self, position: QPointF) -> bool:
        """Return whether a click ends a polygon: at its first point."""
        sketch = self._sketch
        if sketch is None or sketch.kind is not Mark.POLYGON or len(sketch.fixed) < 3:
            return False
        away = self.item.to_screen(sketch.fixed[0]) - position
        return away.manhattanLength() <= 2 * DRAG_PX

    def _dragged(self, position: QPointF) -> bool:
        return (position - self._pressed_at).manhattanLength() >= DRAG_PX

    def _is_slip(self, sketch: Sketch) -> bool:
        if sketch.kind is Mark.TEXT:
            return False
        positions = [self.item.to_screen(point) for point in sketch.fixed]
        return all((a - positions[0]).manhattanLength() < SMALLEST_PX for a in positions)

    def _show_cursor(self, hit: Hit | None) -> None:
        if hit is None:
            self._canvas.show_cursor(None)
        elif hit.handle is None:
            self._canvas.show_cursor(Qt.CursorShape.SizeAllCursor)
        else:
            self._canvas.show_cursor(Qt.CursorShape.PointingHandCursor)
