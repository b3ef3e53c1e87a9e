"""Changes to the bytes of a TorchScript archive that the device it runs on requires."""

from __future__ import annotations

import io
import re
import zipfile

_FIXED_DEVICE = re.compile(rb'torch\.device\("(cuda|hip|xpu|mps)(?::\d+)?"\)')
_MOVE = re.compile(rb"\btorch\.cuda\(")


def fixed_devices(content: bytes) -> tuple[str, ...]:
    """The devices that the program of an archive names, such as `cuda`.

    Raises:
        zipfile.BadZipFile: it is not an archive.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        code = b"\n".join(archive.read(name) for name in archive.namelist() if _is_code(name))
    found = {name.decode() for name in _FIXED_DEVICE.findall(code)}
    return tuple(sorted(found | ({"cuda"} if _MOVE.search(code) else set())))


def with_device(content: bytes, device: str) -> bytes:
    """The archive with all devices that its program names replaced by `device`, such as `cpu`."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as changed,
    ):
        for info in archive.infolist():
            data = archive.read(info)
            if _is_code(info.filename):
                data = _FIXED_DEVICE.sub(f'torch.device("{device}")'.encode(), data)
                if device == "cpu":
                    data = _MOVE.sub(b"torch.cpu(", data)
            changed.writestr(info.filename, data)
    return written.getvalue()


def _is_code(name: str) -> bool:
    return "/code/" in name and name.endswith(".py")
