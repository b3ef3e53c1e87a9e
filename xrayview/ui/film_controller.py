"""Opening folders and films: the session's rules, the engine's work, and signals for the panels."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from os.path import commonpath
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from xrayview.display.first_frame import FirstFrame
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.formats import READABLE
from xrayview.domain.radiograph import Radiograph
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
"""Files taken in before the window may answer its user again."""
# Headers come in chunks: so long after the first of them, its whole chunk is there to choose from.
_FIRST_LIST_MS = 50
# Body Part Examined of what the models here are about (PS3.16 Annex L and usual spellings).
_CHEST = frozenset({"CHEST", "THORAX", "LUNG"})


class FilmController(QObject):
    """What the browser and the viewer ask for, and hear of."""

    folder_opened = Signal()
    """Another folder is in force; its list may still grow."""
    listing_changed = Signal()
    listing_state = Signal(str)
    view_loading = Signal(int, object)
    view_shown = Signal(int, object)
    view_failed = Signal(int, object, object)
    """Number of a view, and what became of its film."""
    active_changed = Signal()
    """Another view is the active one; what is said of its film follows."""
    film_loading = Signal(object)
    film_shown = Signal(object)
    film_failed = Signal(object, object)
    """The same of the active view, after it: also when the view became the active one."""
    message = Signal(object)
    finished_listing = Signal()

    def __init__(self, session: Session, tasks: Tasks, engine: Engine) -> None:
        super().__init__()
        self.session = session
        self._tasks = tasks
        self._engine = engine
        self._ahead = Prefetcher(session.film_budget_bytes)
        self._decodes = FilmDecodes(tasks, engine, self._on_decoded, self._on_undecoded)
        self._neighbour: FilmRef | None = None
        self._neighbour_of = ""
        """The film that is decoded ahead, and the id of the one beside which it is."""
        self._staged: _Listing | None = None
        self.listed: Callable[[], FilmList] = lambda: FilmList(session.films)
        """The films that Up and Down walk through; the browser gives those that it lists."""
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self._list)

    # Folder

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open a folder, one file, or the files and folders that were dropped."""
        if not paths:
            return
        missing = next((path for path in paths if not path.exists()), None)
        if missing is not None:
            self._on_not_listed(missing, _gone(missing))
            return
        if len(paths) == 1:
            only = paths[0]
            # What a DICOMDIR names is some of a folder: a batch is of a folder or of a film.
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
        self._redraw.stop()
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
        if staged.films and not self._redraw.isActive():
            self._redraw.start(_LIST_EVERY_MS if staged.swapped else _FIRST_LIST_MS)

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
        """Take in what one turn of the window may cost; the rest has its own turns."""
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
        if staged.has_more or staged.is_complete:
            self._redraw.start(0)
        self.listing_state.emit(f"Reading …  {_count(self.session.tree.count, 'film')} so far")

    def _on_listed(self, staged: _Listing) -> None:
        self._redraw.stop()
        nothing = _nothing(staged)
        if nothing is not None:
            self._on_not_listed(staged.root, nothing)
            return
        staged.is_complete = True
        self._list()

    def _finish(self) -> None:
        self._staged = None
        self.listing_state.emit(self.listing_text())
        self.finished_listing.emit()

    def _on_not_listed(self, root: Path, error: XrayViewError) -> None:
        self._staged = None
        error.path = error.path or root
        self.listing_state.emit(self.listing_text())
        self.message.emit(Message.of("folder", error))

    def listing_text(self) -> str:
        """What is listed, in one line."""
        films, rejected = self.session.tree.count, len(self.session.rejected)
        if self.session.folder is None:
            return "No folder is open"
        if not rejected:
            return _count(films, "film")
        return f"{_count(films, 'film')}, {_count(rejected, 'other file')}"

    # Views

    def show_views(self, count: int) -> None:
        """Have so many views; what a closed one waits for is not needed any more."""
        self.session.show_views(count)
        self._cancel_unneeded()
        for number in {self.session.active, len(self.session.views) - 1}:  # the last may be apart
            view = self.session.views[number]
            if view.film is not None and view.radiograph is None and view.error is None:
                self.open_film(view.film, number)

    def set_detached(self, shown: bool) -> None:
        """Have a view in a window of its own, or no longer."""
        if self.session.active == self.session.detached:
            self.activate(self.session.beside)
        self.session.set_detached(shown)
        self._cancel_unneeded()

    def repeat(self, source: int, number: int) -> None:
        """Let a view show what another one does; what is on its way comes to both."""
        view = self.session.views[number] = self.session.views[source]
        if view.film is not None:
            self.view_loading.emit(number, view.film)
        if view.film is not None and number == self.session.active:
            self.film_loading.emit(view.film)
        if view.radiograph is not None:
            self._shown((number,), view.radiograph)
        elif view.film is not None and view.error is not None:
            self.view_failed.emit(number, view.film, view.error)

    def fill_views(self) -> None:
        """Give views without a film those that follow in the list, as far as there are any."""
        views = self.session.views
        if self.session.current is None:
            return  # the first film is on its way: the others follow it
        for number, view in enumerate(views):
            if view.film is None and (film := self._next_unseen(number)) is not None:
                self.open_film(film, number)

    def activate(self, number: int) -> None:
        """Make a view the active one, and say what stands in it."""
        if number == self.session.active:
            return
        self.session.activate(number)
        self.active_changed.emit()
        view = self.session.views[number]
        if view.film is None:
            return
        self.film_loading.emit(view.film)
        if view.radiograph is not None:
            self.film_shown.emit(view.radiograph)
        elif view.error is not None:
            self.film_failed.emit(view.film, view.error)
        self._prefetch()

    def _next_unseen(self, number: int) -> FilmRef | None:
        views, films = self.session.views, self.listed().films
        seen = {view.film.row_id for view in views if view.film is not None}
        before = [view.film for view in views[:number] if view.film is not None]
        start = self.listed().number(before[-1]) if before else 0
        following = (*films[start:], *films[:start])
        return next((film for film in following if film.row_id not in seen), None)

    # Film

    def open_film(self, film: FilmRef, number: int | None = None) -> None:
        """Show a film in a view (by default the active one, unless its film is pinned).

        It is seen at once, or when its pixels come.
        """
        place = self._aim() if number is None else number
        radiograph = self.session.select(film, place)
        self.view_loading.emit(place, film)
        if place == self.session.active:
            self.film_loading.emit(film)
        if radiograph is None:
            self._decodes.want(film)
        self._cancel_unneeded()
        if radiograph is not None:
            self._shown((place,), radiograph)

    def ready(self, radiograph: Radiograph) -> FirstFrame | None:
        """What the film's first picture needs; None where it was not made."""
        return self.session.ready(radiograph)

    def step(self, films: int) -> None:
        """The film so many places on in the list."""
        self._aim()
        self._go(self.listed().neighbour(self.session.current, films))

    def step_series(self, step: int) -> None:
        """The first film of the next or the previous series; nothing where there is none."""
        self._aim()
        listed = self.listed()
        here = listed.series_start(self.session.current)
        there = listed.series_starts().neighbour(here, step)
        if here is None or there is None or there.row_id != here.row_id:
            self._go(there)

    def first(self) -> None:
        """The first film of the list."""
        self._aim()
        self._go(next(iter(self.listed().films), None))

    def last(self) -> None:
        """The last film of the list."""
        self._aim()
        self._go(next(reversed(self.listed().films), None))

    def position(self, number: int | None = None) -> tuple[int, int]:
        """A view's film's number and how many are listed; (0, n) when it is not listed."""
        listed = self.listed()
        view = self.session.views[self.session.active if number is None else number]
        return listed.number(view.film), len(listed)

    def _aim(self) -> int:
        """Turn to the view that the next film goes to: a pinned one keeps its own."""
        if self.session.pinned and self.session.active == self.session.detached:
            self.activate(self.session.beside)
        return self.session.active

    def _go(self, film: FilmRef | None) -> None:
        current = self.session.current
        if film is not None and (current is None or film.row_id != current.row_id):
            self.open_film(film)

    def _on_decoded(self, film: FilmRef, radiograph: Radiograph, ready: FirstFrame) -> None:
        waiting = self.session.accept_radiograph(film, radiograph, ready)
        if waiting:
            self._shown(waiting, radiograph)
        else:
            self._prefetch()

    def _on_undecoded(self, film: FilmRef, error: XrayViewError) -> None:
        waiting = self.session.accept_film_error(film, error)
        for number in waiting:
            self.view_failed.emit(number, film, error)
        if self.session.active in waiting:
            self.film_failed.emit(film, error)
        self._prefetch()

    def _shown(self, places: tuple[int, ...], radiograph: Radiograph) -> None:
        for number in places:
            self.view_shown.emit(number, radiograph)
        if self.session.active in places:
            self.film_shown.emit(radiograph)
        self._prefetch()

    def _prefetch(self) -> None:
        """Decode a neighbour before it is asked for; when it is there, the next one."""
        here = self.session.current
        if here is None or (self._neighbour_of == here.film_id and self._neighbour_comes()):
            return
        seen = {view.film.film_id: view.film for view in self.session.views if view.film}
        seen.pop(here.film_id)
        film = self._ahead.next_film(
            self.listed(), here, self._is_at_hand, self._bytes_of, seen.values()
        )
        if film is None:
            return
        self._neighbour, self._neighbour_of = film, here.film_id
        self._decodes.want(film, Priority.PREFETCH)
        self._cancel_unneeded()

    def _neighbour_comes(self) -> bool:
        return self._neighbour is not None and self._decodes.is_pending(self._neighbour)

    def _is_at_hand(self, film: FilmRef) -> bool:
        return self.session.is_decoded(film) or self._decodes.is_pending(film)

    def _bytes_of(self, film: FilmRef) -> int:
        known = self.session.bytes_of(film)
        return film_bytes(film) if known is None else known

    def _cancel_unneeded(self) -> None:
        """Take back what is decoded for nobody: no view waits, and it is no neighbour any more."""
        views, here = self.session.views, self.session.current
        needed = {view.film.film_id for view in views if view.film and view.is_waiting}
        if here is not None and self._neighbour_of == here.film_id and self._neighbour is not None:
            needed.add(self._neighbour.film_id)
        self._decodes.cancel_all_except(needed)


