"""Text as numbers for the classifier: word pieces with their places, letter case and whether they stand in quotes.

Words in ASCII letters (accents dropped) are split into the pieces of a fixed vocabulary, longest first (WordPiece:
Schuster and Nakajima 2012). Other scripts have no pieces there: an alphabet's word gives two numbers (its first four
letters, the rest), scripts without spaces give one number a character, of itself and the next. Never fails on any text.
"""

import gzip
import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

BUCKETS = 16_384
"""Numbers for what the vocabulary does not hold."""
UNSURE, NEWLINE, DIGITS, LONG = 0, 1, 2, 10
"""Tokens of their own: no piece fits; a line ends; a run of 1..8 digits; a word that is too long to be one."""
SPECIAL = 16
LONGEST_WORD = 24

_WORD = re.compile(r"\n|[^\W\d_]+|\d+|[^\w\s]|_")
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_OPENING, _CLOSING = "“«「『", "”»」』"
_CACHE_WORDS = 60_000
_STOPS, _FIRM_STOPS = ".:;", "!?。！？…"
"""What ends a sentence before a capital letter, and what ends one before anything."""

Ids = NDArray[np.int32]
Marks = NDArray[np.int8]


_RUNS = (re.compile(r"[^\W\d_]+"), re.compile(r"\d+"))


@dataclass(frozen=True, slots=True)
class Tokens:
    """The numbers of a text, n of them. `starts` and `ends` are places in the text that was read."""

    ids: Ids
    marks: Marks
    """Letter case (0 lower, 1 capitalised, 2 capitals) plus 3 within quotes."""
    starts: Ids
    ends: Ids


class Tokenizer:
    """Splits texts. Thread-safe: the cache only ever gains equal entries."""

    def __init__(self, pieces: Sequence[str]) -> None:
        """Number the word pieces in this order, behind the special tokens."""
        self.pieces = tuple(pieces)
        self._numbers = {piece: number + SPECIAL for number, piece in enumerate(pieces)}
        self.size = SPECIAL + len(pieces) + BUCKETS
        self._first_bucket = SPECIAL + len(pieces)
        self._known: dict[str, tuple[tuple[int, int], ...]] = {}
        self.stops, self.firm_stops = (
            np.array([self.pieces_of(one)[0][0] for one in many], np.int32) for many in (_STOPS, _FIRM_STOPS)
        )

    def read(self, text: str) -> Tokens:
        """Return the tokens of `text`."""
        growing = Growing(self)
        growing.take(text)
        return growing.part(0, len(growing.ids))

    def begins(self, ids: Ids, marks: Marks) -> NDArray[np.bool_]:
        """Return which of these tokens begin a line or a sentence, as far as token before and letter case tell."""
        found = np.zeros(len(ids), np.bool_)
        found[:1] = True
        before, capital = ids[:-1], marks[1:] % 3 > 0
        found[1:] = (before == NEWLINE) | np.isin(before, self.firm_stops) | (np.isin(before, self.stops) & capital)
        return found

    def pieces_of(self, word: str) -> tuple[tuple[int, int], ...]:
        """Return (number, characters covered) of each piece of a word."""
        pieces = self._known.get(word)
        if pieces is None:
            pieces = self._split(word)
            if len(self._known) < _CACHE_WORDS:
                self._known[word] = pieces
        return pieces

    def _split(self, word: str) -> tuple[tuple[int, int], ...]:
        """Return (number, characters covered) of each piece of a word."""
        if word == "\n":
            return ((NEWLINE, 1),)
        if word.isdecimal():
            return ((DIGITS + min(len(word), 8) - 1, len(word)),)
        plain = unicodedata.normalize("NFD", word.lower())
        plain = "".join(ch for ch in plain if unicodedata.category(ch) != "Mn") if not word.isascii() else plain
        if plain.isascii() and plain:
            if len(plain) > LONGEST_WORD:
                return ((LONG, len(word)),)
            return self._pieces(plain, len(word))
        if _SPACELESS.search(word):
            return tuple((self._bucket(word[at : at + 2]), 1) for at in range(len(word)))
        lowered = word.lower()
        if len(lowered) <= 4 or len(lowered) != len(word):
            return ((self._bucket(lowered), len(word)),)
        return ((self._bucket(lowered[:4] + "-"), 4), (self._bucket("-" + lowered[4:12]), len(word) - 4))

    def _pieces(self, word: str, length: int) -> tuple[tuple[int, int], ...]:
        found: list[tuple[int, int]] = []
        at = 0
        while at < len(word):
            end = len(word)
            while end > at and ("##" if at else "") + word[at:end] not in self._numbers:
                end -= 1
            if end == at:
                return ((UNSURE, length),)
            found.append((self._numbers[("##" if at else "") + word[at:end]], end - at))
            at = end
        if len(word) != length:  # letters such as ß or æ change the count: give the last piece what is left
            last, covered = found[-1]
            found[-1] = (last, max(0, covered + length - len(word)))
        return tuple(found)

    def _bucket(self, part: str) -> int:
        return self._first_bucket + zlib.crc32(part.encode("utf-8", "surrogatepass")) % BUCKETS


