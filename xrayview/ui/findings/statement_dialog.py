"""The dialog in which the user states what is true of all films of the folder."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.age import OLDEST_STATED
from xrayview.domain.sentences import without_options
from xrayview.domain.stated import StatedFilms, stated_films
from xrayview.errors import UsageError
from xrayview.ui.widgets.form_dialog import FormDialog, never_default
from xrayview.ui.widgets.form_fields import combo, label

_NOT_STATED = ("", "Not stated")
_VIEWS = (_NOT_STATED, ("AP", "AP"), ("PA", "PA"), ("LL", "Lateral"))
_BODY_PARTS = (_NOT_STATED, ("CHEST", "Chest"))


class StatementDialog(FormDialog):
    """Asks for age, view and body part; `stated` is valid once it is accepted."""

    def __init__(self, stated: StatedFilms, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Films of this folder")
        self.stated = stated
        self.age = QLineEdit(_ages(stated.age_years))
        self.age.setAccessibleName("Age of the patients in completed years")
        self.age.setPlaceholderText("1-5, or 18+")
        self.age.setToolTip("Youngest and oldest patient, in completed years: 1-5, or 18+")
        view, part = stated.view_position, stated.body_part
        self.view = combo("View", _with(_VIEWS, view), view)
        self.body_part = combo("Body part", _with(_BODY_PARTS, part), part)
        self.problem = label("", "error")
        self.problem.hide()
        buttons = QDialogButtonBox()
        self.save = QPushButton("Save")
        self.save.setDefault(True)
        clear = QPushButton("State nothing")
        clear.clicked.connect(self._clear)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(clear, QDialogButtonBox.ButtonRole.ResetRole)
        never_default(cancel, clear)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._fill(buttons)
        self.remember_answers()

    def accept(self) -> None:
        """Close with a valid statement; else show the problem and keep the answers."""
        try:
            self.stated = stated_films(
                self.age.text(), self.view.currentData(), self.body_part.currentData()
            )
        except UsageError as error:
            self.problem.setText(without_options(str(error)))
            self.problem.show()
            self.age.setFocus()
            return
        super().accept()

    def _clear(self) -> None:
        self.age.clear()
        self.view.setCurrentIndex(0)
        self.body_part.setCurrentIndex(0)

    def _fill(self, buttons: QDialogButtonBox) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Age in years", self.age)
        form.addRow("View", self.view)
        form.addRow("Body part", self.body_part)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(
            label(
                "What you state for all films of this folder counts like a header where a file "
                "does not state it. A header that says otherwise wins, and the film is a caution."
            )
        )
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(
            label(
                "It is remembered for this folder, and recorded in the CSV and the report of a "
                "folder classification.",
                "quiet",
            )
        )
        column.addWidget(buttons)
        self.setMinimumWidth(440)


def _ages(age_years: tuple[float, ...]) -> str:
    if not age_years:
        return ""
    low, high = age_years
    return f"{low:g}+" if high >= OLDEST_STATED else f"{low:g}-{high:g}"


def _with(choices: Sequence[tuple[str, str]], value: str) -> Sequence[tuple[str, str]]:
    """The choices, and the value if it is not one of them."""
    return choices if value in dict(choices) else (*choices, (value, value))
