"""Find a person's name in text, in any script.

Alphabetic scripts are compared by whole words, so that a patient called Li does not match LINEAR.
Scripts without spaces between words (Chinese, Japanese, Korean, Thai and others) are compared by
parts of the name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise, permutations

_SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1100, 0x11FF),  # Hangul Jamo
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # iteration mark, closing mark, zero of Han
    (0x3041, 0x3096),  # Hiragana
    (0x30A1, 0x30FA),  # Katakana, without its middle dot
    (0x30FC, 0x30FF),  # prolonged sound and iteration marks
    (0x3105, 0x318F),  # Bopomofo, Hangul compatibility Jamo
    (0x3400, 0x9FFF),  # Han
    (0xAC00, 0xD7A3),  # Hangul
    (0xF900, 0xFAFF),  # Han compatibility
    (0x20000, 0x3FFFF),  # Han extensions
)
_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
"""To Hiragana: a phonetic name may be written in either."""
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ı": "i", "ð": "d", "æ": "ae", "œ": "oe"})
"""Letters that have no decomposition."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa"})

_PARTICLES = frozenset({
    "al", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "e",
    "el", "ibn", "la", "las", "le", "les", "lo", "los", "of", "ten", "ter", "the", "van", "von",
    "y", "zu", "zum", "zur",
})  # fmt: skip
"""Parts of longer names that are words of their own; alone they do not point to a person."""
_TITLES = frozenset({
    "dr", "frau", "herr", "ii", "iii", "iv", "jr", "md", "miss", "mr", "mrs", "ms", "phd", "prof",
    "sir", "sr",
})  # fmt: skip
_SUFFIXES = ("先生", "女士", "小姐", "さん", "さま", "様", "氏", "殿", "君", "씨", "님", "군", "양")
"""Forms of address that follow a name."""

_SHORTEST_WORD = 3
"""Of persons other than the patient: their initials are too often those of a device."""
_SHORTEST_JOINED = 4
"""Two short words that are written as one, or the other way round, are matched from this length."""
_MOST_WORDS = 8
_IN_LATIN_1 = re.compile(r"[\x00-\x1f\x80-\xbf×÷]")
"""Control characters and signs where letters are expected: text read in a wrong character set."""
_BYTES = re.compile(r"[\x80-\xff]{2,}")
"""Letters with accents only: the same, since no name has these."""


