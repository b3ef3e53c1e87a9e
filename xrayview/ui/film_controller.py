"""Open folders and films: the session keeps them, the engine reads them, signals announce them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from os.path import commonpath
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from xrayview.display.first_frame import FirstFrame
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.formats import READABLE
from xrayview.domain.radiograph import Radiograph
from xrayview.domain.sentences import counted
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.scan import is_index, list_all, read_headers, root_of, scan_folder
from xrayview.errors import XrayViewError
from xrayview.services.film_decodes import FilmDecodes
from xrayview.services.film_list import FilmList
from xrayview.services.prefetch import Prefetcher, film_bytes
from xrayview.services.session import Session
from xrayview.services.tasks import Tasks
from xrayview.ui.widgets.banners import Message

Found = FilmRef | RejectedFile
_LIST_EVERY_MS = 150
_FILES_PER_TURN = 500
"""Files listed in one turn of the event loop: so many cost a few milliseconds."""
# Headers come in chunks: this long after the first, its whole chunk is there to choose from.
_FIRST_LIST_MS = 50
# Body Part Examined of the films that the models score (PS3.16 Annex L and usual spellings).
_CHEST = frozenset({"CHEST", "THORAX", "LUNG"})


class ViewEvent(Enum):
    """What may happen to a view."""

    FILM = "film"
    """Its film is on its way, decoded, or unreadable: the session's view says which."""
    ACTIVE = "active"
    """It became the active view."""


@dataclass(frozen=True)
class ViewChange:
    """One event of one view; `session.views[view_index]` has its film, pixels or error."""

    view_index: int
    event: ViewEvent


