"""The dialog that begins or continues a reading session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import (
    QCheckBox,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.reading import FIVE_STEPS, PERCENT, LabelSet
from xrayview.domain.sentences import counted
from xrayview.errors import UsageError, XrayViewError
from xrayview.io.reading_log import SessionHeader
from xrayview.ui.widgets.form_dialog import FormDialog, never_default
from xrayview.ui.widgets.form_fields import combo, label

Begin = Callable[[SessionHeader, LabelSet], None]
_SCALES = ((None, "No rating"), (FIVE_STEPS, "1 to 5"), (PERCENT, "0 to 100"))


class BeginDialog(FormDialog):
    """Asks for reader, session, condition, blinding and the label set.

    Args:
        label_set: what the project has, or what the model scores; None for an empty form.
        films: the number of films of the study.
        begin: begins the session; an error is shown, and the answers stay.
    """

    def __init__(
        self, label_set: LabelSet | None, films: int, begin: Begin, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Reading session")
        self._begin = begin
        self.reader = _field("Reader", "initials or a code")
        self.session = _field("Session", "for example: 1")
        self.session.setText("1")
        self.condition = _field("Condition", "for example: without AI; may be empty")
        self.blinded = QCheckBox("Hide scores, heat maps, file names and patients")
        self.blinded.setChecked(True)
        self.findings = QPlainTextEdit("\n".join(label_set.findings if label_set else ()))
        self.findings.setAccessibleName("Findings, one per line")
        self.findings.setTabChangesFocus(True)
        self.findings.setMaximumHeight(120)
        self.scale = combo("Rating", _SCALES, label_set.scale if label_set else None)
        self.problem = label("", "error")
        self.problem.hide()
        self.start = QPushButton("Begin")
        self.start.setDefault(True)
        cancel = QPushButton("Cancel")
        never_default(cancel)
        buttons = QDialogButtonBox()
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Reader", self.reader)
        form.addRow("Session", self.session)
        form.addRow("Condition", self.condition)
        form.addRow("Blinded", self.blinded)
        form.addRow("Findings, one per line", self.findings)
        form.addRow("Rating", self.scale)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(
            label(
                f"{counted(films, 'film')}, shuffled for each reader and session. A session with "
                "the same reader and name is continued."
            )
        )
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(buttons)
        self.setMinimumWidth(520)
        self.remember_answers()
        self.reader.setFocus()

    def answers(self) -> tuple[object, ...]:
        """The content of all fields."""
        return (*super().answers(), self.findings.toPlainText())

    def accept(self) -> None:
        """Begin, or show the problem and keep the answers."""
        try:
            header = SessionHeader(
                self.reader.text().strip(),
                self.session.text().strip(),
                self.condition.text().strip(),
                self.blinded.isChecked(),
            )
            self._begin(header, self._label_set())
        except (XrayViewError, OSError) as error:
            text = str(error) if isinstance(error, XrayViewError) else _not_written(error)
            self.problem.setText(text)
            self.problem.show()
            return
        super().accept()

    def _label_set(self) -> LabelSet:
        lines = [line.strip() for line in self.findings.toPlainText().splitlines()]
        try:
            return LabelSet(tuple(filter(None, lines)), self.scale.currentData())
        except ValueError as error:
            raise UsageError(
                "The findings cannot be used", why=str(error), hint="Write one finding per line."
            ) from error


def _not_written(error: OSError) -> str:
    return f"The project cannot be written beside the study ({error.strerror})."


def _field(name: str, placeholder: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText(placeholder)
    return field


def findings_to_read(stored: LabelSet | None, model: Sequence[str]) -> LabelSet | None:
    """The label set to propose: that of the project, else a model's findings."""
    return stored or (LabelSet(tuple(model)) if model else None)
