"""A reading session in the window: the order of its films, its keys, and what blinding hides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal

from xrayview.domain.film import FilmRef
from xrayview.domain.reading import LabelSet, Verdict
from xrayview.domain.sentences import counted
from xrayview.errors import UsageError, XrayViewError
from xrayview.io.reading_log import SessionHeader
from xrayview.services.reader_session import (
    ReaderSession,
    film_key,
    load_label_set,
    project_folder,
    save_label_set,
    sessions_of,
)
from xrayview.services.readings_export import film_labels, write_labels, write_readings
from xrayview.services.session import Session
from xrayview.ui.grid.controller import ViewController
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.reading.begin_dialog import BeginDialog, findings_to_read
from xrayview.ui.reading.blinding import HIDDEN_ACTIONS
from xrayview.ui.reading.panel import ReadingPanel
from xrayview.ui.widgets.banners import Message


class ReadingController(QObject):
    """Begins and ends sessions, saves verdicts, and opens the next film."""

    message = Signal(Message)
    blinded_changed = Signal(bool)
    session_changed = Signal()

    def __init__(
        self,
        session: Session,
        grid: ViewGrid,
        views: ViewController,
        panel: ReadingPanel,
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._grid = grid
        self._views = views
        self.panel = panel
        self.reading: ReaderSession | None = None
        self.dialog: BeginDialog | None = None
        self._shown = ""
        """The id of the film whose verdict the panel shows."""
        panel.begin_requested.connect(self.ask)
        panel.save_requested.connect(self.save)
        panel.skip_requested.connect(self.skip)
        panel.take_back_requested.connect(self.take_back)
        panel.end_requested.connect(self.end)
        panel.export_requested.connect(self.export)

    @property
    def is_blinded(self) -> bool:
        """True in a session that hides scores and identity."""
        return self.reading is not None and self.reading.header.blinded

    def blocks(self, action: str) -> bool:
        """True for an action that a blinded session does not allow."""
        return self.is_blinded and action in HIDDEN_ACTIONS

    def key_actions(self) -> dict[str, Callable[[], object]]:
        """What keys do in a session instead of their usual action; empty without one."""
        if self.reading is None:
            return {}
        steps = {str(n): partial(self.panel.step_finding, n - 1) for n in range(1, 10)}
        return steps | {
            "Return": self.save,
            "Enter": self.save,
            "Down": self.skip,
            "Up": self.back,
            "Ctrl+Z": self.take_back,
        }

    def close(self) -> None:
        """End the session without a message."""
        if self.reading is not None:
            self.reading.close()
            self.reading = None

    def on_folder(self) -> None:
        """Another folder is open: end the session, and show what the project has."""
        if self.reading is not None:
            self.end()
        self._show_idle()

    def ask(self) -> None:
        """Open the dialog that begins a session."""
        folder = self._session.folder
        if folder is None or not self._session.films:
            self.message.emit(Message("reading", "info", "Open a folder of films first"))
            return
        model = self._session.model
        findings = [f.name for f in model.card.findings if f.abnormal] if model else []
        try:
            stored = load_label_set(project_folder(folder))
        except UsageError as error:
            self.message.emit(Message.of("reading", error))
            return
        dialog = BeginDialog(
            findings_to_read(stored, findings),
            len(self._session.films),
            self.begin,
            self.panel.window(),
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog = dialog
        dialog.open()

    def begin(self, header: SessionHeader, label_set: LabelSet) -> None:
        """Begin or continue a session and open its next film.

        Raises:
            UsageError: another program has the session open, or it was begun in another way.
            OSError: the project cannot be written.
        """
        folder = self._session.folder
        assert folder is not None
        project = project_folder(folder)
        if not header.reader or not header.session:
            raise UsageError("A session needs a reader and a name", hint="Fill in both.")
        label_set = save_label_set(project, label_set)
        reading = ReaderSession(project, header, label_set, self._session.films)
        self.close()
        self.reading = reading
        parts = (header.reader, f"session {header.session}", header.condition)
        who = " · ".join(filter(None, (*parts, "blinded" if header.blinded else "")))
        self.panel.show_session(who, label_set)
        self.panel.show_note("")
        self._shown = ""
        self.blinded_changed.emit(self.is_blinded)
        self.session_changed.emit()
        self._open(reading.next() or self._session.films[0])

    def end(self) -> None:
        """End the session; what was saved stays."""
        reading, self.reading = self.reading, None
        if reading is None:
            return
        reading.close()
        progress = reading.progress
        self.blinded_changed.emit(False)
        self.session_changed.emit()
        self._show_idle()
        total = counted(progress.total, "film")
        text = f"{progress.read} of {total} read, saved in {reading.path.name}."
        self.message.emit(Message("reading", "info", "The session has ended", text))

    def follow(self) -> None:
        """Show the verdict on the film that has come on screen."""
        film, reading = self._current(), self.reading
        if reading is None or film is None or film.row_id == self._shown:
            return
        self._shown = film.row_id
        reading.shown()
        self.panel.show_verdict(reading.verdict(film))
        self._show_progress(film)

    def save(self) -> None:
        """Save the verdict and open the next unread film."""
        film, reading = self._current(), self.reading
        if reading is None or film is None:
            return
        radiograph = self._session.radiograph
        verdict = replace(self.panel.verdict(film_key(film)), viewer=self._viewer())
        try:
            reading.save(film, verdict, radiograph.sha256 if radiograph else "")
        except (XrayViewError, OSError) as error:
            self.panel.show_note(_saving_failed(error), is_error=True)
            return
        self.panel.show_note("")
        following = reading.next(film)
        if following is None:
            self._show_progress(film)
            self.panel.show_note("All films of this session are read.")
        else:
            self._open(following)

    def skip(self) -> None:
        """Open the next film of the order without saving."""
        self._step(1)

    def back(self) -> None:
        """Open the previous film of the order without saving."""
        self._step(-1)

    def take_back(self) -> None:
        """Take back the last verdict and show its film."""
        reading = self.reading
        if reading is None:
            return
        try:
            verdict = reading.take_back()
        except OSError as error:
            self.panel.show_note(_saving_failed(error), is_error=True)
            return
        if verdict is None:
            self.panel.show_note("Nothing to take back.")
            return
        self._show_taken_back(reading, verdict)

    def export(self) -> None:
        """Write the readings of all sessions, and the labels on which the readers agree."""
        folder = self._session.folder
        if folder is None:
            return
        project = project_folder(folder)
        exports = project / "exports"
        try:
            sessions = sessions_of(project)
            label_set = load_label_set(project)
            exports.mkdir(parents=True, exist_ok=True)
            verdicts = write_readings(exports / "readings.csv", sessions)
            labels = film_labels(sessions, label_set.findings if label_set else ())
            left_out = write_labels(exports / "labels.csv", labels)
        except (XrayViewError, OSError) as error:
            self.message.emit(Message("reading", "warn", "Not exported", _saving_failed(error)))
            return
        text = (
            f"{counted(verdicts, 'verdict')} in readings.csv, "
            f"{counted(len(labels) - len(left_out), 'film')} in labels.csv"
        )
        if left_out:
            text += f"; {counted(len(left_out), 'film')} without a decision left out"
        self.message.emit(Message("reading", "info", f"Exported to {exports}", f"{text}."))

    def _show_taken_back(self, reading: ReaderSession, verdict: Verdict) -> None:
        film = next((f for f in self._session.films if film_key(f).path == verdict.film.path), None)
        if film is None:
            self.panel.show_note("The last verdict was taken back; its film is not listed.")
            return
        self.panel.show_note("The last verdict was taken back.")
        if self._current() == film:
            self.panel.show_verdict(reading.verdict(film) or verdict)
            self._show_progress(film)
        else:
            self._open(film)

    def _step(self, films: int) -> None:
        reading, film = self.reading, self._current()
        if reading is None:
            return
        keys = reading.order
        key = film_key(film) if film is not None else None
        index = keys.index(key) if key in keys else -1
        self.panel.show_note("")
        self._open(reading.film(keys[(index + films) % len(keys)]))

    def _current(self) -> FilmRef | None:
        """The film of the active view as it is listed: at its first frame."""
        film = self._session.current
        return film.at_frame(0) if film is not None and film.frame else film

    def _open(self, film: FilmRef) -> None:
        self._views.open_frame(film)
        self.follow()

    def _show_progress(self, film: FilmRef) -> None:
        reading = self.reading
        assert reading is not None
        key = film_key(film)
        number = f"Film {reading.order.index(key) + 1}" if key in reading.order else "Another film"
        self.panel.show_progress(reading.progress, number)

    def _show_idle(self) -> None:
        folder = self._session.folder
        text = ""
        if folder is not None:
            try:
                lines = [
                    f"{header.reader}, session {header.session}: "
                    f"{counted(len(readings.newest_verdicts), 'film')} read"
                    for header, readings in sessions_of(project_folder(folder))
                ]
                text = "\n".join(lines)
            except (XrayViewError, OSError) as error:
                text = _saving_failed(error)
        self.panel.show_idle(text)

    def _viewer(self) -> dict[str, float | bool | str]:
        viewer = self._grid.viewer
        window = viewer.voi_window
        state: dict[str, float | bool | str] = {"zoom": viewer.zoom, "inverted": viewer.inverted}
        return state | ({"centre": window.center, "width": window.width} if window else {})


def _saving_failed(error: XrayViewError | OSError) -> str:
    if isinstance(error, XrayViewError):
        return str(error)
    return f"Not saved ({error.strerror or type(error).__name__}). Make room or reconnect the disk."
