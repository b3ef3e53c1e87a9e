"""The hand on the film: draws, grabs, moves, names and deletes annotations of one viewport."""

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
from xrayview.domain.measurement import Annotation, Mark, MeasuredValue
from xrayview.domain.radiograph import Point, Radiograph, Spacing
from xrayview.ui.measure.annotation_drag import AnnotationDrag
from xrayview.ui.measure.film_marks import FilmMarksModel, film_key
from xrayview.ui.measure.hit import Hit, find
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
"""A drawing that is smaller on screen is a slip of the hand."""


class MeasureLayer(QObject):
    """One viewport's annotations; what is drawn lives in a `FilmMarksModel`, perhaps shared."""

    changed = Signal()
    """What is drawn, selected or known of it is another."""
    probed = Signal(object)
    """A `Probe` of the pixel under the pointer, or None."""
    window_requested = Signal(object)
    """A `Window` from the pixels of a drawn region."""
    length_drawn = Signal(object, object)
    """The ends of a line whose length the user knows."""
    spacing_changed = Signal()
    escaped = Signal()
    """Esc while nothing is being drawn or selected."""

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
        self._book: ValueCache | None = None
        self._selected: Annotation | None = None
        self._sketch: Sketch | None = None
        self._grab: AnnotationDrag | None = None
        self._pressed_at = QPointF()
        self._pointer: QPointF | None = None
        self._bare = False
        canvas.pointer_handler = self

    # Film

    def show_film(self, radiograph: Radiograph | None) -> None:
        """Another film, or none; its annotations follow with `set_marks`."""
        self.set_marks(None)
        self._radiograph = radiograph
        self._open_book()
        self.refresh_probe()

    def show_frame(self, radiograph: Radiograph) -> None:
        """Another frame of the film: its annotations stay, and those of the frame are drawn."""
        self._forget_hand()
        self._selected = None
        self._radiograph = radiograph
        self._open_book()
        self._on_marks()
        self.refresh_probe()

    def set_marks(self, marks: FilmMarksModel | None) -> None:
        """The annotations of the film on screen, from now on."""
        self._forget_hand()
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
        """What lengths rest on: the user's calibration, else the film's own."""
        calibrated = self._marks.marks.calibration if self._marks else None
        return calibrated or (self._radiograph.spacing if self._radiograph else Spacing())

    def annotations(self) -> tuple[Annotation, ...]:
        """Of the frame on screen, in the order they were drawn."""
        if self._marks is None or self._radiograph is None:
            return ()
        frame = self._radiograph.ref.frame
        return tuple(a for a in self._marks.marks.annotations if a.frame == frame)

    def values(self, annotation: Annotation) -> tuple[MeasuredValue, ...]:
        """What is known of an annotation by now."""
        return self._book.values(annotation) if self._book else ()

    def drawings(self) -> tuple[AnnotationDrawing, ...]:
        """What is drawn on the film, as geometry and text in film coordinates."""
        return tuple(make_drawing(a, self.values(a)) for a in self.annotations())

    def set_bare(self, bare: bool) -> None:
        """For a picture: drawings without handles, selection and what is unfinished."""
        self._bare = bare
        self._redraw()

    def _on_marks(self) -> None:
        if self._book is None or self._book.spacing != self.spacing:
            self._open_book()
            self.spacing_changed.emit()
        if self._selected not in self.annotations():
            self._selected = None
        self._grab = None
        self._refresh()

    def _open_book(self) -> None:
        film = self._radiograph
        self._book = ValueCache(film, self.spacing, self._refresh) if film else None

    def _refresh(self) -> None:
        if self._book is not None:
            self._book.ask(self.annotations(), self.later)
        self._redraw()
        self.changed.emit()

    def _redraw(self) -> None:
        self.item.show_all([*(self._shown(a) for a in self.annotations()), *self._unfinished()])

    def _shown(self, annotation: Annotation) -> DrawingState:
        grab = self._grab
        moving = grab is not None and grab.annotation == annotation and grab.moving
        seen = grab.result if grab is not None and moving else annotation
        chosen = annotation == self._selected and not self._bare
        grips = handles(seen.kind, seen.points) if chosen else ()
        return DrawingState(
            make_drawing(seen, self.values(seen)), annotation, chosen, grips, moving
        )

    def _unfinished(self) -> tuple[DrawingState, ...]:
        sketch = self._sketch
        if sketch is None or not sketch.points or self._bare:
            return ()
        kind, points = sketch.kind, sketch.points
        try:
            annotation = self._annotation(kind, points)
        except ValueError:  # too few points to measure anything yet
            drawn = AnnotationDrawing(kind, strokes_of(kind, points), (), points)
        else:
            values = self.values(annotation) if sketch.tool.stays else ()
            drawn = make_drawing(annotation, values)
        return (DrawingState(drawn, None, selected=True, grips=points, moving=True),)

    def _annotation(self, kind: Mark, points: tuple[Point, ...], text: str = "") -> Annotation:
        assert self._radiograph is not None
        film = self._radiograph
        return Annotation(kind, points, film_key(film), film.ref.frame, text)

    # Tool and selection

    def set_tool(self, name: str) -> None:
        """Draw with a tool of the table; any other name draws nothing."""
        self._tool = BY_NAME.get(name)
        self._forget_hand()
        self._redraw()

    @property
    def selected(self) -> Annotation | None:
        return self._selected

    def select(self, annotation: Annotation | None) -> None:
        """Show the handles of an annotation."""
        if annotation != self._selected:
            self._selected = annotation
            self._redraw()
            self.changed.emit()

    def delete_selected(self) -> None:
        if self._marks is not None and self._selected is not None:
            self._marks.remove(self._selected)

    def clear(self) -> None:
        """Take all annotations off the frame on screen."""
        if self._marks is not None and self._radiograph is not None:
            self._marks.clear(self._radiograph.ref.frame)

    def undo(self) -> None:
        if self._marks is not None:
            self._forget_hand()
            self._marks.undo.undo()

    def redo(self) -> None:
        if self._marks is not None:
            self._forget_hand()
            self._marks.undo.redo()

    def cancel(self) -> None:
        """Give up what is being drawn; else let go of the selection; else of the tool."""
        if self._sketch is not None or self._grab is not None:
            self._forget_hand()
            self._redraw()
        elif self._selected is not None:
            self.select(None)
        else:
            self.escaped.emit()

    def edit_text(self, annotation: Annotation) -> None:
        """Let the user write what stands beside an annotation."""

        def done(text: str | None) -> None:
            if self._marks is None or text is None or annotation not in self.annotations():
                return
            if not text and annotation.kind is Mark.TEXT:
                self._marks.remove(annotation)
                return
            named = replace(annotation, text=text)
            self._marks.change(annotation, named)
            self.select(named)

        self.field.ask(self.item.to_screen(annotation.points[0]), annotation.text, done)

    def _forget_hand(self) -> None:
        self._sketch = self._grab = None
        self.field.close_quietly()

    # Pointer, in logical pixels of the viewport

    def press(self, place: QPointF) -> bool:
        """True when the press is ours: something is drawn or grabbed."""
        if self._radiograph is None or self._marks is None:
            return self._tool is not None
        self._pressed_at = place
        if self._sketch is None:
            hit = self._hit(place)
            if hit is not None:
                self.select(hit.annotation)
                self._grab = AnnotationDrag(hit, self.item.to_film(place))
                return True
            self.select(None)
            if self._tool is None:
                return False
            if not self._marks.is_loaded:
                return True
            self._sketch = Sketch(self._tool)
        self._sketch.press(self.item.to_film(place))
        self._redraw()
        return True

    def move(self, place: QPointF) -> None:
        self._pointer = place
        self.refresh_probe()
        point = self.item.to_film(place)
        if self._grab is not None:
            if self._grab.moving or self._dragged(place):
                self._grab.move(point)
                self._redraw()
        elif self._sketch is not None:
            self._sketch.hover(point)
            self._redraw()
        else:
            self._show_cursor(self._hit(place))

    def release(self, place: QPointF) -> None:
        if self._grab is not None:
            self._drop()
        elif self._sketch is not None:
            if self._closes(place):
                self.finish()
                return
            self._sketch.release(self.item.to_film(place), dragged=self._dragged(place))
            if self._sketch.complete:
                self.finish()
            self._redraw()

    def double_click(self, place: QPointF) -> bool:
        """True when it is ours: a polygon is closed, or the words of an annotation are edited."""
        if self._sketch is not None:
            if self._sketch.kind is Mark.POLYGON:
                self.finish()
            else:
                self.press(place)
            return True
        hit = self._hit(place) if self._radiograph is not None else None
        if hit is not None:
            self._grab = None
            self.edit_text(hit.annotation)
            return True
        return self._tool is not None and self.press(place)

    def leave(self) -> None:
        self._pointer = None
        self.refresh_probe()

    def refresh_probe(self) -> None:
        """The pixel under the pointer, which film, window or placement may have changed."""
        lut = self._film.lut
        if self._radiograph is None or self._pointer is None or lut is None:
            self.probed.emit(None)
        else:
            self.probed.emit(probe(self._radiograph, self.item.to_film(self._pointer), lut))

    def finish(self) -> None:
        """Keep what was drawn, if it is more than a slip of the hand."""
        sketch, self._sketch = self._sketch, None
        if sketch is not None and sketch.close() and not self._is_slip(sketch):
            self._keep(sketch)
        self._redraw()

    def _keep(self, sketch: Sketch) -> None:
        assert self._marks is not None
        assert self._radiograph is not None
        if sketch.kind is Mark.TEXT:
            self._ask_text(sketch.fixed)
        elif sketch.tool.stays:
            self._add(self._annotation(sketch.kind, sketch.fixed))
        elif sketch.kind is Mark.RECTANGLE:
            film, points = self._radiograph, sketch.fixed
            self.later("window", lambda: region_window(film, points), self._request_window)
        else:
            self.length_drawn.emit(*sketch.fixed)

    def _request_window(self, window: object) -> None:
        if window is not None:
            self.window_requested.emit(window)

    def _ask_text(self, points: tuple[Point, ...]) -> None:
        def done(text: str | None) -> None:
            if text and self._marks is not None:
                self._add(self._annotation(Mark.TEXT, points, text))

        self.field.ask(self.item.to_screen(points[0]), "", done)

    def _add(self, annotation: Annotation) -> None:
        assert self._marks is not None
        self._marks.add(annotation)
        self.select(annotation)

    def _drop(self) -> None:
        grab, self._grab = self._grab, None
        assert grab is not None
        if grab.result != grab.annotation and self._marks is not None:
            self._selected = grab.result
            self._marks.change(grab.annotation, grab.result)
        self._redraw()

    def _hit(self, place: QPointF) -> Hit | None:
        return find(self.item.laid(), place)

    def _closes(self, place: QPointF) -> bool:
        """A polygon ends where it began."""
        sketch = self._sketch
        if sketch is None or sketch.kind is not Mark.POLYGON or len(sketch.fixed) < 3:
            return False
        away = self.item.to_screen(sketch.fixed[0]) - place
        return away.manhattanLength() <= 2 * DRAG_PX

    def _dragged(self, place: QPointF) -> bool:
        return (place - self._pressed_at).manhattanLength() >= DRAG_PX

    def _is_slip(self, sketch: Sketch) -> bool:
        if sketch.kind is Mark.TEXT:
            return False
        places = [self.item.to_screen(point) for point in sketch.fixed]
        return all((a - places[0]).manhattanLength() < SMALLEST_PX for a in places)

    def _show_cursor(self, hit: Hit | None) -> None:
        if hit is None:
            self._canvas.show_cursor(None)
        elif hit.handle is None:
            self._canvas.show_cursor(Qt.CursorShape.SizeAllCursor)
        else:
            self._canvas.show_cursor(Qt.CursorShape.PointingHandCursor)