class FilmController(QObject):
    """Opens folders, and the film of each view; decodes neighbours ahead."""

    folder_opened = Signal()
    """The session has another folder; its list may still grow."""
    listing_changed = Signal()
    listing_state = Signal(str)
    """How much is listed, for the line below the list."""
    finished_listing = Signal()
    positions_changed = Signal()
    """The films that Up and Down go through are others: numbers of films may differ."""
    view_changed = Signal(ViewChange)
    message = Signal(Message)

    def __init__(self, session: Session, tasks: Tasks, engine: Engine) -> None:
        super().__init__()
        self.session = session
        self._tasks = tasks
        self._engine = engine
        self._prefetcher = Prefetcher(session.film_budget_bytes)
        self._decodes = FilmDecodes(tasks, engine, self._on_decoded, self._on_undecoded)
        self._neighbour: FilmRef | None = None
        self._neighbour_of = ""
        """The film that is being decoded ahead, and the id of the film that it is next to."""
        self._staged: _Listing | None = None
        self.listed: Callable[[], FilmList] = lambda: FilmList(session.films)
        """The films that Up and Down go through; the browser replaces it by those it lists."""
        self.hides_positions = False
        """The order of the list may say what a film shows: hidden from a blinded reader."""
        self._list_timer = QTimer(self, singleShot=True)
        self._list_timer.timeout.connect(self._list)

    # Folder

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open a folder, one file, or several files and folders."""
        if not paths:
            return
        # A relative path would mean another folder at the next start.
        paths = [path.absolute() for path in paths]
        missing = next((path for path in paths if not path.exists()), None)
        if missing is not None:
            self._on_not_listed(missing, _gone(missing), whole_path=True)
            return
        if len(paths) == 1:
            only = paths[0]
            # A DICOMDIR names part of a folder; a batch runs over a whole folder or one film.
            source = None if is_index(only) else only
            self._open(root_of(only), source, lambda stop: scan_folder(self._engine, only, stop))
            return
        root = Path(commonpath([path.parent for path in paths]))
        self._open(root, None, lambda stop: self._scan_all(tuple(paths), root, stop))

    def _scan_all(
        self, paths: tuple[Path, ...], root: Path, stop: threading.Event
    ) -> Iterator[Found]:
        files = itertools.chain.from_iterable(list_all(self._engine, path, stop) for path in paths)
        return read_headers(self._engine, files, root, stop)

    def _open(
        self,
        root: Path,
        source: Path | None,
        scan: Callable[[threading.Event], Iterator[Found]],
    ) -> None:
        staged = self._staged = _Listing(root, source)
        self._list_timer.stop()
        self.listing_state.emit(f"Reading {root.name or root} …")
        self._tasks.stream(
            "open folder",
            scan,
            lambda found: self._on_found(staged, found),
            lambda: self._on_listed(staged),
            lambda error: self._on_not_listed(root, error),
        )

    def _on_found(self, staged: _Listing, found: list[Found]) -> None:
        staged.add(found)
        if (staged.films or staged.swapped) and not self._list_timer.isActive():
            self._list_timer.start(_LIST_EVERY_MS if staged.swapped else _FIRST_LIST_MS)

    def _swap(self, staged: _Listing, films: list[FilmRef], rejected: list[RejectedFile]) -> None:
        staged.swapped = True
        self._decodes.cancel_all()
        self.session.open_folder(staged.root, films, rejected, staged.source)
        self.folder_opened.emit()
        self.listing_changed.emit()
        listed = self.session.films
        if listed:
            chests = (film for film in listed if film.body_part.upper() in _CHEST)
            self.open_film(next(chests, listed[0]))
            self.fill_views()

    def _list(self) -> None:
        """List as many files as fit one turn of the event loop; the rest have their own turns."""
        staged = self._staged
        if staged is None:
            return
        films, rejected = staged.take(_FILES_PER_TURN)
        if not staged.swapped:
            self._swap(staged, films, rejected)
        elif films or rejected:
            self.session.add_films(films, rejected)
            self.listing_changed.emit()
            self.fill_views()
        elif staged.is_complete:
            self._finish()
            return
        if staged.films or staged.rejected or staged.is_complete:
            self._list_timer.start(0)
        self.listing_state.emit(f"Reading …  {counted(self.session.tree.count, 'film')} so far")

    def _on_listed(self, staged: _Listing) -> None:
        self._list_timer.stop()
        error = _error_if_empty(staged)
        if error is not None:
            self._on_not_listed(staged.root, error)
            return
        staged.is_complete = True
        self._list()

    def _finish(self) -> None:
        self._staged = None
        self.listing_state.emit(self.listing_text())
        self.finished_listing.emit()

    def _on_not_listed(self, root: Path, error: XrayViewError, *, whole_path: bool = False) -> None:
        self._staged = None
        error.path = error.path or root
        self.listing_state.emit(self.listing_text())
        self.message.emit(Message.of("folder", error, whole_path=whole_path))

    def listing_text(self) -> str:
        """How much is listed, in one line."""
        films, rejected = self.session.tree.count, len(self.session.rejected)
        if self.session.folder is None:
            return "No folder is open"
        if not rejected:
            return counted(films, "film")
        return f"{counted(films, 'film')}, {counted(rejected, 'other file')}"

    # Views

    def show_views(self, count: int) -> None:
        """Have this many views; what a closed one waits for is cancelled."""
        self.session.show_views(count)
        self._cancel_unneeded()
        last = len(self.session.views) - 1  # may be the detached one
        for view_index in {self.session.active, last}:
            view = self.session.views[view_index]
            if view.film is not None and view.is_waiting:
                self.open_film(view.film, view_index)

    def set_detached(self, detached: bool) -> None:
        """Add the view of the second window, or remove it."""
        if self.session.active == self.session.detached:
            self.activate(self.session.active_in_grid)
        self.session.set_detached(detached)
        self._cancel_unneeded()

    def repeat(self, source: int, view_index: int) -> None:
        """Show in a view what another one shows; a film on its way arrives in both."""
        self.session.views[view_index] = self.session.views[source]
        self._emit_film(view_index)

    def fill_views(self) -> None:
        """Give each view without a film one that follows in the list, while there are any."""
        if self.session.current is None:
            return  # the first film is on its way: the others follow it
        for view_index, view in enumerate(self.session.views):
            if view.film is None and (film := self._next_unseen(view_index)) is not None:
                self.open_film(film, view_index)

    def activate(self, view_index: int) -> None:
        """Make a view the active one."""
        if view_index != self.session.active:
            self.session.activate(view_index)
            self.view_changed.emit(ViewChange(view_index, ViewEvent.ACTIVE))
            self._prefetch()

    def _next_unseen(self, view_index: int) -> FilmRef | None:
        views, films = self.session.views, self.listed().films
        seen = {view.film.row_id for view in views if view.film is not None}
        before = [view.film for view in views[:view_index] if view.film is not None]
        start = self.listed().position(before[-1]) if before else 0
        following = (*films[start:], *films[:start])
        return next((film for film in following if film.row_id not in seen), None)

    # Film

    def open_film(self, film: FilmRef, view_index: int | None = None) -> None:
        """Show a film in a view, at once or when it is decoded.

        The default is the active view, or the one beside it where the active one is pinned.
        """
        if view_index is None:
            view_index = self._unpinned_view()
        radiograph = self.session.select(film, view_index)
        self._emit_film(view_index)
        if radiograph is None:
            self._decodes.request(film)
        self._cancel_unneeded()
        if radiograph is not None:
            self._prefetch()

    def step(self, films: int) -> None:
        """Open the film this far on in the list; negative is back."""
        self._unpinned_view()
        listed, current = self.listed(), self.session.current
        if current is not None and not listed.position(current):
            # The filter has hidden it, perhaps because it is classified now.
            self._open_other(listed.nearest(current, films, FilmList(self.session.films)))
        else:
            self._open_other(listed.neighbour(current, films))

    def step_series(self, step: int) -> None:
        """Open the first film of the next or the previous series, where there is one."""
        self._unpinned_view()
        listed = self.listed()
        here = listed.series_start(self.session.current)
        there = listed.series_starts().neighbour(here, step)
        if here is None or there is None or there.row_id != here.row_id:
            self._open_other(there)

    def open_at(self, index: int) -> None:
        """Open the film at an index of the list; -1 is the last one."""
        self._unpinned_view()
        if films := self.listed().films:
            self._open_other(films[index])

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {
            "previous_film": lambda: self.step(-1),
            "next_film": lambda: self.step(1),
            "previous_series": lambda: self.step_series(-1),
            "next_series": lambda: self.step_series(1),
            "first_film": lambda: self.open_at(0),
            "last_film": lambda: self.open_at(-1),
        }

    def position(self, view_index: int | None = None) -> tuple[int, int]:
        """The number of a view's film, from 1, and the count; (0, n) for one not listed.

        (0, 0) while positions are hidden.
        """
        if self.hides_positions:
            return 0, 0
        listed = self.listed()
        view = self.session.views[self.session.active if view_index is None else view_index]
        return listed.position(view.film), len(listed)

    def _unpinned_view(self) -> int:
        """Activate the view that the next film goes to: a pinned one keeps its own."""
        if self.session.pinned and self.session.active == self.session.detached:
            self.activate(self.session.active_in_grid)
        return self.session.active

    def _open_other(self, film: FilmRef | None) -> None:
        current = self.session.current
        if film is not None and (current is None or film.row_id != current.row_id):
            self.open_film(film)

    def _emit_film(self, *view_indices: int) -> None:
        for view_index in view_indices:
            self.view_changed.emit(ViewChange(view_index, ViewEvent.FILM))

    def _on_decoded(self, film: FilmRef, radiograph: Radiograph, first: FirstFrame) -> None:
        self._emit_film(*self.session.accept_radiograph(film, radiograph, first))
        self._prefetch()

    def _on_undecoded(self, film: FilmRef, error: XrayViewError) -> None:
        self._emit_film(*self.session.accept_film_error(film, error))
        self._prefetch()

    def _prefetch(self) -> None:
        """Decode a neighbour before it is requested; once it is decoded, the next one."""
        here = self.session.current
        if here is None or (self._neighbour_of == here.film_id and self._is_neighbour_coming()):
            return
        seen = {view.film.film_id: view.film for view in self.session.views if view.film}
        seen.pop(here.film_id)
        film = self._prefetcher.next_film(
            self.listed(), here, self._is_decoded, self._bytes_of, seen.values()
        )
        if film is None:
            return
        self._neighbour, self._neighbour_of = film, here.film_id
        self._decodes.request(film, Priority.PREFETCH)
        self._cancel_unneeded()

    def _is_neighbour_coming(self) -> bool:
        return self._neighbour is not None and self._decodes.is_pending(self._neighbour)

    def _is_decoded(self, film: FilmRef) -> bool:
        return self.session.is_decoded(film) or self._decodes.is_pending(film)

    def _bytes_of(self, film: FilmRef) -> int:
        known = self.session.bytes_of(film)
        return film_bytes(film) if known is None else known

    def _cancel_unneeded(self) -> None:
        """Cancel decodes that no view waits for, except that of the current film's neighbour."""
        views, here = self.session.views, self.session.current
        needed = {view.film.film_id for view in views if view.film and view.is_waiting}
        if here is not None and self._neighbour_of == here.film_id and self._neighbour is not None:
            needed.add(self._neighbour.film_id)
        self._decodes.cancel_all_except(needed)


