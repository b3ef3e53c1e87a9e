"""What a file is that is chosen as a model and is none, from its first bytes or its entries."""

from __future__ import annotations

import string
from collections.abc import Sequence

PEEK_BYTES = 4096
_STARTS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (8, b"WEBP", "a WebP picture"),
    (128, b"DICM", "a DICOM file"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes"),
    (4, b"TFL3", "a TensorFlow Lite model"),
    (0, b"GGUF", "a GGUF model"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x1f\x8b", "a gzip archive: unpack it first"),
    (0, b"BZh", "a bzip2 archive: unpack it first"),
    (0, b"\xfd7zXZ\x00", "an xz archive: unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (0, b"Rar!", "a RAR archive: unpack it first"),
    (257, b"ustar", "a tar archive"),
    (0, b"version https://git-lfs", "a Git LFS pointer: download the file that it names"),
    (0, b"SIMPLE  =", "a FITS file"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
)
_PICKLED_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The number with which torch.save of PyTorch before 1.6 begins."""


def kind_of_bytes(start: bytes) -> str:
    """What a file that is no zip archive is, from its first bytes; empty where that is unknown."""
    if not start:
        return "an empty file"
    for offset, magic, kind in _STARTS:
        if start[offset : offset + len(magic)] == magic:
            return kind
    if _PICKLED_MAGIC in start[:32]:
        return "a pickle of weights, as torch.save of PyTorch before 1.6 writes"
    if start[0] == 0x80 and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a pickle, such as weights or a Python object"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32:
        return "a safetensors file, which has weights only"
    if _is_onnx(start):
        return "an ONNX model"
    head = start.lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page: the download has failed"
    if head.startswith((b"{", b"[")):
        return "a JSON text"
    if all(byte in string.printable.encode() for byte in start):
        return "a text"
    return ""


def kind_of_entries(names: Sequence[str]) -> str:
    """What a zip archive that is no TorchScript file is, from the names of its entries."""
    last = {name.rpartition("/")[2] for name in names}
    if not names:
        return "an empty archive"
    if last & {"serialized_exported_program.json", "archive_format"} or any(
        name.endswith(("models/model.json", ".pt2")) for name in names
    ):
        return "a torch.export archive (.pt2), not TorchScript"
    if {"config.json", "model.weights.h5"} <= last:
        return "a Keras model"
    if any("/.data/" in name or name.startswith(".data/") for name in names):
        return "a torch.package archive"
    if "[Content_Types].xml" in last:
        return "an Office document"
    if all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays (.npz)"
    if models := [n for n in names if n.endswith((".pt", ".pth", ".onnx", ".safetensors"))]:
        return f"a zip archive with other content: unpack it first; {models[0]} is in it"
    return "a zip archive with other content"


def _is_onnx(start: bytes) -> bool:
    """True where the first fields of a protobuf message are those of an ONNX model."""
    has_version = start[0] == 0x08 and len(start) > 2 and 0 < start[1] < 0x20
    return has_version and start[2] in (0x12, 0x1A, 0x22, 0x2A, 0x3A, 0x42)
