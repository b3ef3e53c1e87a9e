"""The rows of the browser: the folder's groups and films, as far as they pass and are unfolded.

Films go from a group to the rows as whole lists: ten thousand of them cost about a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.folder import FolderTree, Group, Level
from xrayview.ui.browser import row_text
from xrayview.ui.browser.filter import Filter, Known, has_words, passes

OPEN_ALL_UP_TO = 200
"""Films up to which every group is shown open."""
FILM_PX, GROUP_PX, REJECTED_PX = 60, 28, 40
NOT_FILMS = "rejected"
LOOK_AT = 1000
"""Films looked at before the window may answer: some five milliseconds."""


@dataclass(frozen=True)
class NotFilms:
    """The group of files that are no films."""

    count: int
    key: str = NOT_FILMS


Item = FilmRef | Group | RejectedFile | NotFilms


@dataclass(eq=False)
class Rows:
    """The rows from the top; `films` are all that pass, also below what is folded."""

    items: list[Item] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    heights_px: list[int] = field(default_factory=list)
    films: list[FilmRef] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)

    @cached_property
    def by_key(self) -> dict[str, int]:
        """The row of each item's key."""
        return {key_of(item): row for row, item in enumerate(self.items)}

    def go_on_from(self, before: Rows) -> None:
        """Know the rows of `before` where these only follow on them, as in a folder that grows."""
        count = len(before.items)
        if self.items[:count] == before.items:  # the same objects: ten thousand take 0.1 ms
            added = {key_of(item): count + n for n, item in enumerate(self.items[count:])}
            self.by_key = {**before.by_key, **added}

    def append(self, items: Sequence[Item], depth: int, height_px: int) -> None:
        """Add rows of one kind below the others."""
        self.items += items
        self.depths += [depth] * len(items)
        self.heights_px += [height_px] * len(items)

    def drop_from(self, row: int) -> None:
        """Take the rows from here on away."""
        for rows in (self.items, self.depths, self.heights_px):
            del rows[row:]


@dataclass(frozen=True)
class Content:
    """What is listed, and what may be shown of it."""

    folder: Path
    tree: FolderTree
    rejected: Sequence[RejectedFile]
    identity_hidden: bool = False


@dataclass(frozen=True)
class Folding:
    """Which groups the user opened and closed; the others follow the usual."""

    opened: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()

    def with_group(self, key: str, *, opened: bool) -> Folding:
        """The same with one group opened or closed by hand."""
        if opened:
            return Folding(self.opened | {key}, self.closed - {key})
        return Folding(self.opened - {key}, self.closed | {key})

    def is_open(self, key: str, *, usual: bool) -> bool:
        """What the user said of the group, else the usual."""
        return key in self.opened or (usual and key not in self.closed)


def outline(content: Content, folding: Folding, chosen: Filter, known: Known) -> Rows:
    """Lay all rows out at once."""
    layout = Layout(content, folding, chosen, known)
    for _ in layout.steps():
        pass
    return layout.rows