@dataclass
class _Listing:
    """A folder that is being read: it replaces the open one once its first film is found."""

    root: Path
    source: Path | None
    films: list[FilmRef] = field(default_factory=list)
    """Found, but not listed yet."""
    rejected: list[RejectedFile] = field(default_factory=list)
    swapped: bool = False
    is_complete: bool = False

    def take(self, most: int) -> tuple[list[FilmRef], list[RejectedFile]]:
        """The next films and other files, at most `most` of each."""
        films, self.films = self.films[:most], self.films[most:]
        rejected, self.rejected = self.rejected[:most], self.rejected[most:]
        return films, rejected

    def add(self, found: list[Found]) -> None:
        """Append what a scan has found."""
        self.films += [item for item in found if isinstance(item, FilmRef)]
        self.rejected += [item for item in found if isinstance(item, RejectedFile)]


def _gone(path: Path) -> XrayViewError:
    hint = "Check the name and that its drive is connected."
    return XrayViewError("the folder or file does not exist", path=path, hint=hint)


def _error_if_empty(staged: _Listing) -> XrayViewError | None:
    """Why nothing can be opened; a folder of other files can: its list says why for each."""
    if staged.films or staged.swapped:
        return None
    if not staged.rejected:
        hint = f"Choose a folder that contains {READABLE} films."
        return XrayViewError("this folder contains no files", path=staged.root, hint=hint)
    if staged.source is not None and staged.source.is_file():
        file = staged.rejected[0]
        return XrayViewError("not a film", path=file.path, why=file.why, hint=file.hint)
    return None
