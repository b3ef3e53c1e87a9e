"""The annotations of one film file with their undo history; several views may share them."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from xrayview.domain.mark_keys import film_of, mark_key
from xrayview.domain.mark_merge import edited, merged
from xrayview.domain.measurement import Annotation, FilmMarks
from xrayview.domain.radiograph import Radiograph, Spacing

_STEPS_KEPT = 200


def marks_key(radiograph: Radiograph) -> str:
    """Return the key under which a film's annotations are stored."""
    film = radiograph.ref
    return mark_key(film.sop_uid, film.path.name, radiograph.sha256)


def film_key(radiograph: Radiograph) -> str:
    """Return what annotations call their film: its SOPInstanceUID, else the hash of its file."""
    return film_of(marks_key(radiograph))


class FilmMarksModel(QObject):
    """Editable annotations, which another window may change at the same time.

    Each step of the history is a difference: undoing it leaves everybody else's marks alone.
    """

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

    def merge(self, stored: FilmMarks) -> bool:
        """Merge in what another window has saved; True if that changes what is shown."""
        before, self._marks = self._marks, merged(self._marks, stored)
        if self._marks == before:
            return False
        self.changed.emit()
        return True

    def add(self, annotation: Annotation) -> None:
        """Add an annotation above the others."""
        annotation = replace(annotation, mark_id=uuid.uuid4().hex)
        self._push("Draw", (*self._marks.annotations, annotation))

    def change(self, old: Annotation, new: Annotation) -> None:
        """Replace an annotation by another one; does nothing if it no longer exists."""
        i = self._find(old)
        if old != new and i is not None:
            annotations = self._marks.annotations
            new = replace(new, mark_id=annotations[i].mark_id)
            self._push("Change", (*annotations[:i], new, *annotations[i + 1 :]))

    def remove(self, annotation: Annotation) -> None:
        """Remove an annotation; does nothing if it no longer exists."""
        i = self._find(annotation)
        if i is not None:
            annotations = self._marks.annotations
            self._push("Delete", (*annotations[:i], *annotations[i + 1 :]))

    def clear(self, frame: int) -> None:
        """Remove all annotations of a frame; the calibration stays."""
        others = tuple(a for a in self._marks.annotations if a.frame != frame)
        if others != self._marks.annotations:
            self._push("Delete all", others)

    def calibrate(self, spacing: Spacing | None) -> None:
        """Set the user's own spacing; None restores the film's."""
        if spacing != self._marks.calibration:
            after = replace(self._marks, calibration=spacing)
            self.undo.push(_Step(self, "Calibrate", self._marks, after))

    def _find(self, annotation: Annotation) -> int | None:
        """The index of an annotation: by its id, else by its content."""
        annotations = self._marks.annotations
        ids = [a.mark_id for a in annotations]
        if annotation.mark_id in ids:
            return ids.index(annotation.mark_id)
        return annotations.index(annotation) if annotation in annotations else None

    def _push(self, text: str, annotations: tuple[Annotation, ...]) -> None:
        after = replace(self._marks, annotations=annotations)
        self.undo.push(_Step(self, text, self._marks, after))

    def _apply(self, before: FilmMarks, after: FilmMarks) -> None:
        self._marks = edited(self._marks, before, after, round(time.time() * 1000))
        self.changed.emit()
        self.edited.emit()


class _Step(QUndoCommand):
    def __init__(
        self, film: FilmMarksModel, text: str, before: FilmMarks, after: FilmMarks
    ) -> None:
        super().__init__(text)
        self._film, self._before, self._after = film, before, after

    def redo(self) -> None:
        self._film._apply(self._before, self._after)

    def undo(self) -> None:
        self._film._apply(self._after, self._before)
