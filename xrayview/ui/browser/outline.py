"""The rows of the browser: the folder's groups and films, as far as they pass and are unfolded.

Films go from a group to the rows as whole lists: ten thousand of them cost about a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.folder import FolderTree, Group, Level
from xrayview.ui.browser import words
from xrayview.ui.browser.filter import Filter, Known, has_words, passes

OPEN_ALL_UP_TO = 200
"""Films up to which every group is shown open."""
FILM_PX, GROUP_PX, REJECTED_PX = 60, 28, 40
NOT_FILMS = "rejected"


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

    def append(self, items: Sequence[Item], depth: int, height_px: int) -> None:
        """Add rows of one kind below the others."""
        self.items += items
        self.depths += [depth] * len(items)
        self.heights_px += [height_px] * len(items)

    def drop_last(self) -> None:
        """Take the last row away: nothing stands below it."""
        for rows in (self.items, self.depths, self.heights_px):
            rows.pop()


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
    """Lay the rows out.

    Levels that say nothing are left out: a study's only series is not a row of its own. A group
    whose title holds the words keeps its films.
    """
    build = _Outline(content, folding, chosen, known)
    build.groups(content.tree.groups, 0, has_text=False)
    build.rejected()
    return build.rows


class _Outline:
    def __init__(self, content: Content, folding: Folding, chosen: Filter, known: Known) -> None:
        self.rows = Rows()
        self._content = content
        self._folding = folding
        self._chosen = chosen
        self._known = known
        self._text = chosen.text.strip().lower()
        self._every = chosen == Filter(text=chosen.text)
        few = sum(group.count for group in content.tree.groups) <= OPEN_ALL_UP_TO
        self._open_all = few or not chosen.is_empty

    def groups(self, groups: Iterable[Group], depth: int, *, has_text: bool) -> None:
        for number, group in enumerate(groups):
            self._group(group, depth, number == 0, has_text=has_text)

    def _group(self, group: Group, depth: int, is_first: bool, *, has_text: bool) -> None:
        rows = self.rows
        has_text = has_text or self._says(title(group, self._content))
        opened = self._folding.is_open(group.key, usual=is_first or self._open_all)
        start, films = len(rows.items), len(rows.films)
        rows.append((group,), depth, GROUP_PX)
        only = group.groups[0] if _has_silent_series(group) else group
        self._films(only, depth + 1, has_text=has_text)
        if only is group:
            self.groups(group.groups, depth + 1, has_text=has_text)
        if len(rows.films) == films:
            rows.drop_last()
        elif opened:
            rows.opened.add(group.key)
        else:
            for kept in (rows.items, rows.depths, rows.heights_px):
                del kept[start + 1 :]

    def _films(self, group: Group, depth: int, *, has_text: bool) -> None:
        films = self._passing(group.films, has_text=has_text)
        self.rows.append(films, depth, FILM_PX)
        self.rows.films += films

    def _passing(self, films: list[FilmRef], *, has_text: bool) -> list[FilmRef]:
        if not self._every:
            films = [film for film in films if passes(self._chosen, film, self._known)]
        if has_text or not self._text:
            return films
        hidden = self._content.identity_hidden
        return [film for film in films if has_words(self._text, film, identity_hidden=hidden)]

    def _says(self, said: str) -> bool:
        return bool(self._text) and self._text in said.lower()

    def rejected(self) -> None:
        if not self._every:
            return
        files = [
            file
            for file in self._content.rejected
            if not self._text or self._says(self._rejected_words(file))
        ]
        if not files:
            return
        self.rows.append((NotFilms(len(files)),), 0, GROUP_PX)
        if self._folding.is_open(NOT_FILMS, usual=bool(self._text)):
            self.rows.opened.add(NOT_FILMS)
            self.rows.append(files, 1, REJECTED_PX)

    def _rejected_words(self, file: RejectedFile) -> str:
        return file.why if self._content.identity_hidden else f"{file.relative_path} {file.why}"


def key_of(item: Item) -> str:
    """What an item is found by again, once the rows are laid out anew."""
    if isinstance(item, FilmRef):
        return item.film_id
    return f"{NOT_FILMS}:{item.path}" if isinstance(item, RejectedFile) else item.key


def title(group: Group, content: Content) -> str:
    """What a group's row says; a number in place of what could name somebody."""
    if not content.identity_hidden:
        return words.group_title(group, content.folder)
    beside = content.tree.groups if group.above is None else group.above.groups
    level = Level.PATIENT if group.above is None else group.level
    return f"{level} {beside.index(group) + 1}"


def _has_silent_series(group: Group) -> bool:
    return group.level is Level.STUDY and len(group.groups) == 1


def groups_above(tree: FolderTree, film: FilmRef) -> tuple[str, ...]:
    """The keys of the groups that must be open so that the film has a row."""
    keys = []
    group = tree.group_of(film)
    while group is not None:
        keys.append(group.key)
        group = group.above
    return tuple(keys)
