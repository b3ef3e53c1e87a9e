"""An index of a data folder: its tables by their columns, its films by name or path."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from training.data import table_file
from training.data.cache import file_sha256
from training.data.manifest import Omission
from training.data.not_films import is_leftover, is_mask
from training.data.table_file import Table, has_columns, is_table
from xrayview.domain.film import RejectedFile
from xrayview.errors import UsageError
from xrayview.io.scan import relative_path, walk
from xrayview.io.tables.sheet import decode_text

_FILM_SUFFIX = re.compile(r"\.(png|jpe?g|dcm|dicom|tiff?|img|bmp)$", re.IGNORECASE)
_NOT_FILMS = re.compile(
    r"\.(csv|tsv|tab|txt|json|jsonl|xml|html?|md|pdf|xlsx?|ods|docx?|rtf|zip|gz|tar|tgz|rar|7z|py|"
    r"ipynb|log|ya?ml|toml|npy|npz|pt|pth|h5|sha256|md5)$",
    re.IGNORECASE,
)
_MOST_TEXTS = 50
"""A folder with more text files than this has one per film; none of them is a table."""


def is_other_file(path: str) -> bool:
    """Tell by its suffix whether a file is a table, a text or an archive, and so not a film."""
    return bool(_NOT_FILMS.search(path))


@lru_cache(maxsize=1 << 16)
def stem_of(name: str) -> str:
    """Return the last part of a path without the suffix of a film, in lower case."""
    return _FILM_SUFFIX.sub("", name.replace("\\", "/").rsplit("/", 1)[-1]).casefold()


def split_in(path: str, *, default: str = "") -> str:
    """Return the split that the name of a table or a folder in a path says: train, val or test."""
    for part in reversed(PurePosixPath(path.casefold()).parts):
        words = set(re.findall(r"[a-z]+", part))
        for split, names in _SPLIT_WORDS.items():
            if words & names:
                return split
    return default


_SPLIT_WORDS = {
    "train": {"train", "training"},
    "val": {"val", "valid", "validate", "validation"},
    "test": {"test", "testing"},
}


@dataclass(frozen=True, eq=False)
class FilmFolder:
    """The files below a data folder, listed once when they are first needed."""

    root: Path
    _tables: dict[str, Table] = field(default_factory=dict, repr=False)
    _ends: dict[int, dict[tuple[str, ...], list[str]]] = field(default_factory=dict, repr=False)

    @cached_property
    def _listed(self) -> tuple[tuple[str, ...], tuple[Omission, ...]]:
        paths, omitted = [], []
        for found in walk(self.root):
            if isinstance(found, RejectedFile):
                code = "LINK" if found.path.is_symlink() else str(found.code)
                omitted.append(Omission(found.relative_path, code, found.why))
                continue
            path = relative_path(found, self.root)
            if is_leftover(path):
                omitted.append(Omission(path, "LEFTOVER", "it is hidden or left by an archive"))
            else:
                paths.append(path)
        return tuple(paths), tuple(omitted)

    @property
    def paths(self) -> tuple[str, ...]:
        """All files except hidden ones, in reading order."""
        return self._listed[0]

    @property
    def rejected(self) -> tuple[Omission, ...]:
        """Links that leave the folder, pipes, and what archives leave behind."""
        return self._listed[1]

    @cached_property
    def films(self) -> tuple[str, ...]:
        """The files that may be films: neither tables, texts nor masks."""
        return tuple(p for p in self.paths if not is_other_file(p) and not is_mask(p))

    def is_mostly_named(self, stem: re.Pattern[str]) -> bool:
        """Tell whether the names of most films, without suffix and in lower case, fit entirely."""
        named = sum(bool(stem.fullmatch(stem_of(path))) for path in self.films)
        return named * 2 > len(self.films)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text files, without those of folders that have one for each film."""
        texts = [path for path in self.paths if path.casefold().endswith(".txt")]
        number = Counter(PurePosixPath(path).parent for path in texts)
        return tuple(p for p in texts if number[PurePosixPath(p).parent] <= _MOST_TEXTS)

    @cached_property
    def headers(self) -> dict[str, tuple[str, ...]]:
        """The columns of every table, the least nested first."""
        tables = [path for path in self.paths if is_table(path)]
        tables += [path for path in self.texts if path not in tables]
        ordered = sorted(tables, key=lambda path: (path.count("/"), path.casefold()))
        headers = {path: table_file.read_header(self.root / path) for path in ordered}
        return {path: header for path, header in headers.items() if len(header) > 1}

    def require_readable_tables(self) -> None:
        """Check that no table had to be passed over.

        Raises:
            UsageError: one cannot be read; it may be the one with the labels.
        """
        for path in self.paths:
            if is_table(path) and path not in self.headers and (self.root / path).stat().st_size:
                self.table(path)

    def tables_with(self, *columns: str, without: Sequence[str] = ()) -> list[str]:
        """Return the tables that have these columns; equal copies of one name once."""
        found = [
            path for path, header in self.headers.items()
            if has_columns(header, columns)
            and not any(has_columns(header, (name,)) for name in without)
        ]  # fmt: skip
        if len(found) < 2:
            return found
        first: dict[tuple[str, str], str] = {}
        for path in found:
            name = PurePosixPath(path).name.casefold()
            first.setdefault((name, file_sha256(self.root / path)), path)
        return list(first.values())

    def table(self, path: str) -> Table:
        """Read a table.

        Raises:
            UsageError: it cannot be read.
        """
        if path not in self._tables:
            self._tables[path] = table_file.read_table(self.root / path)
        return self._tables[path]

    def named(self, name: str) -> list[str]:
        """Return the files of this name, whatever their case and folder."""
        folded = name.casefold()
        return [path for path in self.paths if PurePosixPath(path).name.casefold() == folded]

    def text(self, path: str) -> str:
        """Return the text of a small file, in any usual encoding.

        Raises:
            UsageError: it is not text.
        """
        try:
            return decode_text((self.root / path).read_bytes())[0]
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{PurePosixPath(path).name} is not a text",
                path=self.root / path,
                why=str(error),
                hint="Copy it again, or remove it.",
            ) from error

    def ends(self, depth: int) -> dict[tuple[str, ...], list[str]]:
        """Return the films by the last `depth` parts of their paths, in any case and format."""
        if depth not in self._ends:
            ends: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for path in self.films:
                key = _key(path)
                if len(key) >= depth:
                    ends[key[-depth:]].append(path)
            self._ends[depth] = dict(ends)
        return self._ends[depth]

    def finder(self, wanted: Iterable[str]) -> Finder:
        """Return what finds the files of a table's names or paths."""
        return Finder(self, tuple(dict.fromkeys(wanted)))