class NameIndex:
    """The names of one film's persons, prepared for the search."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        """Folded words, and adjacent words joined."""
        self.parts: set[str] = set()
        """Parts of names in scripts without spaces, of two characters or more."""
        self._pairs: set[tuple[str, str]] = set()
        self._characters: set[str] = set()
        self._whole: set[tuple[str, ...]] = set()
        self._literals: set[str] = set()

    def add(self, name: str, *, is_patient: bool) -> None:
        """Add the value of a PN element, with all its component groups."""
        for group in filter(None, name.split("=")):
            components = _components(group)
            wrong = [c for c in components if _IN_LATIN_1.search(c) or _BYTES.fullmatch(c)]
            # One character of two bytes is too short to be searched on its own.
            self._literals |= {c for c in wrong if len(c) > 2}
            self._literals |= {a + b for a, b in permutations(wrong[:3], 2)}
            readable = [c for c in components if c not in wrong]
            for spelling in _spellings(readable):
                self._add_words([list(_letters(c)) for c in spelling], is_patient)
            self._add_parts(["".join(_characters(c)) for c in map(fold, readable)])

    def is_in(self, text: str, ignored: frozenset[str] = frozenset()) -> bool:
        """True when a text contains one of the names.

        Args:
            text: the value of an element.
            ignored: folded words that have another meaning in this element.
        """
        if any(literal in text for literal in self._literals):
            return True
        return any(self._is_in(spelling, ignored) for (spelling,) in _spellings([text]))

    def _add_words(self, components: list[list[str]], is_patient: bool) -> None:
        words = [word for component in components[:3] for word in component][:_MOST_WORDS]
        if words:
            self._whole.add(tuple(words))
        shortest = 2 if is_patient else _SHORTEST_WORD
        for component in components:
            for word in component:
                is_part = word in _PARTICLES and len(component) > 1
                if len(word) >= shortest and word not in _TITLES and not is_part:
                    self.words.add(word)
        only_initials = all(len(word) == 1 for word in words)
        for a, b in permutations(words, 2):
            initials = len(a) == len(b) == 1 and not only_initials
            if initials or {a, b} <= _PARTICLES | _TITLES:
                continue
            self._pairs.add((a, b))
            if len(a + b) >= _SHORTEST_JOINED:
                self.words.add(a + b)

    def _add_parts(self, parts: list[str]) -> None:
        parts = [part for part in parts if part]
        for part in parts:
            (self.parts if len(part) > 1 else self._characters).add(part)
        self.parts |= {a + b for a, b in permutations(parts[:3], 2)}

    def _is_in(self, text: str, ignored: frozenset[str]) -> bool:
        words = list(_letters(text))
        single = set(words) - ignored
        joined = {w for w in _joined(words) if len(w) >= _SHORTEST_JOINED}
        if (single | joined) & self.words or set(pairwise(words)) & self._pairs:
            return True
        if tuple(words) in self._whole and not set(words) <= ignored:
            return True
        runs = list(_characters(text))
        together = "".join(runs)
        return any(part in together for part in self.parts) or any(
            _without_address(run) in self._characters for run in runs
        )


def fold(text: str) -> str:
    """Text with one form for upper and lower case, full and half width, and accents."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return text
    return "".join(map(_plain, text)).translate(_PLAIN).translate(_KATAKANA)


@cache
def _plain(character: str) -> str:
    """A Latin, Greek or Cyrillic letter without its accents; stand-alone marks are dropped."""
    if unicodedata.category(character) == "Mn" and not _is_spaceless(character):
        return ""
    if ord(character) < 0x0530 or 0x1E00 <= ord(character) < 0x2000:
        decomposed = unicodedata.normalize("NFD", character)
        return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return character


def _spellings(texts: list[str]) -> list[list[str]]:
    """Folded texts, and again with ä as ae where that is different."""
    plain = [fold(text) for text in texts]
    normal = [unicodedata.normalize("NFKC", text).casefold() for text in texts]
    expanded = [fold(text.translate(_UMLAUTS)) for text in normal]
    return [plain] if expanded == plain else [plain, expanded]


def _components(group: str) -> list[str]:
    """Family name, given name, middle name, prefix and suffix (PS3.5 6.2.1), as far as given."""
    return [c.strip() for c in (group.split("^") if "^" in group else re.split("[,;]", group))]


def _letters(text: str) -> Iterator[str]:
    """The words in alphabetic scripts."""
    return (run for kind, run in _runs(text) if kind == "letter")


def _characters(text: str) -> Iterator[str]:
    """The runs of characters in scripts without spaces."""
    return (run for kind, run in _runs(text) if kind == "spaceless")


def _runs(text: str) -> Iterator[tuple[str, str]]:
    return ((kind, "".join(run)) for kind, run in groupby(text, _kind))


@cache
def _kind(character: str) -> str:
    if _is_spaceless(character):
        return "spaceless"
    category = unicodedata.category(character)
    return "letter" if category[0] in "LM" else "digit" if category[0] == "N" else ""


def _is_spaceless(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _SPACELESS)


def _joined(words: list[str]) -> Iterable[str]:
    """Two and three adjacent words as one: `Gil dong` for Gildong."""
    for count in (2, 3):
        for i in range(len(words) - count + 1):
            yield "".join(words[i : i + count])


def _without_address(run: str) -> str:
    suffix = next((s for s in _SUFFIXES if run.endswith(s) and run != s), "")
    return run.removesuffix(suffix)
