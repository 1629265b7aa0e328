"""Where a text could hold certain words, in any of their spellings: as they are, rot13, backwards, in leetspeak.

One linear pass (RE2) looks for every word in every spelling at once, so a reading is made, and a pattern run, only
where it could find something. Never judges; says too much rather than too little.
"""

import codecs
from collections.abc import Callable, Mapping, Sequence

import re2

Groups = Sequence[Sequence[str]]
"""Of each group, a match holds at least one word. Words are in lower case."""

PLAIN = "plain"
LEET = "leetspeak"
ROT13 = "rot13"
REVERSED = "reversed"

_LEET_FORMS = {"a": "4@", "e": "3", "l": "1", "i": "1!", "o": "0", "s": "5$", "t": "7", "b": "8", "g": "9"}
_MEMORY = 1 << 26


class Spellings:
    """Looks for the words that shapes need. Thread-safe."""

    def __init__(self, shapes: Sequence[Groups]) -> None:
        """Prepare the search for every word of every group of every shape."""
        self._wholes: list[int] = []
        """The bits of all groups of each shape: every group of every shape has one."""
        self._places: list[dict[str, int]] = []
        """For each pattern: in which reading it stands for which groups."""
        options = re2.Options()
        options.max_mem = _MEMORY
        self._set = re2.Set.SearchSet(options)
        numbers: dict[str, int] = {}
        bit = 1
        for groups in shapes:
            self._wholes.append(bit * ((1 << len(groups)) - 1))
            for words in groups:
                for word in words:
                    for reading, pattern in _written(word):
                        if pattern not in numbers:
                            numbers[pattern] = self._set.Add(pattern)
                            self._places.append({})
                        found = self._places[numbers[pattern]]
                        found[reading] = found.get(reading, 0) | bit
                bit <<= 1
        self._set.Compile()

    def readings(self, lowered: str) -> Mapping[str, frozenset[int]]:
        """Return, for each reading of a lower-case text that could match some shapes, the numbers of those."""
        met: dict[str, int] = {}
        # RE2 reads UTF-8, which has no lone surrogates; none of the words has one either.
        for number in self._set.Match(lowered.encode("utf-8", "replace")) or ():
            for reading, bits in self._places[number].items():
                met[reading] = met.get(reading, 0) | bits
        if LEET in met:  # other words of the same text may be written plainly
            met[LEET] |= met.get(PLAIN, 0)
        found = {}
        for reading, bits in met.items():
            shapes = [shape for shape, whole in enumerate(self._wholes) if bits & whole == whole]
            if shapes:
                found[reading] = frozenset(shapes)
        return found


class Likeness:
    """A pattern loosened until one linear pass can say where it surely does not match.

    Written for Python's `re`, read by RE2 over Latin-1: word edges are dropped, and every character that Latin-1 lacks
    becomes a question mark, which counts as a letter and as a space. So it says yes too often and never no wrongly.
    """

    def __init__(self, pattern: str) -> None:
        """Loosen `pattern`, in lower case, multi-line, without look-around or back-references."""
        options = re2.Options()
        options.max_mem = _MEMORY
        options.encoding = re2.Options.Encoding.LATIN1
        self._pattern = re2.compile(b"(?m)" + _loosened(pattern).encode("latin-1", "replace"), options)

    def in_(self, raw: bytes) -> bool:
        """Return whether the pattern could match the text that is `raw` in Latin-1, `?` for what that lacks."""
        return self._pattern.search(raw) is not None


def _loosened(pattern: str) -> str:
    out, inside, at = [], False, 0
    while at < len(pattern):
        part = pattern[at : at + 2] if pattern[at] == "\\" else pattern[at]
        at += len(part)
        if part in _LOOSE:
            part = _LOOSE[part] if inside or not _LOOSE[part] else f"[{_LOOSE[part]}]"
        elif part == "[":
            inside = True
        elif part == "]":
            inside = False
        out.append(part)
    return "".join(out)


_LOOSE = {
    r"\b": "",
    r"\w": r"0-9A-Za-z_?\x80-\xff",
    r"\s": r"\t-\r\x1c- \x85\xa0?",
}


def _written(word: str) -> tuple[tuple[str, str], ...]:
    return (
        (PLAIN, re2.escape(word)),
        *((LEET, leet) for leet in (_leet(word),) if leet),
        (ROT13, "".join(_mixed(word, lambda ch: codecs.encode(ch, "rot13")))),
        (REVERSED, "".join(_mixed(word)[::-1])),
    )


def _mixed(word: str, write: Callable[[str], str] = str) -> list[str]:
    """Return a pattern of each letter as it is written, or as the digit or sign that stands for it."""
    return [f"[{write(ch)}{_LEET_FORMS[ch]}]" if ch in _LEET_FORMS else re2.escape(write(ch)) for ch in word]


def _leet(word: str) -> str:
    """Return a pattern of the word with at least one letter replaced: plain words are everywhere, that is not."""
    mixed = _mixed(word)
    first_at = (
        f"{re2.escape(word[:at])}[{_LEET_FORMS[ch]}]{''.join(mixed[at + 1 :])}"
        for at, ch in enumerate(word)
        if ch in _LEET_FORMS
    )
    return "|".join(first_at)
