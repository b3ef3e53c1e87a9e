"""Elements in which a run has found a name or an identifier of the patient."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSizePolicy, QVBoxLayout, QWidget

from xrayview.ui.widgets.form_fields import label

_TEXT = (
    "What may identify the patient was found in these elements: a name, a number, hidden bits. "
    "Tick one to copy it unchanged next time, where that identifies nobody, such as a manufacturer "
    "that is also a name."
)
_SHOWN_ROWS = 4


class FoundElements(QWidget):
    """A list with a check box for each element; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setAccessibleName("Elements with a name or an identifier of the patient")
        self.list.setProperty("own_keys", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(_TEXT))
        column.addWidget(self.list)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    @property
    def allowed(self) -> frozenset[str]:
        """The keywords of the elements that are ticked."""
        return frozenset(item.data(Qt.ItemDataRole.UserRole) for item in self._ticked())

    def show_found(self, films: Mapping[str, int]) -> None:
        """Show the keywords found by a run, with the number of films; ticked ones stay."""
        ticked = dict.fromkeys(self.allowed, 0)
        self.list.clear()
        for keyword, count in (ticked | dict(films)).items():
            text = (
                f"{keyword}   {count:,} {'film' if count == 1 else 'films'}" if count else keyword
            )
            item = QListWidgetItem(text, self.list)
            item.setData(Qt.ItemDataRole.UserRole, keyword)
            is_ticked = keyword in ticked
            item.setCheckState(Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
        rows = min(self.list.count(), _SHOWN_ROWS)
        self.list.setFixedHeight((rows + 1) * self.list.sizeHintForRow(0) if rows else 0)
        self.setVisible(bool(self.list.count()))

    def _ticked(self) -> list[QListWidgetItem]:
        items = (self.list.item(row) for row in range(self.list.count()))
        return [item for item in items if item.checkState() is Qt.CheckState.Checked]
