"""Make the films of children in the sample study from the JPEG files of their data set.

    python -m tests.sample_study [--films ../shared/samples] [--out resources/samples/sample-study]

Each becomes a CR object (PS3.3 A.2) with its decoded grey values in JPEG 2000 lossless. Identities,
dates and sex are made up, and so is that two children are one patient with a prior; the ages are
within those of the data set. The same files give the same bytes with the same encoder.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, JPEG2000Lossless, generate_uid

from tests.conftest import ROOT

FILMS = ROOT.parent / "shared" / "samples"
OUT = ROOT / "resources" / "samples" / "sample-study"
SOURCE = (
    "Kermany, Zhang, Goldbaum: Labeled Optical Coherence Tomography and Chest X-Ray Images, "
    "Mendeley Data, doi 10.17632/rscbjbr9sj, CC BY 4.0"
)


@dataclass(frozen=True)
class SampleFilm:
    """A film: where it goes, its source, the label of the data set, and a made-up identity."""

    path: str
    source: str
    label: str
    name: str
    sex: str
    born: str
    date: str
    age: str


CHILDREN = (
    SampleFilm("child-1/current.dcm", "bacterial_5263.jpeg", "bacterial pneumonia",
               "Sample^Robin", "F", "20210614", "20250311", "003Y"),
    SampleFilm("child-1/prior.dcm", "normal_IM-0069-0001.jpeg", "normal",
               "Sample^Robin", "F", "20210614", "20240905", "003Y"),
    SampleFilm("child-2/current.dcm", "normal_IM-0107-0001.jpeg", "normal",
               "Sample^Wren", "M", "20191022", "20250218", "005Y"),
    SampleFilm("child-2/prior.dcm", "viral_person10_35.jpeg", "viral pneumonia",
               "Sample^Wren", "M", "20191022", "20241127", "005Y"),
    SampleFilm("child-3/chest.dcm", "viral_person11_38.jpeg", "viral pneumonia",
               "Sample^Linnet", "F", "20230803", "20250124", "001Y"),
    SampleFilm("child-4/chest.dcm", "normal_8922.jpeg", "normal",
               "Sample^Martin", "M", "20220430", "20250407", "002Y"),
)  # fmt: skip
"""In the order of the list, in which the first one is opened."""


def pixels_of(path: Path) -> npt.NDArray[np.uint8]:
    """The decoded grey values of a JPEG file (rows, columns).

    Raises:
        ValueError: it cannot be decoded, or is not grey.
    """
    decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError(f"{path}: not a picture")
    if decoded.ndim == 3:
        if (decoded != decoded[..., :1]).any():
            raise ValueError(f"{path}: not grey")
        decoded = decoded[..., 0]
    return np.ascontiguousarray(decoded)


def dataset_of(film: SampleFilm, films: Path) -> Dataset:
    """The CR object of a film, with compressed pixels."""
    source = films / film.source
    pixels_HW = pixels_of(source)
    patient = film.path.partition("/")[0]
    study = f"{patient} {film.date}"
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = _uid(film.path)
    dataset.StudyInstanceUID = _uid(study)
    dataset.SeriesInstanceUID = _uid(f"{study} series")
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = film.date
    dataset.StudyTime = dataset.ContentTime = "100000"
    dataset.AccessionNumber = ""
    dataset.Modality = "CR"
    dataset.Manufacturer = ""
    dataset.ReferringPhysicianName = ""
    dataset.InstitutionName = "XrayView sample"
    dataset.StudyDescription = "Chest"
    dataset.PatientName = film.name
    dataset.PatientID = f"SAMPLE-{patient.rpartition('-')[2]}"
    dataset.PatientBirthDate = film.born
    dataset.PatientSex = film.sex
    dataset.PatientAge = film.age
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Published without identity; name, dates and sex are made up"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "AP"
    dataset.PatientOrientation = ["L", "F"]
    dataset.StudyID = "1"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.ImageComments = f"Label of the data set: {film.label}. {SOURCE}."
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = f"{pixels_HW.size / source.stat().st_size:.2f}"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    dataset.DerivationDescription = (
        f"Grey values of the published JPEG file {film.source}, without further loss"
    )
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels_HW.shape
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 128, 256
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.compress(
        JPEG2000Lossless, pixels_HW, encoding_plugin="pylibjpeg", generate_instance_uid=False
    )
    return dataset


def write_children(films: Path, out: Path) -> list[Path]:
    """Write all films of children below `out`, and return their paths."""
    paths = []
    for film in CHILDREN:
        path = out / film.path
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset_of(film, films).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _uid(name: str) -> str:
    return str(generate_uid(entropy_srcs=["XrayView sample study", name]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=Path, default=FILMS)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    for path in write_children(options.films, options.out):
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
