"""COVIDx CXR-2 to 4: `train.txt`, `val.txt` and `test.txt` with patient, file, class and source.

Wang et al., COVID-Net, Scientific Reports 2020. The source nearly equals the class.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.cache import file_sha256
from training.data.layouts.folder import FilmFolder, split_in
from training.data.layouts.model import Found, LabelledFilm, Reading, State
from training.data.table_file import canonical
from xrayview.errors import UsageError
from xrayview.io.tables.sheet import decode_text

FINDING = "COVID-19"
_PICTURE = re.compile(r"\.(png|jpe?g|tiff?|dcm)$", re.IGNORECASE)
_POSITIVE = {"positive", "covid-19", "covid", "covid19"}


@dataclass(frozen=True)
class _Line:
    patient: str
    file: str
    label: str
    source: str
    split: str

    @property
    def path(self) -> str:
        return f"{self.split}/{self.file}"


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has lists of films."""
    return not data.table and bool(_lists(folder))


def _lists(folder: FilmFolder) -> list[str]:
    names = (path for path in folder.paths if path.casefold().endswith((".txt", ".csv", ".tsv")))
    texts = (path for path in names if split_in(PurePosixPath(path).name))
    few = [path for path in texts if path in folder.texts or not path.casefold().endswith(".txt")]
    lists = [path for path in few if _is_list(folder, path)]
    return list({file_sha256(folder.root / path): path for path in reversed(lists)}.values())[::-1]


def _is_list(folder: FilmFolder, path: str) -> bool:
    try:
        with (folder.root / path).open("rb") as stream:
            lines = decode_text(stream.read(4096))[0].splitlines()[:2]
    except (OSError, ValueError):
        return False
    return any(_parsed(line, "") for line in lines)


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of all lists.

    Raises:
        UsageError: there is no list, or a line is none.
    """
    del data
    lists = _lists(folder)
    if not lists:
        raise UsageError(
            f"There are no lists of COVIDx in {folder.root}",
            hint="They are train.txt, val.txt and test.txt: patient, file, class and source.",
        )
    lines = [line for path in lists for line in _lines(folder, path)]
    find = folder.finder(line.path for line in lines)
    films = [_film(line, path) for line in lines if (path := find(line.path))]
    return Found(
        tuple(films), "covidx", tuple(find.omissions()), (*_shortcut(lines), *find.notes()),
        table=folder.root / lists[0],
    )  # fmt: skip


def _lines(folder: FilmFolder, path: str) -> Iterator[_Line]:
    split = split_in(PurePosixPath(path).name)
    for number, text in enumerate(folder.text(path).splitlines(), start=1):
        if line := _parsed(text, split):
            yield line
        elif text.strip() and number > 1:
            raise UsageError(
                f"Line {number} is not `patient file class source`: {text.strip()!r}",
                path=folder.root / path,
                hint="Correct or remove it.",
            )


def _parsed(text: str, split: str) -> _Line | None:
    """Return a line; the file's name may contain the separator if that is a blank."""
    separated = [part.strip().strip('"') for part in re.split(r"[,;\t]", text)]
    parts = separated if len(separated) >= 4 else text.split()
    if len(parts) < 4:
        return None
    patient, *name, label, source = parts
    file = " ".join(name)
    return _Line(patient, file, label, source, split) if _PICTURE.search(file) else None


def _film(line: _Line, path: str) -> LabelledFilm:
    positive = line.label.casefold() in _POSITIVE
    known = {FINDING: State.PRESENT if positive else State.ABSENT}
    label = FINDING if positive else line.label
    if canonical(line.label) == "pneumonia":
        known["Pneumonia"] = State.PRESENT
    return LabelledFilm(
        path=path,
        patient=f"{line.source}:{line.patient}",
        readings=(Reading(line.source, known, (label,)),),
        split=line.split,
    )


def _shortcut(lines: list[_Line]) -> tuple[str, ...]:
    """Return a note if the source says what the class is."""
    classes: dict[str, Counter[str]] = {}
    for line in lines:
        classes.setdefault(line.source, Counter())[line.label] += 1
    pure = sorted(source for source, counts in classes.items() if len(counts) == 1)
    share = sum(classes[source].total() for source in pure) / max(1, len(lines))
    if share < 0.5:
        return ()
    note = (
        f"{share:.0%} of the films come from sources of one class ({', '.join(pure)}): a model can "
        "win by recognising the source. Look at the shortcut audit."
    )
    return (note,)