class Finder:
    """Finds the films of a table, whatever their case, suffix and folder.

    The names or paths of a table are compared with the ends of the files' paths. As many parts
    count as any of them has in common with a file, so that `view1_frontal.jpg` of another patient
    is never taken for a missing film.
    """

    def __init__(self, folder: FilmFolder, wanted: Sequence[str]) -> None:
        self._folder = folder
        self.ambiguous: dict[str, tuple[str, ...]] = {}
        """Names for which there are several different files."""
        keys = {name: _key(name) for name in wanted}
        self._found: dict[str, str] = {}
        for depth in range(max(map(len, keys.values()), default=0), 0, -1):
            ends = folder.ends(depth)
            deep = dict.fromkeys(key[-depth:] for key in keys.values() if len(key) >= depth)
            files = {end: ends[end] for end in deep if end in ends}
            if files:
                self._match(keys, files, depth)
                break
        self.missing = [name for name in wanted if name not in self._found]

    def __call__(self, name: str) -> str | None:
        """Return the path of a film; None if there is none, or several."""
        return self._found.get(name)

    def _match(
        self, keys: dict[str, tuple[str, ...]], files: dict[tuple[str, ...], list[str]], depth: int
    ) -> None:
        names: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, key in keys.items():
            names[key[-depth:]].append(name)
        for end, paths in files.items():
            if len(names[end]) > 1:  # the table distinguishes what these ends do not
                self.ambiguous |= {name: tuple(paths) for name in names[end]}
                continue
            (name,) = names[end]
            if path := self._one(name, paths):
                self._found[name] = path
            else:
                self.ambiguous[name] = tuple(paths)

    def _one(self, name: str, paths: Sequence[str]) -> str:
        """Return the only file, the only one of this very name, or the first of equal copies."""
        if len(paths) == 1:
            return paths[0]
        last = name.replace("\\", "/").rsplit("/", 1)[-1].casefold()
        exact = [p for p in paths if PurePosixPath(p).name.casefold() == last] or list(paths)
        if len({file_sha256(self._folder.root / path) for path in exact}) == 1:
            return min(exact, key=lambda path: (path.count("/"), path))
        return ""

    def omissions(self) -> Iterator[Omission]:
        """Yield the films for which there are several different files."""
        for name, paths in self.ambiguous.items():
            yield Omission(name, "TWO_FILES", f"both {paths[0]} and {paths[-1]}")

    def notes(self) -> tuple[str, ...]:
        """Return the note on rows without a film here: partial copies of data are common."""
        absent = len([name for name in self.missing if name not in self.ambiguous])
        if not absent:
            return ()
        return (f"{absent} of the table's films have no image here and are left out.",)


def _key(name: str) -> tuple[str, ...]:
    parts = [
        part for part in name.replace("\\", "/").casefold().split("/") if part not in {"", "."}
    ]
    return (*parts[:-1], stem_of(parts[-1])) if parts else ("",)