class Growing:
    """The tokens of a text that comes in pieces: the same, however it is cut."""

    def __init__(self, words: Tokenizer) -> None:
        """Begin with nothing."""
        self.ids: list[int] = []
        self._words = words
        self._marks: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._quoted = 0
        self._read = 0
        self._open: list[str] = []
        self._run: re.Pattern[str] | None = None

    def feed(self, piece: str) -> None:
        """Take the next piece. A word that may still go on is kept back."""
        if self._run is not None and self._run.fullmatch(piece):
            self._open.append(piece)
            return
        text = "".join((*self._open, piece))
        self._open, self._run = [], None
        cut = len(text)
        for run in _RUNS:
            last = text[-1:] if run.fullmatch(text[-1:]) else ""
            if last:
                self._run, cut = run, _run_start(run, text)
        self.take(text[:cut])
        if cut < len(text):
            self._open.append(text[cut:])

    def end(self) -> None:
        """Take what was kept back: nothing more will come."""
        text = "".join(self._open)
        self._open, self._run = [], None
        self.take(text)

    def take(self, text: str) -> None:
        """Add the tokens of a text that begins and ends between words."""
        ids, marks, starts, ends, quoted = self.ids, self._marks, self._starts, self._ends, self._quoted
        pieces_of = self._words.pieces_of
        for match in _WORD.finditer(text):
            word = match[0]
            start = self._read + match.start()
            if word == "\n":
                quoted = 0
            elif word in _OPENING:
                quoted = 3
            mark = quoted + (
                0 if word.islower() else 2 if word.isupper() and len(word) > 1 else 1 if word.istitle() else 0
            )
            for number, length in pieces_of(word):
                ids.append(number)
                marks.append(mark)
                starts.append(start)
                start += length
                ends.append(start)
            if word == '"' or word == "`":
                quoted = 3 - quoted
            elif word in _CLOSING:
                quoted = 0
        self._quoted = quoted
        self._read += len(text)

    def part(self, first: int, last: int) -> Tokens:
        """Return tokens `first` (included) to `last` (excluded)."""
        return Tokens(
            np.array(self.ids[first:last], np.int32),
            np.array(self._marks[first:last], np.int8),
            np.array(self._starts[first:last], np.int32),
            np.array(self._ends[first:last], np.int32),
        )


def _run_start(run: re.Pattern[str], text: str) -> int:
    """Return where the run of characters at the end of `text` begins."""
    at = len(text)
    while at and run.fullmatch(text[at - 1]):
        at -= 1
    return at


@cache
def tokenizer() -> Tokenizer:
    """Return the tokenizer of the shipped vocabulary."""
    raw = resources.files("bartizan.detect").joinpath("weights", "pieces.txt.gz").read_bytes()
    return Tokenizer(gzip.decompress(raw).decode("utf-8").split("\n"))