class _Listing:
    """A folder on its way in: it takes the place of the earlier one with its first film."""

    def __init__(self, root: Path, source: Path | None) -> None:
        self.root = root
        self.source = source
        self.films: list[FilmRef] = []
        self.rejected: list[RejectedFile] = []
        self.swapped = False
        self.is_complete = False
        self._films_taken = self._rejected_taken = 0

    @property
    def has_more(self) -> bool:
        """True while not all that was found is taken."""
        return self._films_taken < len(self.films) or self._rejected_taken < len(self.rejected)

    def take(self, most: int) -> tuple[list[FilmRef], list[RejectedFile]]:
        """What was found since, `most` of each at a time."""
        films = self.films[self._films_taken : self._films_taken + most]
        rejected = self.rejected[self._rejected_taken : self._rejected_taken + most]
        self._films_taken += len(films)
        self._rejected_taken += len(rejected)
        return films, rejected

    def add(self, found: list[Found]) -> None:
        for item in found:
            if isinstance(item, FilmRef):
                self.films.append(item)
            else:
                self.rejected.append(item)


def _gone(path: Path) -> XrayViewError:
    hint = "Check the name and that its drive is connected."
    return XrayViewError("the folder or file does not exist", path=path, hint=hint)


def _nothing(staged: _Listing) -> XrayViewError | None:
    """Why there is nothing to open; a folder of other files is opened, it says why of each."""
    if staged.films:
        return None
    if not staged.rejected:
        hint = f"Choose a folder that contains {READABLE} films."
        return XrayViewError("this folder contains no files", path=staged.root, hint=hint)
    if staged.source is not None and staged.source.is_file():
        file = staged.rejected[0]
        return XrayViewError("not a film", path=file.path, why=file.why, hint=file.hint)
    return None


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
