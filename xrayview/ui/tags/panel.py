"""The tag browser: a search field over the tree, and a line that says what is listed."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShowEvent, QTextOption
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from xrayview.domain.film import FilmRef
from xrayview.domain.tags import TagNode
from xrayview.errors import XrayViewError
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.tags.rows import in_full
from xrayview.ui.tags.tree_model import TagTree
from xrayview.ui.tags.tree_view import TagView
from xrayview.ui.viewer.busy_line import BusyLine

NO_FILM = "No film is open."
_DETAIL_PX = 92
NO_MATCH = "No tag holds these words."


class TagBrowser(QFrame):
    """Shows the tags of one film, or why there are none. Nothing here reads a file."""

    seen = Signal()
    """The panel came into view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._film: FilmRef | None = None
        self._hidden = False
        self.model = TagTree(self)
        self.view = TagView(self.model, self)
        self.field = self._make_field()
        self.state = QLabel()
        self.state.setProperty("role", "quiet")
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setContentsMargins(12, 4, 12, 8)
        self.detail = _detail()
        self.view.selectionModel().currentChanged.connect(self._detail_of)
        self.busy = BusyLine(self.view)
        head = QVBoxLayout()
        head.setContentsMargins(8, 0, 8, 8)
        head.addWidget(self.field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addWidget(self.detail)
        column.addWidget(self.state)
        self.setFocusProxy(self.view)
        self.show_nothing(NO_FILM)

    def show_tags(self, film: FilmRef, nodes: tuple[TagNode, ...]) -> None:
        """The attributes of a film; search, unfolded rows and the chosen tag stay."""
        self._film = film
        self.busy.hide()
        self.model.show_tags(nodes)
        self._arrange()
        self._say()

    def show_busy(self, film: FilmRef) -> None:
        """The film's tags are on their way; those of another are not shown as its own."""
        self._empty(film)
        self.view.message.hide()
        self.busy.show()

    def show_error(self, film: FilmRef, error: XrayViewError) -> None:
        """Why this film's tags cannot be listed."""
        self._empty(film)
        self.view.message.show_error(film, error)
        self.view.message.set_identity_hidden(self._hidden)

    def show_nothing(self, text: str) -> None:
        """There are no tags, and nothing has gone wrong."""
        self._empty(None)
        self.view.message.show_text(text)

    def set_identity_hidden(self, hidden: bool) -> None:
        """Mask what may name the patient, in cells, search, clipboard and file names."""
        self._hidden = hidden
        self.view.message.set_identity_hidden(hidden)
        self.model.set_identity_hidden(hidden)
        self._arrange()
        self._say()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        in_field = self.field.hasFocus()
        if event.matches(QKeySequence.StandardKey.Find):
            self.field.setFocus()
            self.field.selectAll()
        elif in_field and event.key() in _INTO_THE_TREE:
            self.view.choose_first()
            self.view.setFocus()
        elif in_field and event.key() == Qt.Key.Key_Escape and self.field.text():
            self.field.clear()
        else:
            super().keyPressEvent(event)

    def _empty(self, film: FilmRef | None) -> None:
        self._film = film
        self.busy.hide()
        self.model.show_tags(())
        self.view.message.show()
        self._say()

    def _search(self, words: str) -> None:
        self.model.search(words)
        self._arrange()
        self._say()

    def _arrange(self) -> None:
        """Unfold down to what was found, and say so where nothing was."""
        root = self.model.root
        if self.field.text():
            self.view.unfold(row for row in root.walk() if row.below and not row.is_hit)
        if self.model.has_tags:
            self.view.message.show_text("" if root.below else NO_MATCH)
            self.view.message.setVisible(not root.below)

    def _detail_of(self, index: QModelIndex) -> None:
        self.detail.setPlainText(in_full(self.model.row(index)) if index.isValid() else "")

    def _say(self) -> None:
        self._detail_of(self.view.currentIndex())
        if not self.model.has_tags:
            self.state.setText("")
            return
        found = f"{self.model.listed:,} of " if self.field.text() else ""
        name = self._film.path.name if self._film and not self._hidden else ""
        hidden = "identity hidden" if self._hidden else ""
        texts = (f"{found}{self.model.attributes:,} tags", hidden, name)
        self.state.setText(" · ".join(text for text in texts if text))

    def _make_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setAcceptDrops(False)  # a file over it is for the window, not its name for the field
        field.setPlaceholderText("Tag, keyword, name or value (Ctrl+F)")
        field.setAccessibleName("Search the tags")
        field.setClearButtonEnabled(True)
        sign = QAction(icons.icon("search", C.faint), "", field)
        field.addAction(sign, QLineEdit.ActionPosition.LeadingPosition)
        field.textChanged.connect(self._search)
        return field


def _detail() -> QPlainTextEdit:
    detail = QPlainTextEdit()
    detail.setReadOnly(True)
    detail.setTabChangesFocus(True)
    detail.setFixedHeight(_DETAIL_PX)
    detail.setFrameShape(QFrame.Shape.NoFrame)
    # UIDs have no spaces to be broken at.
    detail.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    detail.setAccessibleName("The chosen tag in full")
    detail.setProperty("detail", True)
    return detail


_INTO_THE_TREE = (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)
