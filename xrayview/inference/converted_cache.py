"""Converted networks on disk: a file each, written in one step, the least recently used first out.

A file is found by what it was made from. It has its own hash, so that a damaged one is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from xrayview.io.atomic import replacing_bytes

SCHEMA = 1
MOST_FILES = 8
MOST_BYTES = 1 << 30
_SUFFIX = ".network"
_HASH_BYTES, _LENGTH_BYTES = 32, 8


class ConvertedCache:
    """The converted networks in `folder`; without a folder nothing is found or stored."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @staticmethod
    def key(*made_from: object) -> str:
        """The key of a network by what it was made from."""
        text = json.dumps([SCHEMA, *made_from], default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def load(self, key: str) -> tuple[bytes, bytes] | None:
        """Graph and weights; None where they are not there, or damaged."""
        if self._folder is None:
            return None
        path = self._folder / f"{key}{_SUFFIX}"
        with suppress(OSError):
            data = path.read_bytes()
            os.utime(path)
            digest, content = data[:_HASH_BYTES], data[_HASH_BYTES:]
            if hashlib.sha256(content).digest() == digest:
                end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "big")
                return content[_LENGTH_BYTES:end], content[end:]
        return None

    def store(self, key: str, save: Callable[[Path], None]) -> None:
        """Store a network; if that fails, it is simply converted again next time.

        Args:
            key: the key.
            save: writes the graph to a path that ends in `.xml`, the weights beside it.
        """
        if self._folder is None:
            return
        with suppress(OSError, RuntimeError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                graph = Path(folder, "network.xml")
                save(graph)
                xml, weights = graph.read_bytes(), graph.with_suffix(".bin").read_bytes()
            content = len(xml).to_bytes(_LENGTH_BYTES, "big") + xml + weights
            with replacing_bytes(self._folder / f"{key}{_SUFFIX}") as stream:
                stream.write(hashlib.sha256(content).digest())
                stream.write(content)
            self._prune()

    def _prune(self) -> None:
        """Delete what was not used for longest, beyond the limits; the newest file stays."""
        if self._folder is None:
            return
        files = [(path.stat(), path) for path in self._folder.glob(f"*{_SUFFIX}")]
        files.sort(key=lambda found: found[0].st_mtime_ns, reverse=True)
        total = 0
        for i, (status, path) in enumerate(files):
            total += status.st_size
            if i and (i >= MOST_FILES or total > MOST_BYTES):
                path.unlink(missing_ok=True)
