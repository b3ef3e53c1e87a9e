"""Reading a DICOM header into a `Greyscale`: windows, LUTs, padding, and what is ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.builders import lut_item, phantom, write_dicom
from xrayview.display.greyscale import render
from xrayview.display.voi import voi_choices
from xrayview.domain.radiograph import Greyscale, Radiograph, VoiFunction, Window
from xrayview.io.readers import read_film, read_header


def read(path: Path) -> Radiograph:
    return read_film(read_header(path, path.parent))


@pytest.fixture
def film(tmp_path: Path) -> Any:
    """A function that writes a film with the given attributes and reads it back."""

    def make(pixels: Any = None, **options: Any) -> Radiograph:
        stored = phantom() if pixels is None else pixels
        return read(write_dicom(tmp_path / "film.dcm", stored, **options))

    return make


def test_that_a_film_without_greyscale_attributes_has_the_defaults(film: Any) -> None:
    greyscale = film(bits_stored=12).greyscale
    assert greyscale.photometric == "MONOCHROME2"
    assert (greyscale.slope, greyscale.intercept) == (1.0, 0.0)
    assert greyscale.windows == ()
    assert greyscale.voi_luts == ()
    assert greyscale.modality_lut is None
    assert greyscale.padding is None
    assert greyscale.bits_stored == 12


def test_that_rescale_is_read(film: Any) -> None:
    greyscale = film(slope=2.5, intercept=-1024).greyscale
    assert (greyscale.slope, greyscale.intercept) == (2.5, -1024.0)


def test_that_a_slope_of_zero_is_ignored_with_a_note(film: Any) -> None:
    radiograph = film(slope=0, intercept=7)
    assert (radiograph.greyscale.slope, radiograph.greyscale.intercept) == (1.0, 0.0)
    assert "a rescale slope of 0 is ignored" in radiograph.notes


def test_that_every_window_has_its_explanation(film: Any) -> None:
    greyscale = film(windows=[(2000, 4000, "NORMAL"), (1800, 2500.5, "HARDER")]).greyscale
    assert greyscale.windows == (
        Window(2000, 4000, VoiFunction.LINEAR, "NORMAL"),
        Window(1800, 2500.5, VoiFunction.LINEAR, "HARDER"),
    )


@pytest.mark.parametrize("name", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_that_windows_have_the_voi_function(film: Any, name: str) -> None:
    greyscale = film(windows=[(10, 5)], voi_function=name).greyscale
    assert greyscale.voi_function == VoiFunction(name)
    assert [w.function for w in greyscale.windows] == [VoiFunction(name)]


def test_that_an_unknown_voi_function_is_read_as_linear_with_a_note(film: Any) -> None:
    radiograph = film(windows=[(10, 5)], voi_function="CURVED")
    assert radiograph.greyscale.voi_function is VoiFunction.LINEAR
    assert any("VOI LUT function" in note for note in radiograph.notes)


@pytest.mark.parametrize(
    ("function", "width", "is_usable"),
    [
        ("LINEAR", 1, True),
        ("LINEAR", 0.5, False),
        ("LINEAR", 0, False),
        ("LINEAR_EXACT", 0.5, True),
        ("LINEAR_EXACT", 0, False),
        ("SIGMOID", 0.5, True),
        ("SIGMOID", -3, False),
    ],
)
def test_that_a_window_needs_a_width_that_its_function_allows(
    film: Any, function: str, width: float, is_usable: bool
) -> None:
    radiograph = film(windows=[(10, width)], voi_function=function)
    assert len(radiograph.greyscale.windows) == int(is_usable)
    assert bool(radiograph.notes) is not is_usable


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_that_one_bad_window_does_not_affect_the_others(tmp_path: Path, syntax: str) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(), windows=[(10, 100), (77, 300)], transfer_syntax=syntax
    )
    data = path.read_bytes()
    assert data.count(b"10.0\\77.0") == 1
    path.write_bytes(data.replace(b"10.0\\77.0", b"10.0\\7x.0"))
    radiograph = read(path)
    assert [w.center for w in radiograph.greyscale.windows] == [10]
    assert "a window without a usable centre and width is ignored" in radiograph.notes


def test_that_centres_without_widths_are_ignored_with_a_note(film: Any) -> None:
    radiograph = film(WindowCenter=[10, 20, 30], WindowWidth=[5, 6])
    assert [w.center for w in radiograph.greyscale.windows] == [10, 20]
    assert any("not come in pairs" in note for note in radiograph.notes)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE"])
def test_that_polarity_is_read_from_the_file(film: Any, photometric: str, shape: str) -> None:
    greyscale = film(photometric=photometric, PresentationLUTShape=shape).greyscale
    assert greyscale.photometric == photometric
    assert greyscale.presentation_inverse is (shape == "INVERSE")


@pytest.mark.parametrize(
    ("photometric", "shape", "is_forbidden"),
    [
        ("MONOCHROME1", "INVERSE", False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME2", "INVERSE", True),
    ],
)
def test_that_a_shape_that_contradicts_the_photometric_interpretation_is_noted(
    film: Any, photometric: str, shape: str, is_forbidden: bool
) -> None:
    radiograph = film(photometric=photometric, PresentationLUTShape=shape)
    contradiction = (
        f"PresentationLUTShape {shape} contradicts {photometric}: low values are shown white"
    )
    assert radiograph.notes == ((contradiction,) if is_forbidden else ())
    assert radiograph.greyscale.inverted is (photometric == "MONOCHROME1" or is_forbidden)


@pytest.mark.parametrize(
    ("signed", "value", "limit", "expected"),
    [
        (False, 0, None, (0, 0)),
        (False, 10, 4000, (10, 4000)),
        (False, 4000, 10, (10, 4000)),
        (False, 65535, None, (65535, 65535)),
        (True, -2000, None, (-2000, -2000)),
        (True, -1000, -2000, (-2000, -1000)),
        (True, -5, 7, (-5, 7)),
    ],
)
def test_that_padding_is_a_range_with_ordered_ends(
    film: Any, signed: bool, value: int, limit: int | None, expected: tuple[int, int]
) -> None:
    tags = {"PixelPaddingValue": value}
    if limit is not None:
        tags["PixelPaddingRangeLimit"] = limit
    greyscale = film(phantom(bits=16, signed=signed), **tags).greyscale
    assert greyscale.padding == expected


def test_that_padding_written_unsigned_is_read_with_the_sign_of_the_pixels(
    tmp_path: Path,
) -> None:
    path = write_dicom(tmp_path / "a.dcm", phantom(bits=16, signed=True), PixelPaddingValue=-2000)
    data = path.read_bytes()
    signed_element = b"\x28\x00\x20\x01SS\x02\x00"
    assert data.count(signed_element) == 1
    path.write_bytes(data.replace(signed_element, b"\x28\x00\x20\x01US\x02\x00"))
    assert read(path).greyscale.padding == (-2000, -2000)


# -- lookup tables -----------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_that_a_voi_lut_is_read_with_its_first_value_and_depth(film: Any, syntax: str) -> None:
    entries = np.arange(100, 356) * 3
    item = lut_item(50, entries, 12, explanation="CHEST")
    greyscale = film(voi_luts=[item, lut_item(0, [1, 2, 3, 4])], transfer_syntax=syntax).greyscale
    first, second = greyscale.voi_luts
    assert (first.first_value, first.bits, first.explanation) == (50, 12, "CHEST")
    np.testing.assert_array_equal(first.entries, entries)
    assert first.entries.dtype == np.uint16
    np.testing.assert_array_equal(second.entries, [1, 2, 3, 4])


def test_that_a_count_of_zero_means_65536_entries(film: Any) -> None:
    entries = np.arange(65536)[::-1]
    (lut,) = film(voi_luts=[lut_item(0, entries)]).greyscale.voi_luts
    np.testing.assert_array_equal(lut.entries, entries)


def test_that_luts_without_an_explanation_are_numbered(film: Any) -> None:
    listed = [lut_item(0, [1, 2, 3, 4], explanation=name) for name in ("CHEST", "", "")]
    names = [lut.explanation for lut in film(voi_luts=listed).greyscale.voi_luts]
    assert names == ["CHEST", "VOI LUT 2", "VOI LUT 3"]
    (single,) = film(voi_luts=listed[1:2]).greyscale.voi_luts
    assert single.explanation == "VOI LUT"


def test_that_a_first_value_may_be_negative(film: Any) -> None:
    signed = phantom(bits=12, signed=True)
    (lut,) = film(signed, voi_luts=[lut_item(-2048, np.arange(4096))]).greyscale.voi_luts
    assert lut.first_value == -2048


def test_that_a_negative_first_value_written_unsigned_is_still_negative(film: Any) -> None:
    signed = phantom(bits=12, signed=True)
    item = lut_item(65536 - 2048, np.arange(4096))
    assert film(signed, voi_luts=[item]).greyscale.voi_luts[0].first_value == -2048


RISING = np.arange(4096)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("vr", ["US", "SS", "OW"])
@pytest.mark.parametrize(
    ("signed", "bits", "rescale", "first"),
    [
        (False, 12, (1, -1024), -1024),
        (False, 16, (1, -1024), -1024),
        (False, 12, (-1, 0), -4095),
        (False, 12, (-0.5, 100), -1947),
        (True, 12, (1, 0), -2048),
        (True, 12, (-1, -1), -2048),
        # Values that cannot be negative: the word is unsigned, although the pixels are signed.
        (True, 16, (1, 32768), 40000),
        (False, 16, (1, 0), 40000),
    ],
)
def test_that_the_first_value_of_a_voi_lut_has_the_sign_of_the_rescaled_values(
    film: Any,
    syntax: str,
    vr: str,
    signed: bool,
    bits: int,
    rescale: tuple[float, float],
    first: int,
) -> None:
    """PS3.3 C.11.2.1.1: SS if the rescaled values may be negative, else US; not by its VR."""
    item = lut_item(first, RISING, 12, descriptor_vr=vr)
    radiograph = film(
        phantom(bits=bits, signed=signed),
        bits_stored=bits,
        slope=rescale[0],
        intercept=rescale[1],
        voi_luts=[item, lut_item(0, [1, 2, 3], 8)],
        transfer_syntax=syntax,
    )
    assert radiograph.greyscale.voi_luts[0].first_value == first
    assert radiograph.notes == ()


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_that_the_input_of_a_voi_lut_after_a_modality_lut_is_unsigned(film: Any, vr: str) -> None:
    modality = lut_item(-2048, np.arange(40000, 44096), 16)
    voi = lut_item(40000, RISING, 12, descriptor_vr=vr)
    greyscale = film(
        phantom(bits=12, signed=True), bits_stored=12, modality_lut=modality, voi_luts=[voi]
    ).greyscale
    assert greyscale.voi_luts[0].first_value == 40000
    assert greyscale.modality_lut.first_value == -2048


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("vr", ["US", "SS", "OW"])
@pytest.mark.parametrize(("signed", "first"), [(True, -2048), (False, 40000)])
def test_that_the_first_value_of_a_modality_lut_has_the_sign_of_the_pixels(
    film: Any, syntax: str, vr: str, signed: bool, first: int
) -> None:
    """PS3.3 C.11.1.1, whatever the rescale says that a LUT excludes."""
    item = lut_item(first, RISING, 12, descriptor_vr=vr)
    radiograph = film(
        phantom(bits=16, signed=signed), modality_lut=item, intercept=-5, transfer_syntax=syntax
    )
    assert radiograph.greyscale.modality_lut.first_value == first


@pytest.mark.parametrize("vr", ["US", "SS"])
def test_that_a_first_value_out_of_reach_is_read_with_the_other_sign_and_a_note(
    film: Any, vr: str
) -> None:
    item = lut_item(-1024, np.arange(2048), 11, descriptor_vr=vr)
    radiograph = film(phantom(bits=12), bits_stored=12, voi_luts=[item])
    assert radiograph.greyscale.voi_luts[0].first_value == -1024
    (note,) = radiograph.notes
    assert note == "a VOI LUT is applied from -1024 on: by the standard it would start at 64512"


@pytest.mark.parametrize(
    ("declared", "highest", "bits"),
    [(16, 4095, 12), (16, 1023, 10), (16, 16383, 14), (16, 255, 8), (16, 4000, 12), (14, 4095, 12)],
)
def test_that_entries_of_less_depth_than_declared_span_their_own_depth_and_both_are_offered(
    film: Any, declared: int, highest: int, bits: int
) -> None:
    entries = np.linspace(0, highest, 4096).round().astype(int)
    stored = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    item = lut_item(0, entries, declared, explanation="CHEST")
    radiograph = film(stored, bits_stored=12, voi_luts=[item], windows=[(100, 200)])
    titles = [choice.title for choice in voi_choices(radiograph)]
    assert titles[:3] == ["CHEST", f"CHEST ({declared} bits, as declared)", "Window 1"]
    shown, as_declared = (render(radiograph, c.voi) for c in voi_choices(radiograph)[:2])
    np.testing.assert_array_equal(shown, render(radiograph))
    assert np.abs(shown.ravel() - entries * 255 / (2**bits - 1)).max() <= 0.5001
    assert np.abs(as_declared.ravel() - entries * 255 / (2**declared - 1)).max() <= 0.5001
    assert radiograph.notes == (
        f"a VOI LUT declares {declared} bits and has entries of {bits}: shown over {bits} bits",
    )


@pytest.mark.parametrize(("declared", "highest"), [(16, 40000), (12, 1100), (12, 4095), (8, 100)])
def test_that_entries_may_leave_some_of_their_range_unused(
    film: Any, declared: int, highest: int
) -> None:
    entries = np.linspace(0, highest, 4096).round().astype(int)
    radiograph = film(voi_luts=[lut_item(0, entries, declared)])
    (lut,) = radiograph.greyscale.voi_luts
    assert (lut.bits, lut.as_declared, radiograph.notes) == (declared, None, ())


def test_that_several_luts_each_have_their_own_depth(film: Any) -> None:
    luts = [lut_item(0, RISING, 16), lut_item(0, RISING, 12), lut_item(0, RISING // 4, 16)]
    radiograph = film(voi_luts=luts)
    assert [lut.bits for lut in radiograph.greyscale.voi_luts] == [12, 12, 10]
    assert [choice.title for choice in voi_choices(radiograph)][:5] == [
        "VOI LUT 1",
        "VOI LUT 2",
        "VOI LUT 3",
        "VOI LUT 1 (16 bits, as declared)",
        "VOI LUT 3 (16 bits, as declared)",
    ]


XA, XRF, DX = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("12.1", "12.2", "1.1"))


@pytest.mark.parametrize("kind", ["sequence", "rescale"])
@pytest.mark.parametrize(
    ("sop_class", "relationship", "left_out"),
    [
        (XA, "LOG", True),
        (XA, "DISP", True),
        (XRF, "LOG", True),
        (XA, "LIN", False),
        (XA, "", False),
        (DX, "LOG", False),
    ],
)
def test_that_a_modality_lut_to_x_ray_intensity_is_not_for_display(
    film: Any, kind: str, sop_class: str, relationship: str, left_out: bool
) -> None:
    """PS3.3 C.8.7.1.1.2, PS3.4 figure N.2-1."""
    falling = RISING[::-1]
    transform = (
        {"modality_lut": lut_item(0, falling, 12)}
        if kind == "sequence"
        else {"slope": -1, "intercept": 4095}
    )
    radiograph = film(
        bits_stored=12, SOPClassUID=sop_class, PixelIntensityRelationship=relationship, **transform
    )
    values = radiograph.modality_values()
    stored = radiograph.pixels_HW
    np.testing.assert_array_equal(values, stored if left_out else 4095 - stored)
    notes = [
        note for note in radiograph.notes if f"PixelIntensityRelationship is {relationship}" in note
    ]
    assert bool(notes) is left_out


def test_that_8_bit_entries_may_be_packed_into_bytes(film: Any) -> None:
    entries = np.arange(256)[::-1]
    (lut,) = film(voi_luts=[lut_item(0, entries, 8, packed=True)]).greyscale.voi_luts
    np.testing.assert_array_equal(lut.entries, entries)
    assert lut.bits == 8


def test_that_8_bit_entries_may_be_packed_into_words(film: Any) -> None:
    entries = np.arange(256, dtype=np.uint8)
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [256, 0, 8])
    item.add_new("LUTData", "US", entries.view("<u2").tolist())
    (lut,) = film(voi_luts=[item]).greyscale.voi_luts
    np.testing.assert_array_equal(lut.entries, entries)


def test_that_words_of_a_big_endian_lut_are_swapped(film: Any) -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [3, 0, 16])
    item.add_new("LUTData", "OW", np.array([1, 256, 4000], ">u2").tobytes())
    greyscale = film(voi_luts=[item], transfer_syntax=ExplicitVRBigEndian).greyscale
    np.testing.assert_array_equal(greyscale.voi_luts[0].entries, [1, 256, 4000])


def test_that_a_depth_smaller_than_its_entries_is_widened(film: Any) -> None:
    (lut,) = film(voi_luts=[lut_item(0, [0, 4095], 8)]).greyscale.voi_luts
    assert lut.bits == 12


def test_that_a_lut_with_too_few_entries_is_ignored_with_a_note(film: Any) -> None:
    item = lut_item(0, [1, 2, 3, 4])
    item["LUTDescriptor"].value = [400, 0, 16]
    radiograph = film(voi_luts=[item])
    assert radiograph.greyscale.voi_luts == ()
    assert "a VOI LUT with fewer entries than it declares is ignored" in radiograph.notes


def test_that_a_lut_without_data_or_descriptor_is_ignored_with_a_note(film: Any) -> None:
    without_data, without_descriptor = lut_item(0, [1, 2]), lut_item(0, [1, 2])
    del without_data.LUTData
    del without_descriptor.LUTDescriptor
    radiograph = film(voi_luts=[without_data, without_descriptor])
    assert radiograph.greyscale.voi_luts == ()
    assert len(radiograph.notes) == 2


def test_that_a_modality_lut_replaces_rescale(film: Any) -> None:
    item = lut_item(0, np.arange(4096)[::-1], 12)
    greyscale: Greyscale = film(modality_lut=item, slope=3, intercept=5).greyscale
    assert greyscale.modality_lut is not None
    assert (greyscale.slope, greyscale.intercept) == (1.0, 0.0)
    np.testing.assert_array_equal(
        greyscale.modality_values(np.array([0, 4095], np.uint16)), [4095, 0]
    )
