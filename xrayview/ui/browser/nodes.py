"""The rows of the browser as plain data: what each says, and what it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from xrayview.domain.film import FilmRef, Patient, RejectedFile, Series, Study


@dataclass(eq=False)
class Node:
    """One row: a group with children, a film, or a file that is none."""

    key: str
    title: str
    note: str = ""
    film: FilmRef | None = None
    rejected: RejectedFile | None = None
    search: str = ""
    """What the filter looks in, lower case."""
    children: list[Node] = field(default_factory=list)
    parent: Node | None = field(default=None, repr=False)
    row: int = 0
    is_list_of_rejected: bool = False
    is_hidden: bool = False
    """Nothing that could name somebody may be shown of it."""

    def add(self, child: Node) -> Node:
        """Append a child and tell it its place."""
        child.parent, child.row = self, len(self.children)
        self.children.append(child)
        return child


def build(
    folder: Path,
    patients: Iterable[Patient],
    rejected: Iterable[RejectedFile],
    *,
    identity_hidden: bool,
) -> Node:
    """The whole tree under an unnamed root.

    Levels that say nothing are left out: a folder of PNG films is one group, and a study's only
    series is not a row of its own.
    """
    root = Node("root", "")
    for patient in patients:
        if patient.key.startswith("folder:"):
            group = root.add(Node(patient.key, patient.title or folder.name or str(folder)))
            for film in _films(patient):
                group.add(_film(film))
            continue
        group = root.add(Node(patient.key, patient.title or "Patient without an ID"))
        for study in patient.studies:
            _add_study(group, study)
    files = tuple(rejected)
    if files:
        group = root.add(Node("rejected", "Not films", str(len(files)), is_list_of_rejected=True))
        for file in files:
            group.add(_rejected(file))
    for group in root.children:
        group.note = group.note or str(_count(group))
        group.search = group.title.lower()
    if identity_hidden:
        _hide(root)
    return root


def _hide(parent: Node) -> None:
    """Numbers in place of all that could name somebody: IDs, dates, folders and file names."""
    for number, node in enumerate(parent.children, 1):
        if node.film is not None:
            view = view_text(node.film)
            node.title = f"Film {number}" if view == node.film.path.name else view
            node.note = _size(node.film)
        elif node.rejected is not None:
            node.title = f"File {number}"
        elif not node.is_list_of_rejected:
            node.title = f"{_LEVELS[_depth(node)]} {number}"
        node.search = node.title.lower()
        node.is_hidden = True
        _hide(node)


_LEVELS = ("Patient", "Study", "Series")


def _depth(node: Node) -> int:
    depth = -1
    while node.parent is not None:
        node, depth = node.parent, depth + 1
    return depth


def view_text(film: FilmRef) -> str:
    """The film in a few words: `PA · L`, else its file name."""
    words = [film.view_position, film.laterality]
    view = " · ".join(word for word in words if word)
    if not view:
        return film.body_part.title() or film.path.name
    return f"{film.body_part.title()} {view}" if film.body_part else view


def date_text(date: str) -> str:
    """A DICOM date as `2004-01-19`; as it stands when it is no such date."""
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else date


def _add_study(group: Node, study: Study) -> None:
    title = " · ".join(word for word in (date_text(study.date), study.title) if word)
    node = group.add(Node(f"{group.key}/{study.uid}", title or "Study without a date"))
    for series in study.series:
        below = node if len(study.series) == 1 else node.add(_series(node, series))
        for film in series.films:
            below.add(_film(film))
    node.search = title.lower()


def _series(study: Node, series: Series) -> Node:
    number = series.films[0].series_number
    title = series.title or (f"Series {number}" if number else "Series")
    return Node(f"{study.key}/{series.uid}", title, search=title.lower())


def _film(film: FilmRef) -> Node:
    title = view_text(film)
    if film.frames > 1:
        title = f"{title} · frame {film.frame + 1}/{film.frames}"
    note = film.path.name if title != film.path.name else _size(film)
    words = (title, film.relative_path, film.modality, film.body_part, film.series_description)
    return Node(film.film_id, title, note, film=film, search=" ".join(words).lower())


def _size(film: FilmRef) -> str:
    return f"{film.columns} × {film.rows}" if film.rows else film.format.upper()


def _rejected(file: RejectedFile) -> Node:
    return Node(
        f"rejected:{file.path}",
        file.path.name,
        file.why,
        rejected=file,
        search=f"{file.relative_path} {file.why}".lower(),
    )


def _films(patient: Patient) -> Iterable[FilmRef]:
    return (film for study in patient.studies for series in study.series for film in series.films)


def _count(group: Node) -> int:
    return sum(1 if child.film else _count(child) for child in group.children)
