"""The tag browser: a search field, the tree, the current tag in full, and a line of counts."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShowEvent, QTextOption
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from xrayview.domain.film import FilmRef
from xrayview.domain.tags import TagNode
from xrayview.errors import XrayViewError
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.tags.rows import full_text
from xrayview.ui.tags.tree_model import TagTree
from xrayview.ui.tags.tree_view import TagView
from xrayview.ui.viewer.busy_line import BusyLine

NO_FILM = "No film is open."
_DETAIL_PX = 92
NO_MATCH = "No tag matches this search."


class TagBrowser(QFrame):
    """Shows the tags of one film, or why there are none. Does not read files."""

    became_visible = Signal()
    """The panel was opened or brought to the front."""

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
        self.view.selectionModel().currentChanged.connect(self._show_detail)
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
        """Show the attributes of a film; search, expanded rows and the current tag are kept."""
        self._film = film
        self.busy.hide()
        self.model.show_tags(nodes)
        self._refresh_tree()
        self._refresh_texts()

    def show_busy(self, film: FilmRef) -> None:
        """Show that the film's tags are loading, without those of another film."""
        self._clear(film)
        self.view.message.hide()
        self.busy.show()

    def show_error(self, film: FilmRef, error: XrayViewError) -> None:
        """Show why this film's tags cannot be listed."""
        self._clear(film)
        self.view.message.show_error(film, error)
        self.view.message.set_identity_hidden(self._hidden)

    def show_nothing(self, text: str) -> None:
        """Show a text where there are no tags; this is not an error."""
        self._clear(None)
        self.view.message.show_text(text)

    def set_identity_hidden(self, hidden: bool) -> None:
        """Mask what may identify the patient, in cells, search, clipboard and file names."""
        self._hidden = hidden
        self.view.message.set_identity_hidden(hidden)
        self.model.set_identity_hidden(hidden)
        self._refresh_tree()
        self._refresh_texts()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.became_visible.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        in_field = self.field.hasFocus()
        if event.matches(QKeySequence.StandardKey.Find):
            self.field.setFocus()
            self.field.selectAll()
        elif in_field and event.key() in _INTO_THE_TREE:
            self.view.select_first()
            self.view.setFocus()
        elif in_field and event.key() == Qt.Key.Key_Escape and self.field.text():
            self.field.clear()
        else:
            super().keyPressEvent(event)

    def _clear(self, film: FilmRef | None) -> None:
        self._film = film
        self.busy.hide()
        self.model.show_tags(())
        self.view.message.show()
        self._refresh_texts()

    def _search(self, query: str) -> None:
        self.model.search(query)
        self._refresh_tree()
        self._refresh_texts()

    def _refresh_tree(self) -> None:
        """Expand down to the matches, or say that there are none."""
        root = self.model.root
        if self.field.text():
            self.view.expand_rows(row for row in root.walk() if row.children and not row.is_match)
        if self.model.has_tags:
            self.view.message.show_text("" if root.children else NO_MATCH)
            self.view.message.setVisible(not root.children)

    def _show_detail(self, index: QModelIndex) -> None:
        self.detail.setPlainText(full_text(self.model.row(index)) if index.isValid() else "")

    def _refresh_texts(self) -> None:
        self._show_detail(self.view.currentIndex())
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
        field.setAcceptDrops(False)  # a dropped file is opened by the window, not pasted as a name
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
    # UIDs have no spaces to break at.
    detail.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    detail.setAccessibleName("The current tag in full")
    detail.setProperty("detail", True)
    return detail


_INTO_THE_TREE = (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)
