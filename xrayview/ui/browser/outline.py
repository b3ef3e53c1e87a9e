"""The rows of the browser: groups and films that pass the filter and are not folded away.

Films are copied from a group to the rows as whole lists: ten thousand take about a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.folder import FolderTree, Group, Level
from xrayview.ui.browser import row_text
from xrayview.ui.browser.filter import FilmLookup, Filter, matches_text, passes

OPEN_ALL_UP_TO = 200
"""In folders of up to this many films every group starts open."""
FILM_PX, GROUP_PX, REJECTED_PX = 60, 28, 40
NOT_FILMS = "rejected"
FILMS_PER_STEP = 1000
"""Films checked before the event loop runs again: about five milliseconds."""


@dataclass(frozen=True)
class NotFilms:
    """The group of files that are not films."""

    count: int
    key: str = NOT_FILMS


Item = FilmRef | Group | RejectedFile | NotFilms


@dataclass(eq=False)
class Rows:
    """The rows from the top; `films` holds every film that passes, also in folded groups."""

    items: list[Item] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    heights_px: list[int] = field(default_factory=list)
    films: list[FilmRef] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)

    @cached_property
    def by_key(self) -> dict[str, int]:
        """Row numbers by item key."""
        return {key_of(item): row for row, item in enumerate(self.items)}

    def reuse_keys_of(self, earlier: Rows) -> None:
        """Extend the key table of `earlier` if these rows begin with its rows, as in a scan."""
        count = len(earlier.items)
        if self.items[:count] == earlier.items:  # the same objects: ten thousand take 0.1 ms
            added = {key_of(item): count + i for i, item in enumerate(self.items[count:])}
            self.by_key = {**earlier.by_key, **added}

    def append(self, items: Sequence[Item], depth: int, height_px: int) -> None:
        """Append rows of one kind."""
        self.items += items
        self.depths += [depth] * len(items)
        self.heights_px += [height_px] * len(items)

    def drop_from(self, row: int) -> None:
        """Remove the rows from `row` on."""
        for rows in (self.items, self.depths, self.heights_px):
            del rows[row:]


@dataclass(frozen=True)
class Content:
    """The content of the folder, and whether identity is hidden."""

    folder: Path
    tree: FolderTree
    rejected: Sequence[RejectedFile]
    identity_hidden: bool = False


@dataclass(frozen=True)
class Folding:
    """Groups that the user opened or closed; the others keep their default."""

    opened: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()

    def with_group(self, key: str, *, opened: bool) -> Folding:
        """A copy with one group opened or closed by the user."""
        if opened:
            return Folding(self.opened | {key}, self.closed - {key})
        return Folding(self.opened - {key}, self.closed | {key})

    def is_open(self, key: str, *, default: bool) -> bool:
        """The user's choice for the group, else the default."""
        return key in self.opened or (default and key not in self.closed)


def outline(content: Content, folding: Folding, criteria: Filter, lookup: FilmLookup) -> Rows:
    """Lay out all rows in one go."""
    layout = Layout(content, folding, criteria, lookup)
    for _ in layout.steps():
        pass
    return layout.rows


