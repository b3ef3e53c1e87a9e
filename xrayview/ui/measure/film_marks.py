"""The annotations of one film file with their undo history; several views may share them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from xrayview.domain.measurement import Annotation, FilmMarks
from xrayview.domain.radiograph import Radiograph, Spacing

_STEPS_KEPT = 200


def film_key(radiograph: Radiograph) -> str:
    """Return the key of a film's annotations: its SOPInstanceUID, else the hash of its file."""
    return radiograph.ref.sop_uid or f"sha256:{radiograph.sha256}"


class FilmMarksModel(QObject):
    """Editable annotations: each change replaces the whole value, so that it can be undone."""

    changed = Signal()
    edited = Signal()
    """The user has made a change, which is to be saved."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo = QUndoStack(self)
        self.undo.setUndoLimit(_STEPS_KEPT)
        self.is_loaded = False
        """True once the saved annotations are loaded; nothing can be drawn before."""
        self._marks = FilmMarks()

    @property
    def marks(self) -> FilmMarks:
        """All frames' annotations, and the user's calibration."""
        return self._marks

    def take(self, marks: FilmMarks) -> None:
        """Take over the saved annotations of the film."""
        self._marks, self.is_loaded = marks, True
        self.undo.clear()
        self.changed.emit()

    def add(self, annotation: Annotation) -> None:
        """Add an annotation above the others."""
        annotations = (*self._marks.annotations, annotation)
        self._push("Draw", FilmMarks(annotations, self._marks.calibration))

    def change(self, old: Annotation, new: Annotation) -> None:
        """Replace an annotation by another one; does nothing if it no longer exists."""
        if old != new and old in self._marks.annotations:
            self._push("Change", self._with(old, (new,)))

    def remove(self, annotation: Annotation) -> None:
        """Remove an annotation; does nothing if it no longer exists."""
        if annotation in self._marks.annotations:
            self._push("Delete", self._with(annotation, ()))

    def clear(self, frame: int) -> None:
        """Remove all annotations of a frame; the calibration stays."""
        others = tuple(a for a in self._marks.annotations if a.frame != frame)
        if others != self._marks.annotations:
            self._push("Delete all", FilmMarks(others, self._marks.calibration))

    def calibrate(self, spacing: Spacing | None) -> None:
        """Set the user's own spacing; None restores the film's."""
        if spacing != self._marks.calibration:
            self._push("Calibrate", FilmMarks(self._marks.annotations, spacing))

    def _with(self, old: Annotation, new: tuple[Annotation, ...]) -> FilmMarks:
        annotations = self._marks.annotations
        i = annotations.index(old)
        return FilmMarks((*annotations[:i], *new, *annotations[i + 1 :]), self._marks.calibration)

    def _push(self, text: str, marks: FilmMarks) -> None:
        self.undo.push(_Step(self, text, self._marks, marks))

    def _show(self, marks: FilmMarks) -> None:
        self._marks = marks
        self.changed.emit()
        self.edited.emit()


class _Step(QUndoCommand):
    def __init__(
        self, film: FilmMarksModel, text: str, before: FilmMarks, after: FilmMarks
    ) -> None:
        super().__init__(text)
        self._film, self._before, self._after = film, before, after

    def redo(self) -> None:
        self._film._show(self._after)

    def undo(self) -> None:
        self._film._show(self._before)
