"""The panel in which a reader assesses the film on screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.reading import (
    FilmKey,
    LabelSet,
    Quality,
    RatingScale,
    State,
    Verdict,
)
from xrayview.services.reader_session import Progress

_STATES = (State.ABSENT, State.UNCERTAIN, State.PRESENT)
_STEPS: tuple[State | None, ...] = (None, State.PRESENT, State.ABSENT, State.UNCERTAIN)
"""What a finding's key steps through."""
NO_SESSION = (
    "Read the films of this folder one by one. Each finding has a key, and every verdict is saved "
    "at once. Several readers can read the same folder, each in their own sessions."
)


class FindingRow(QWidget):
    """A finding with its states, and its rating where the label set has a scale."""

    def __init__(self, number: int, name: str, scale: RatingScale | None) -> None:
        super().__init__()
        self.name = name
        title = QLabel(f"{name}" + (f"  ({number})" if number < 10 else ""))
        title.setWordWrap(True)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self.buttons = {state: self._button(state) for state in _STATES}
        self.rating = QSpinBox() if scale else None
        row = QHBoxLayout()
        row.setSpacing(2)
        for state in _STATES:
            row.addWidget(self.buttons[state])
        row.addStretch(1)
        if self.rating is not None and scale is not None:
            # The value below the scale is "no rating".
            self.rating.setRange(scale.low - 1, scale.high)
            self.rating.setSpecialValueText("–")
            self.rating.setAccessibleName(f"Rating of {name}, {scale.low} to {scale.high}")
            self.rating.setToolTip(
                f"{scale.low} (definitely absent) to {scale.high} (definitely present)"
            )
            row.addWidget(self.rating)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(title)
        column.addLayout(row)

    def _button(self, state: State) -> QPushButton:
        button = QPushButton(state.value.capitalize())
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.setAccessibleName(f"{self.name}: {state.value}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda checked: self.set_state(state if checked else None))
        self._group.addButton(button)
        return button

    @property
    def state(self) -> State | None:
        """The chosen state; None where the finding is not assessed."""
        return next((state for state, b in self.buttons.items() if b.isChecked()), None)

    def set_state(self, state: State | None) -> None:
        """Choose a state, or none."""
        for other, button in self.buttons.items():
            button.setChecked(other is state)

    def step(self) -> None:
        """Go on to the next state: present, absent, uncertain, not assessed."""
        self.set_state(_STEPS[(_STEPS.index(self.state) + 1) % len(_STEPS)])

    @property
    def rated(self) -> int | None:
        """The rating; None without one."""
        box = self.rating
        return None if box is None or box.value() == box.minimum() else box.value()

    def set_rated(self, rating: int | None) -> None:
        """Show a rating, or none."""
        if self.rating is not None:
            self.rating.setValue(self.rating.minimum() if rating is None else rating)


class ReadingPanel(QFrame):
    """How to begin a session; within one, a row per finding, saved with Enter."""

    begin_requested = Signal()
    save_requested = Signal()
    skip_requested = Signal()
    take_back_requested = Signal()
    end_requested = Signal()
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.rows: list[FindingRow] = []
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self._idle_page())
        self._pages.addWidget(self._session_page())

    @property
    def in_session(self) -> bool:
        """True while films are read."""
        return self._pages.currentIndex() == 1

    def show_idle(self, sessions: str = "") -> None:
        """Show how to begin; `sessions` is what the project already has."""
        self.sessions.setText(sessions)
        self.sessions.setVisible(bool(sessions))
        self.export.setVisible(bool(sessions))
        self._pages.setCurrentIndex(0)

    def show_session(self, who: str, label_set: LabelSet) -> None:
        """Show the rows of a label set."""
        for row in self.rows:
            self._findings.removeWidget(row)
            row.deleteLater()
        self.rows = [
            FindingRow(number, name, label_set.scale)
            for number, name in enumerate(label_set.findings, start=1)
        ]
        for index, row in enumerate(self.rows):
            self._findings.insertWidget(index, row)
        self.who.setText(who)
        self._pages.setCurrentIndex(1)

    def show_progress(self, progress: Progress, position: str) -> None:
        """Show how far the session is, and which film of it is on screen."""
        parts = [position, f"{progress.read} of {progress.total} read"]
        if progress.median_seconds is not None:
            parts.append(f"median {progress.median_seconds:.0f} s per film")
        self.progress.setText(" · ".join(filter(None, parts)))

    def show_note(self, text: str, *, is_error: bool = False) -> None:
        """Show one line about saving."""
        self.note.setProperty("role", "error" if is_error else "quiet")
        self.note.style().polish(self.note)
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_verdict(self, verdict: Verdict | None) -> None:
        """Show a verdict, or an empty form."""
        for row in self.rows:
            row.set_state(verdict.states.get(row.name) if verdict else None)
            row.set_rated(verdict.ratings.get(row.name) if verdict else None)
        for quality, button in self.quality.items():
            button.setChecked(verdict is not None and verdict.quality is quality)
        self.comment.setText(verdict.comment if verdict else "")

    def verdict(self, film: FilmKey) -> Verdict:
        """What is chosen now."""
        return Verdict(
            film,
            {row.name: row.state for row in self.rows if row.state is not None},
            {row.name: row.rated for row in self.rows if row.rated is not None},
            next((q for q, button in self.quality.items() if button.isChecked()), None),
            self.comment.text().strip(),
        )

    def step_finding(self, index: int) -> None:
        """Step the finding with this index, from 0, through its states."""
        if index < len(self.rows):
            self.rows[index].step()

    def _idle_page(self) -> QWidget:
        page, column = _page()
        text = QLabel(NO_SESSION)
        text.setProperty("role", "quiet")
        text.setWordWrap(True)
        self.begin = _button("Begin a reading session …", self.begin_requested.emit)
        self.sessions = QLabel()
        self.sessions.setWordWrap(True)
        self.export = _button("Export readings and labels", self.export_requested.emit)
        for widget in (text, self.begin, self.sessions, self.export):
            column.addWidget(widget)
        column.addStretch(1)
        self.show_idle_texts()
        return page

    def show_idle_texts(self) -> None:
        """Hide what only a project with sessions has."""
        self.sessions.hide()
        self.export.hide()

    def _session_page(self) -> QWidget:
        page, column = _page()
        self.who, self.progress, self.note = QLabel(), QLabel(), QLabel()
        for label in (self.progress, self.note):
            label.setProperty("role", "quiet")
            label.setWordWrap(True)
        self.note.hide()
        self._findings = QVBoxLayout()
        self._findings.setSpacing(12)
        self.quality = {quality: self._quality(quality) for quality in Quality}
        self.comment = QLineEdit()
        self.comment.setPlaceholderText("Comment")
        self.comment.setAccessibleName("Comment")
        self.comment.returnPressed.connect(self.save_requested)
        self.save = _button("Save and next  (Enter)", self.save_requested.emit)
        self.save.setProperty("primary", True)
        column.addWidget(self.who)
        column.addWidget(self.progress)
        column.addLayout(self._findings)
        column.addLayout(_line("Image quality", list(self.quality.values())))
        column.addWidget(self.comment)
        column.addWidget(self.save)
        column.addWidget(self.note)
        column.addLayout(
            _line(
                "",
                [
                    _button("Skip  (Down)", self.skip_requested.emit),
                    _button("Take back  (Ctrl+Z)", self.take_back_requested.emit),
                    _button("End session", self.end_requested.emit),
                ],
            )
        )
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(page)
        area.setAccessibleName("Verdict on the film")
        return area

    def _quality(self, quality: Quality) -> QPushButton:
        button = QPushButton(quality.value.capitalize())
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.setAccessibleName(f"Image quality: {quality.value}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

        def choose(checked: bool) -> None:
            for other, its_button in self.quality.items():
                its_button.setChecked(checked and other is quality)

        button.clicked.connect(choose)
        return button


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QFrame()
    page.setProperty("panel", True)
    column = QVBoxLayout(page)
    column.setContentsMargins(12, 12, 12, 12)
    column.setSpacing(12)
    return page, column


def _button(text: str, act: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(lambda _checked: act())
    return button


def _line(title: str, widgets: Sequence[QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    if title:
        row.addWidget(QLabel(title))
        row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    if not title:
        row.addStretch(1)
    return row