class Layout:
    """Lays out the rows in steps, so that the window stays responsive in large folders.

    The only series of a study gets no row of its own. A group whose title matches the text keeps
    all its films.
    """

    def __init__(
        self, content: Content, folding: Folding, criteria: Filter, lookup: FilmLookup
    ) -> None:
        self.rows = Rows()
        self._content = content
        self._folding = folding
        self._criteria = criteria
        self._lookup = lookup
        self._text = criteria.text.strip().lower()
        self._is_text_only = criteria == Filter(text=criteria.text)
        few = content.tree.count <= OPEN_ALL_UP_TO
        self._open_all = few or not criteria.is_empty
        self._checked = 0

    def steps(self) -> Iterator[None]:
        """Do the work; one step checks little more than FILMS_PER_STEP films and groups."""
        groups = self._content.tree.groups
        if self._criteria.is_empty:
            yield from self._unfiltered(groups, 0)
            self.rows.films = self._content.tree.all_films()
        else:
            yield from self._filtered(groups, 0, has_text=False)
        self._rejected()

    # Without a filter, folded groups need no look inside

    def _unfiltered(self, groups: list[Group], depth: int) -> Iterator[None]:
        folded: list[Group] = []
        for i, group in enumerate(groups):
            if self._is_open(group, i):
                self.rows.append(folded, depth, GROUP_PX)
                folded = []
                yield from self._opened(group, depth)
            else:
                folded.append(group)
            if self._ends_step():
                yield
        self.rows.append(folded, depth, GROUP_PX)

    def _opened(self, group: Group, depth: int) -> Iterator[None]:
        self.rows.append((group,), depth, GROUP_PX)
        self.rows.opened.add(group.key)
        inner = _without_only_series(group)
        self.rows.append(inner.films, depth + 1, FILM_PX)
        yield from self._unfiltered(inner.groups, depth + 1)

    # With a filter, every film is checked

    def _filtered(self, groups: list[Group], depth: int, *, has_text: bool) -> Iterator[None]:
        for i, group in enumerate(groups):
            yield from self._group(group, depth, i, has_text=has_text)

    def _group(self, group: Group, depth: int, index: int, *, has_text: bool) -> Iterator[None]:
        rows = self.rows
        if self._text and not has_text:
            has_text = self._text in title(group, self._content).lower()
        start, films = len(rows.items), len(rows.films)
        rows.append((group,), depth, GROUP_PX)
        inner = _without_only_series(group)
        for first in range(0, len(inner.films), FILMS_PER_STEP):
            some = self._passing(inner.films[first : first + FILMS_PER_STEP], has_text=has_text)
            rows.append(some, depth + 1, FILM_PX)
            rows.films += some
            if self._ends_step(min(FILMS_PER_STEP, len(inner.films) - first)):
                yield
        if self._ends_step():
            yield
        yield from self._filtered(inner.groups, depth + 1, has_text=has_text)
        if len(rows.films) == films:
            rows.drop_from(start)
        elif self._is_open(group, index):
            rows.opened.add(group.key)
        else:
            rows.drop_from(start + 1)

    def _passing(self, films: list[FilmRef], *, has_text: bool) -> list[FilmRef]:
        if not self._is_text_only:
            films = [film for film in films if passes(self._criteria, film, self._lookup)]
        if has_text or not self._text:
            return films
        hidden = self._content.identity_hidden
        return [film for film in films if matches_text(self._text, film, identity_hidden=hidden)]

    def _rejected(self) -> None:
        if not self._is_text_only:
            return
        files = self._content.rejected
        if self._text:
            files = [file for file in files if self._text in self._rejected_text(file).lower()]
        if not files:
            return
        self.rows.append((NotFilms(len(files)),), 0, GROUP_PX)
        if self._folding.is_open(NOT_FILMS, default=bool(self._text)):
            self.rows.opened.add(NOT_FILMS)
            self.rows.append(files, 1, REJECTED_PX)

    def _is_open(self, group: Group, index: int) -> bool:
        return self._folding.is_open(group.key, default=self._open_all or index == 0)

    def _rejected_text(self, file: RejectedFile) -> str:
        return file.why if self._content.identity_hidden else f"{file.relative_path} {file.why}"

    def _ends_step(self, checked: int = 1) -> bool:
        """Count what was checked; True when that is enough for one step."""
        self._checked += checked
        if self._checked < FILMS_PER_STEP:
            return False
        self._checked = 0
        return True


def key_of(item: Item) -> str:
    """A key that finds the item again after the rows were laid out again."""
    if isinstance(item, FilmRef):
        return item.film_id
    return f"{NOT_FILMS}:{item.path}" if isinstance(item, RejectedFile) else item.key


def title(group: Group, content: Content) -> str:
    """The text of a group's row; a number instead of identity where that is hidden."""
    if not content.identity_hidden:
        return row_text.group_title(group, content.folder)
    path = content.tree.groups_of(group.first)
    siblings = content.tree.groups if group.is_top else path[path.index(group) - 1].groups
    level = Level.PATIENT if group.is_top else group.level
    return f"{level} {siblings.index(group) + 1}"


def _without_only_series(group: Group) -> Group:
    """The series of a study with only one, else the group itself."""
    is_only_series = group.level is Level.STUDY and len(group.groups) == 1
    return group.groups[0] if is_only_series else group


def groups_above(tree: FolderTree, film: FilmRef) -> tuple[str, ...]:
    """The keys of the groups that must be open for the film to have a row."""
    return tuple(group.key for group in tree.groups_of(film))
