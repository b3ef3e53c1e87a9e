"""The About box: version, purpose, and the licences of all that the program is made of."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from xrayview import __version__
from xrayview.domain.sentences import counted
from xrayview.services.parts import Part, parts_inside
from xrayview.services.resources import resource
from xrayview.ui.style import icons

PURPOSE = "For research and teaching. Not a medical device: do not use it for diagnosis."
NOTICE = (
    "XrayView is licensed under the Apache License 2.0. Qt, Qt for Python and Pebble are under the "
    "LGPL: you may replace them with versions of your own, as the notice describes."
)
_COLUMNS = ("Part", "Version", "Licence")
_SIZE = QSize(720, 560)
_ICON_PX = 64


class AboutBox(QDialog):
    """Shows version, purpose, notice and a table of parts, which can be copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About XrayView")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._parts = parts_inside()
        self.table = self._table()
        head = QHBoxLayout()
        head.setSpacing(16)
        picture = QLabel()
        picture.setPixmap(icons.app_icon().pixmap(_ICON_PX, _ICON_PX))
        head.addWidget(picture)
        self.title = QLabel(f"XrayView {__version__}")
        self.title.setProperty("role", "title")
        purpose = QLabel(PURPOSE)
        purpose.setWordWrap(True)
        text = QVBoxLayout()
        text.addWidget(self.title)
        text.addWidget(purpose)
        head.addLayout(text, 1)
        notice = QLabel(NOTICE)
        notice.setWordWrap(True)
        count = QLabel(f"{counted(len(self._parts), 'part')} with licences of their own")
        count.setProperty("role", "quiet")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 16, 12)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(notice)
        column.addWidget(count)
        column.addWidget(self.table, 1)
        column.addWidget(self._buttons())
        self.resize(_SIZE)

    def _table(self) -> QTableWidget:
        table = QTableWidget(len(self._parts), len(_COLUMNS))
        table.setHorizontalHeaderLabels(_COLUMNS)
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setAccessibleName("Parts and their licences")
        for row, part in enumerate(self._parts):
            for column, cell in enumerate(_cells(part)):
                item = QTableWidgetItem(cell)
                item.setToolTip(part.url if column == 0 else cell)
                table.setItem(row, column, item)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(_COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        return table

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        action = QDialogButtonBox.ButtonRole.ActionRole
        self.copy = buttons.addButton("Copy the table", action)
        self.copy.clicked.connect(self._copy_table)
        self.texts = buttons.addButton("Notice and licence texts", action)
        self.texts.clicked.connect(_show_texts)
        return buttons

    def _copy_table(self) -> None:
        rows = ["\t".join(_cells(part)) for part in self._parts]
        QGuiApplication.clipboard().setText("\n".join((self.title.text(), *rows)))


def _cells(part: Part) -> tuple[str, str, str]:
    return part.name, part.version, part.licence


def _show_texts() -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(resource("licences"))))
