"""Our displayed grey against DCMTK's `dcm2pnm`: nowhere more than one grey level apart.

DCMTK cuts off where we round, hence the one level. LINEAR_EXACT it shows as LINEAR: that formula
has its tests in `test_greyscale.py`.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from xrayview.display.greyscale import render
from xrayview.domain.radiograph import Greyscale, Lut, VoiFunction, Window
from xrayview.io.readers import read_film, read_header

pytestmark = pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="needs DCMTK's dcm2pnm")

SIDE = 64
SLOPE, INTERCEPT = 2.0, -100.0


@dataclass(frozen=True)
class Case:
    photometric: str
    signed: bool
    bits: int
    modality: str
    voi: str
    shape: str

    @property
    def lowest(self) -> int:
        return -(2 ** (self.bits - 1)) if self.signed else 0

    @property
    def stored(self) -> npt.NDArray[Any]:
        """Stored values from the lowest to the highest that the depth allows."""
        ramp = np.linspace(self.lowest, self.lowest + 2**self.bits - 1, SIDE * SIDE)
        allocated = 1 if self.bits == 8 else 2
        return np.rint(ramp).astype(f"{'i' if self.signed else 'u'}{allocated}").reshape(SIDE, -1)

    @property
    def modality_lut(self) -> Lut | None:
        if self.modality != "lut":
            return None
        # Ten stored values at either end lie outside and take the first or the last entry.
        curve = np.sqrt(np.linspace(0.0, 1.0, 2**self.bits - 20))
        return Lut(self.lowest + 10, np.rint(curve * 4095).astype(np.uint16), 12)

    @property
    def slope_intercept(self) -> tuple[float, float]:
        return (SLOPE, INTERCEPT) if self.modality == "rescale" else (1.0, 0.0)

    @property
    def greyscale(self) -> Greyscale:
        slope, intercept = self.slope_intercept
        bare = Greyscale(self.photometric, slope, intercept, self.modality_lut)
        values = bare.modality_values(self.stored)
        center = float(np.rint(np.median(values)))
        width = float(np.rint(np.ptp(values) / 2))
        function = VoiFunction.LINEAR if self.voi == "lut" else VoiFunction(self.voi)
        first = max(int(np.rint(np.percentile(values, 20))), -32768)
        falling = np.linspace(1.0, 0.0, min(int(width), 65535)) ** 2
        entries = np.rint(falling * 1023).astype(np.uint16)
        return Greyscale(
            self.photometric,
            slope,
            intercept,
            self.modality_lut,
            windows=(Window(center, width, function),),
            voi_luts=(Lut(first, entries, 10),) if self.voi == "lut" else (),
            presentation_inverse=self.shape == "INVERSE",
        )

    def write(self, path: Path) -> None:
        greyscale, stored = self.greyscale, self.stored
        ds = _blank()
        ds.PhotometricInterpretation = self.photometric
        ds.Rows, ds.Columns = stored.shape
        ds.BitsAllocated = stored.itemsize * 8
        ds.BitsStored, ds.HighBit = self.bits, self.bits - 1
        ds.PixelRepresentation = int(self.signed)
        if self.modality == "rescale":
            ds.RescaleSlope, ds.RescaleIntercept = SLOPE, INTERCEPT
        if greyscale.modality_lut is not None:
            ds.ModalityLUTSequence = [_lut_item(greyscale.modality_lut, signed=self.signed)]
            ds.ModalityLUTSequence[0].ModalityLUTType = "US"
        if greyscale.voi_luts:
            lut = greyscale.voi_luts[0]
            ds.VOILUTSequence = [_lut_item(lut, signed=lut.first_value < 0)]
        window = greyscale.windows[0]
        ds.WindowCenter, ds.WindowWidth = window.center, window.width
        ds.VOILUTFunction = str(window.function)
        if self.shape:
            ds.PresentationLUTShape = self.shape
        ds.PixelData = stored.tobytes()
        ds.save_as(path, enforce_file_format=True)


def _blank() -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = generate_uid()
    ds.SamplesPerPixel = 1
    return ds


def _lut_item(lut: Lut, *, signed: bool) -> Dataset:
    item = Dataset()
    # The first value mapped has the sign of the input (PS3.3 C.11.1.1).
    item.add_new(
        "LUTDescriptor", "SS" if signed else "US", [lut.entries.size, lut.first_value, lut.bits]
    )
    # OW, because US is limited to 64 KiB.
    item.add_new("LUTData", "OW", lut.entries.tobytes())
    return item


def dcmtk(path: Path, *options: str) -> npt.NDArray[np.int16]:
    picture = path.with_suffix(".pgm")
    subprocess.run(["dcm2pnm", *options, "+op", str(path), str(picture)], check=True, timeout=60)
    grey_HW = cv2.imdecode(np.fromfile(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(grey_HW, dtype=np.int16)


def ours(path: Path) -> npt.NDArray[np.int16]:
    return render(read_film(read_header(path, path.parent))).astype(np.int16)


CASES = [
    Case(*values)
    for values in itertools.product(
        ("MONOCHROME1", "MONOCHROME2"),
        (False, True),
        (8, 12, 16),
        ("none", "rescale", "lut"),
        ("LINEAR", "SIGMOID", "lut"),
        ("", "INVERSE"),
    )
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, vars(case).values())))
def test_that_synthetic_films_look_as_in_dcmtk(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    case.write(path)
    reference = dcmtk(path, "+Wl" if case.voi == "lut" else "+Wi", "1")
    grey = ours(path)
    assert np.ptp(reference) > 200, "the case must use the grey-scale"
    assert np.abs(grey - reference).max() <= 1


def test_that_monochrome1_is_white_at_its_minimum_whatever_the_shape_says(tmp_path: Path) -> None:
    # IDENTITY goes with MONOCHROME2 only (PS3.3 C.8.11.3); DCMTK follows the shape in this
    # forbidden pair, we follow the photometric interpretation.
    case = Case("MONOCHROME1", False, 12, "none", "LINEAR", "IDENTITY")
    path = tmp_path / "film.dcm"
    case.write(path)
    reference, grey = dcmtk(path, "+Wi", "1"), ours(path)
    assert grey[0, 0] == 255
    assert np.abs((255 - grey) - reference).max() <= 1


@pytest.mark.parametrize("name", ["RG1_UNCR.dcm", "RG3_UNCR.dcm"])
def test_that_real_films_look_as_in_dcmtk(name: str, tmp_path: Path) -> None:
    source = get_testdata_file(name, download=False)
    if source is None:
        pytest.skip("pydicom-data is not installed")
    path = Path(shutil.copy(source, tmp_path / name))
    difference = ours(path) - dcmtk(path, "+Wi", "1")
    assert np.abs(difference).max() <= 1
