"""The files of a folder: films, and files that are not films."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from xrayview.domain.formats import BY_ID
from xrayview.errors import StatusCode, UsageError


@dataclass(frozen=True)
class FilmRef:
    """One film (a frame of a file) as its header describes it, without pixels.

    Text fields are empty, `rows` and `columns` 0, where the file does not state them. Attributes
    are named after the DICOM keywords. Those that identify the patient are left out of `repr`, so
    that they cannot reach a log.
    """

    path: Path
    relative_path: str
    """Path below the scanned folder with forward slashes, as in the CSV."""
    frame: int = 0
    frames: int = 1
    format: str = "dicom"
    """The id of a row of `domain.formats`, recognised by the file's content."""
    file_size: int = 0
    mtime_ns: int = 0
    study_uid: str = ""
    series_uid: str = ""
    sop_uid: str = ""
    transfer_syntax: str = ""
    modality: str = ""
    body_part: str = ""
    view_position: str = ""
    laterality: str = ""
    patient_sex: str = ""
    patient_age: str = ""
    age_by_dates: float | None = None
    """Years from the birth date to the study date, neither of which is kept."""
    manufacturer: str = ""
    institution: str = field(default="", repr=False)
    study_date: str = ""
    acquisition_date: str = ""
    study_description: str = ""
    series_number: int = 0
    series_description: str = ""
    instance_number: int = 0
    rows: int = 0
    columns: int = 0
    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)

    @cached_property
    def film_id(self) -> str:
        """The key of a film in a session; results for another key are dropped."""
        return f"{self.path}#{self.frame}"

    @property
    def has_tags(self) -> bool:
        """True for a film with DICOM attributes."""
        return BY_ID[self.format].has_tags

    @property
    def format_title(self) -> str:
        """The format as users read it: `DICOM`, `PNG`."""
        return BY_ID[self.format].title

    @property
    def frame_text(self) -> str:
        """`frame 4/10`, counted from 1 as on screen; empty for a file with one frame."""
        return f"frame {self.frame + 1}/{self.frames}" if self.frames > 1 else ""

    def at_frame(self, frame: int) -> FilmRef:
        """The film of another frame (counted from 0) of the same file.

        Raises:
            UsageError: the file has no such frame.
        """
        if 0 <= frame < self.frames:
            return replace(self, frame=frame)
        raise UsageError(
            f"The film has no frame {frame + 1}",
            path=self.path,
            why=f"its file has {self.frames}",
            hint=f"Choose a frame from 1 to {self.frames}."
            if self.frames > 1
            else "Leave out the frame.",
        )

    @property
    def row_id(self) -> str:
        """The `film_id` of the file's first frame; lists have one row per file."""
        return f"{self.path}#0" if self.frame else self.film_id


def row_of(film_id: str) -> str:
    """The `row_id` of the film with this `film_id`."""
    return f"{film_id.rpartition('#')[0]}#0"


@dataclass(frozen=True)
class RejectedFile:
    """A file in the folder that is not a film, with the reason."""

    path: Path
    relative_path: str
    code: StatusCode
    why: str
    hint: str = ""


ScannedFile = FilmRef | RejectedFile
"""A file whose header was read."""