class Layout:
    """Lays the rows out in steps, between which the window may answer its user.

    Levels that say nothing are left out: a study's only series is not a row of its own. A group
    whose title holds the words keeps its films.
    """

    def __init__(self, content: Content, folding: Folding, chosen: Filter, known: Known) -> None:
        self.rows = Rows()
        self._content = content
        self._folding = folding
        self._chosen = chosen
        self._known = known
        self._text = chosen.text.strip().lower()
        self._only_words = chosen == Filter(text=chosen.text)
        few = content.tree.count <= OPEN_ALL_UP_TO
        self._open_all = few or not chosen.is_empty
        self._looked_at = 0

    def steps(self) -> Iterator[None]:
        """Do the work; each step looks at LOOK_AT films or groups at most, and a few more."""
        groups = self._content.tree.groups
        if self._chosen.is_empty:
            yield from self._whole(groups, 0)
            self.rows.films = self._content.tree.every_film()
        else:
            yield from self._filtered(groups, 0, has_text=False)
        self._rejected()

    # Without a filter: what is folded is not looked into

    def _whole(self, groups: list[Group], depth: int) -> Iterator[None]:
        folded: list[Group] = []
        for number, group in enumerate(groups):
            if self._is_open(group, number):
                self.rows.append(folded, depth, GROUP_PX)
                folded = []
                yield from self._opened(group, depth)
            else:
                folded.append(group)
            if self._is_time():
                yield
        self.rows.append(folded, depth, GROUP_PX)

    def _opened(self, group: Group, depth: int) -> Iterator[None]:
        self.rows.append((group,), depth, GROUP_PX)
        self.rows.opened.add(group.key)
        held = _holder(group)
        self.rows.append(held.films, depth + 1, FILM_PX)
        yield from self._whole(held.groups, depth + 1)

    # With a filter: every film is looked at

    def _filtered(self, groups: list[Group], depth: int, *, has_text: bool) -> Iterator[None]:
        for number, group in enumerate(groups):
            yield from self._group(group, depth, number, has_text=has_text)

    def _group(self, group: Group, depth: int, number: int, *, has_text: bool) -> Iterator[None]:
        rows = self.rows
        has_text = has_text or self._says(lambda: title(group, self._content))
        start, films = len(rows.items), len(rows.films)
        rows.append((group,), depth, GROUP_PX)
        held = _holder(group)
        for first in range(0, len(held.films), LOOK_AT):
            some = self._passing(held.films[first : first + LOOK_AT], has_text=has_text)
            rows.append(some, depth + 1, FILM_PX)
            rows.films += some
            if self._is_time(min(LOOK_AT, len(held.films) - first)):
                yield
        if self._is_time():
            yield
        yield from self._filtered(held.groups, depth + 1, has_text=has_text)
        if len(rows.films) == films:
            rows.drop_from(start)
        elif self._is_open(group, number):
            rows.opened.add(group.key)
        else:
            rows.drop_from(start + 1)

    def _passing(self, films: list[FilmRef], *, has_text: bool) -> list[FilmRef]:
        if not self._only_words:
            films = [film for film in films if passes(self._chosen, film, self._known)]
        if has_text or not self._text:
            return films
        hidden = self._content.identity_hidden
        return [film for film in films if has_words(self._text, film, identity_hidden=hidden)]

    def _rejected(self) -> None:
        if not self._only_words:
            return
        files = self._content.rejected
        if self._text:
            files = [file for file in files if self._text in self._rejected_words(file).lower()]
        if not files:
            return
        self.rows.append((NotFilms(len(files)),), 0, GROUP_PX)
        if self._folding.is_open(NOT_FILMS, usual=bool(self._text)):
            self.rows.opened.add(NOT_FILMS)
            self.rows.append(files, 1, REJECTED_PX)

    def _is_open(self, group: Group, number: int) -> bool:
        return self._folding.is_open(group.key, usual=self._open_all or number == 0)

    def _says(self, said: Callable[[], str]) -> bool:
        return bool(self._text) and self._text in said().lower()

    def _rejected_words(self, file: RejectedFile) -> str:
        return file.why if self._content.identity_hidden else f"{file.relative_path} {file.why}"

    def _is_time(self, looked_at: int = 1) -> bool:
        """True when a step has looked at enough."""
        self._looked_at += looked_at
        if self._looked_at < LOOK_AT:
            return False
        self._looked_at = 0
        return True


def key_of(item: Item) -> str:
    """What an item is found by again, once the rows are laid out anew."""
    if isinstance(item, FilmRef):
        return item.film_id
    return f"{NOT_FILMS}:{item.path}" if isinstance(item, RejectedFile) else item.key


def title(group: Group, content: Content) -> str:
    """What a group's row says; a number in place of what could name somebody."""
    if not content.identity_hidden:
        return row_text.group_title(group, content.folder)
    around = content.tree.groups_of(group.first)
    beside = content.tree.groups if group.is_top else around[around.index(group) - 1].groups
    level = Level.PATIENT if group.is_top else group.level
    return f"{level} {beside.index(group) + 1}"


def _holder(group: Group) -> Group:
    """The group whose films and groups stand below the row of `group`."""
    silent = group.level is Level.STUDY and len(group.groups) == 1
    return group.groups[0] if silent else group


def groups_above(tree: FolderTree, film: FilmRef) -> tuple[str, ...]:
    """The keys of the groups that must be open so that the film has a row."""
    return tuple(group.key for group in tree.groups_of(film))
