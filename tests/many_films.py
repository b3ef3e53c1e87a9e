"""A folder of many small films, made from the few real radiographs that may be redistributed.

Patients have made-up names, so that tests can search for them where no name may appear.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tests.builders import write_dicom

FILMS_OF_A_PATIENT = 4
"""Three frontal chest films of different years and one film of an ankle."""
FAMILY_NAME = "Quillfeather"
BIRTH_DATE = "19340217"
SPACING_MM = 1.6
"""Pixel spacing at the detector."""
_EVERY = 8
_SOURCES = {"CHEST": "RG1_J2KR.dcm", "EXTREMITY": "RG3_J2KI.dcm"}


@cache
def _small(body_part: str) -> tuple[npt.NDArray[Any], Any]:
    real = dcmread(str(get_testdata_file(_SOURCES[body_part], download=False)))
    return np.ascontiguousarray(real.pixel_array[::_EVERY, ::_EVERY]), real


def write_many_films(folder: Path, count: int) -> Sequence[Path]:
    """Write `count` DICOM films, `P000/0.dcm` and so on; return their paths in list order."""
    return [_write(folder, *divmod(number, FILMS_OF_A_PATIENT)) for number in range(count)]


def _write(folder: Path, patient: int, number: int) -> Path:
    body_part = "CHEST" if number < FILMS_OF_A_PATIENT - 1 else "EXTREMITY"
    pixels_HW, real = _small(body_part)
    # Shifted columns make every patient's films unique.
    pixels_HW = np.roll(pixels_HW, patient % 7, axis=1)
    path = folder / f"P{patient:03d}" / f"{number}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    root = f"1.2.826.0.1.3680043.10.1.{patient + 1}.{number + 1}"
    return write_dicom(
        path,
        pixels_HW,
        photometric=real.PhotometricInterpretation,
        bits_stored=int(real.BitsStored),
        windows=[(float(real.WindowCenter), float(real.WindowWidth))],
        PatientName=f"{FAMILY_NAME}^{patient}",
        PatientID=f"QF-{patient:03d}",
        PatientBirthDate=BIRTH_DATE,
        PatientSex="F",
        StudyDate=dt.date(2018 + number, 1 + patient % 12, 9).strftime("%Y%m%d"),
        StudyInstanceUID=root,
        SeriesInstanceUID=f"{root}.1",
        SOPInstanceUID=f"{root}.1.1",
        BodyPartExamined=body_part,
        ViewPosition=real.ViewPosition,
        PatientOrientation=list(real.PatientOrientation),
        ImagerPixelSpacing=[SPACING_MM, SPACING_MM],
    )
