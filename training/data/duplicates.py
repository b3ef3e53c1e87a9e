"""Near-duplicates: nearly the same picture under another name, found by a perceptual hash.

dHash: is each cell of a small picture brighter than its left neighbour? Resized, with another
gamma or as JPEG of quality 60, 96 to 99 of 100 adult films stay within 8 of the 256 bits; films of
different patients start to match at 14. A film that was cropped by 2 % or equalised (CLAHE) is
mostly not found.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

_SIDE = 16
_BLOCK = 512
"""Number of films that are compared with all others at a time."""

Hashes = npt.NDArray[np.uint64]


def picture_hashes(greys_NHW: npt.NDArray[np.float32]) -> Hashes:
    """Compute a hash of 256 bits for each film: uint64 of films x 4."""
    hashes_N4 = np.empty((len(greys_NHW), 4), np.uint64)
    for i, grey_HW in enumerate(greys_NHW):
        small = cv2.resize(np.asarray(grey_HW), (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA)
        hashes_N4[i] = np.packbits(small[:, 1:] > small[:, :-1]).view(np.uint64)
    return hashes_N4


def near_pairs(
    hashes_N4: Hashes, splits: Sequence[str], bits: int
) -> Iterator[tuple[int, int, int]]:
    """Yield the indices and the distance of films in different splits that differ in few bits.

    Films with an empty split are ignored, and so are films without any edge (all hash bits 0),
    which only resemble each other.
    """
    used = np.array([bool(split) for split in splits], dtype=np.bool_) & hashes_N4.any(axis=1)
    names = sorted({split for split in splits if split})
    of_split = {name: np.flatnonzero(used & (np.array(splits) == name)) for name in names}
    for one, other in itertools.combinations(names, 2):
        yield from _near(hashes_N4, of_split[one], of_split[other], bits)


def _near(
    hashes_N4: Hashes, ones: npt.NDArray[np.int64], others: npt.NDArray[np.int64], bits: int
) -> Iterator[tuple[int, int, int]]:
    for start in range(0, len(ones), _BLOCK):
        block = ones[start : start + _BLOCK]
        distance = np.zeros((len(block), len(others)), np.uint16)
        for word in range(hashes_N4.shape[1]):
            distance += np.bitwise_count(
                hashes_N4[block, word][:, None] ^ hashes_N4[others, word][None]
            )
        for i, j in np.argwhere(distance <= bits):
            yield int(block[i]), int(others[j]), int(distance[i, j])
