"""The readings of one text: what a model may understand that the letters on the page do not show.

Each view keeps, for every character of its reading, where it came from, so that a finding points at what the user sent.
Views never judge: decoded text matters only if a detector then fires on it. Work is bounded by `BUDGET` characters.
"""

import codecs
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bartizan.core.findings import Span
from bartizan.detect.decodings import encoded_parts
from bartizan.detect.spellings import LEET, REVERSED, ROT13

BUDGET = 262_144
"""Characters of decoded text over all views of one text; what lies beyond is not decoded (it is still read plainly)."""

_CONFUSABLE = str.maketrans(
    "асеорхуѕіјԁһкмнтвгΑΒΕΖΗΙΚΜΝΟΡΤΥΧαορνικАВЕКМНОРСТУХІЅЈ",
    "aceopxysijdhkmhtbrABEZHIKMNOPTYXaopvikABEKMHOPCTYXISJ",
)
_SMALL_CAPITALS = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡıɩոսօհѵԛԝ", "abcdefghijklmnoprstuvwyzagiinuohvqw")
_DROPPED_MARKS = ((0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE2F))
"""Marks that belong to no script: piled on Latin letters they hide words. No Hindi vowel is among them."""
_REGIONAL_A = 0x1F1E6
_CONTROLS = bytes(code for code in range(32) if chr(code) not in "\t\n\v\f\r") + b"\x7f"
"""What ASCII has that nobody sees: between the letters of a word they hide it from tokenizers that keep them."""
_AS_GAPS = dict.fromkeys(_CONTROLS, " ")
_RIGHT_TO_LEFT = "\u202e"
"""Forces letters behind it to be shown from right to left: so what is written backwards reads well (CVE-2021-42574)."""
_LEET = str.maketrans("43105789@$!", "aelostbgasi")
_LEET_I = str.maketrans("43105789@$!", "aeiostbgasi")


@dataclass(frozen=True, slots=True)
class View:
    """One reading. Character i of `text` comes from characters `starts[i]` to `ends[i]` of the original."""

    name: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> Span:
        """Return the original's span of characters `start` (included) to `end` (excluded) of this reading."""
        if start >= end:
            at = self.starts[start] if start < len(self.starts) else max(self.ends, default=0)
            return Span(at, at)
        return Span(min(self.starts[start:end]), max(self.ends[start:end]))


class _Writer:
    """Builds a reading piece by piece, each with its place in the view it is read from."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._letters: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def keep(self, start: int, end: int) -> None:
        """Copy characters `start` to `end`."""
        self._letters.append(self._view.text[start:end])
        self._starts.extend(self._view.starts[start:end])
        self._ends.extend(self._view.ends[start:end])

    def put(self, text: str, start: int, end: int) -> None:
        """Write `text` where characters `start` to `end` stood."""
        self._letters.append(text)
        self._starts.extend([self._view.starts[start]] * len(text))
        self._ends.extend([self._view.ends[end - 1]] * len(text))

    def view(self, name: str) -> View:
        """Return what was written."""
        return View(name, "".join(self._letters), tuple(self._starts), tuple(self._ends))


Worth = Callable[[str], Collection[str]]
"""Given a folded text, returns which of its readings by substitution (LEET, ROT13, REVERSED) are worth making."""

_LETTERS, _GAP, _OTHER = b"w", b"s", b"o"
_TWO_GAPS = b"wswsw"
_FIVE_GAPS = re.compile(rb"(?<!w)w(?:s{1,4}w(?!w)){5}")
"""Six single letters; a wider gap may stand between two words."""


def _classes(letters: str, gaps: str) -> bytes:
    """Return a table that turns Latin-1 bytes into their class. What Latin-1 lacks is `?`, and counts as a letter."""
    table = bytearray(_OTHER * 256)
    for code in range(256):
        if chr(code).isalnum() or chr(code) in letters:
            table[code] = _LETTERS[0]
    for ch in gaps:
        table[ord(ch)] = _GAP[0]
    return bytes(table)


_SIGNS = " .-_*|/~+·,^#:=;'\"&@<>!\t\n"
"""What may stand between letters that are written apart; other signs of the kind read as a dot in the middle."""
_LIKE_DOTS = "?•‧∙⋅・"
_SPACED = _classes("?", _SIGNS)
_SIGN = f"[{re.escape(_SIGNS)}]"
_APART = re.compile(rf"(?<![^\W_])[^\W_](?:(?:({_SIGN})\1{{0,3}}|({_SIGN}) \2)[^\W_](?={_SIGN}|\W|$)){{5,}}")


def everything(_: str) -> Collection[str]:
    """Every reading is worth making."""
    return (LEET, ROT13, REVERSED)


def views(text: str, worth: Worth = everything) -> Iterator[View]:
    """Yield the plain reading, then the others that differ from it and are `worth` it, each once."""
    seen = {text}
    plain = View("plain", text, range(len(text)), range(1, len(text) + 1))
    yield plain
    budget = BUDGET
    for reading in _unfolded(plain, worth):
        if reading.text not in seen and len(reading.text) <= budget:
            seen.add(reading.text)
            budget -= len(reading.text)
            yield reading


def _unfolded(plain: View, worth: Worth) -> Iterator[View]:
    """Folds of the whole text, then decodings of its parts; a decoded part is folded once more."""
    folded = plain
    if not _plainly_seen(plain.text):
        folded = fold(plain)
        yield folded
        if _holds_controls(plain.text):  # they may stand between letters, as above, or between words
            yield fold(View("control characters", plain.text.translate(_AS_GAPS), plain.starts, plain.ends))
    wanted = worth(folded.text)
    if LEET in wanted:
        for name, table in ((LEET, _LEET), (f"{LEET}, 1 as i", _LEET_I)):
            yield View(name, folded.text.translate(table), folded.starts, folded.ends)
    if ROT13 in wanted:
        yield View(ROT13, codecs.decode(folded.text, "rot13"), folded.starts, folded.ends)
    if REVERSED in wanted or _RIGHT_TO_LEFT in plain.text:
        yield View(REVERSED, folded.text[::-1], folded.starts[::-1], folded.ends[::-1])
    classes = _dotted(folded.text).encode("latin-1", "replace").translate(_SPACED)
    if _TWO_GAPS in classes and _FIVE_GAPS.search(classes):
        yield _despaced(folded)
    if "&" in folded.text or "%" in folded.text or "\\" in folded.text:
        yield from _escapes(folded)
    for decoded in _decoded_parts(folded):
        yield decoded
        yield from _decoded_parts(decoded)


def _decoded_parts(view: View) -> Iterator[View]:
    for name, start, end, text in encoded_parts(view.text):
        writer = _Writer(view)
        writer.put(text, start, end)
        yield writer.view(name)


def fold(view: View) -> View:
    """Return the reading without invisible characters, with compatibility and look-alike letters folded."""
    name = "folded" if view.name == "plain" else view.name
    changed = {} if _plainly_seen(view.text) else _changed(view.text, Scripts.of(view.text).latin)
    if not changed:
        return View(name, view.text, view.starts, view.ends)
    if all(len(put) == 1 for put in changed.values()):
        return View(name, view.text.translate({ord(ch): put for ch, put in changed.items()}), view.starts, view.ends)
    writer = _Writer(view)
    done = 0
    for match in re.finditer(f"[{re.escape(''.join(changed))}]", view.text):
        writer.keep(done, match.start())
        writer.put(changed[match[0]], match.start(), match.end())
        done = match.end()
    writer.keep(done, len(view.text))
    return writer.view(name)


def folded(text: str, latin: bool) -> str:
    """Return what `fold` makes of a part of a text, given whether the whole is `Scripts.latin`."""
    return text if _plainly_seen(text) else text.translate({ord(ch): put for ch, put in _changed(text, latin).items()})


def _changed(text: str, latin: bool) -> dict[str, str]:
    fold_one = _folded if latin else _folded_within_its_script
    return {ch: put for ch in set(text) if not _plainly_seen(ch) and (put := fold_one(ch)) != ch}


def _plainly_seen(text: str) -> bool:
    """Return whether nothing in a text is invisible or a look-alike: in ASCII only control characters are."""
    return text.isascii() and not _holds_controls(text)


def _holds_controls(text: str) -> bool:
    raw = text.encode("utf-8", "surrogatepass")  # a byte below 128 stands for itself alone
    return len(raw.translate(None, _CONTROLS)) < len(raw)


@dataclass(frozen=True, slots=True)
class Scripts:
    """How many letters of a text are Cyrillic or Greek, and how many characters it has without spaces. They add up."""

    other: int = 0
    all: int = 0

    @classmethod
    def of(cls, text: str) -> "Scripts":
        """Count in one text."""
        raw = text.encode("utf-16-le", "surrogatepass")
        high = raw[1::2]
        return cls(high.count(3) + high.count(4), len(raw) // 2 - text.count(" "))

    def __add__(self, more: "Scripts") -> "Scripts":
        """Return the counts of two parts together."""
        return Scripts(self.other + more.other, self.all + more.all)

    @property
    def latin(self) -> bool:
        """Whether more letters are Latin than Cyrillic or Greek: only then is a look-alike a disguise."""
        return not self.other or self.other * 2 < self.all


@lru_cache(8192)
def _folded(ch: str) -> str:
    """Return what a character reads as among Latin letters: look-alikes of other alphabets are Latin too."""
    return _folded_within_its_script(ch).translate(_CONFUSABLE)


@lru_cache(8192)
def _folded_within_its_script(ch: str) -> str:
    """Return what a character reads as: nothing when it is invisible."""
    smuggled = _smuggled(ch)
    if smuggled is not None:
        return smuggled
    code = ord(ch)
    if (unicodedata.category(ch) in ("Cf", "Cc") and ch != "\x85") or ch in "\u115f\u1160\u3164\uffa0\u2800\ufffd":
        return ""
    if any(low <= code <= high for low, high in _DROPPED_MARKS) and unicodedata.category(ch) in ("Mn", "Me"):
        return ""
    if _REGIONAL_A <= code < _REGIONAL_A + 26:
        return chr(ord("a") + code - _REGIONAL_A)
    return unicodedata.normalize("NFKC", ch).translate(_SMALL_CAPITALS)


def _smuggled(ch: str) -> str | None:
    """Return the letter that a tag character or variation selector carries: invisible to people, plain to models."""
    code = ord(ch)
    if 0xE0020 <= code <= 0xE007E:
        return chr(code - 0xE0000)
    if 0xE0100 <= code <= 0xE01EF and 32 <= code - 0xE0100 + 16 < 127:
        return chr(code - 0xE0100 + 16)
    return None


def _dotted(text: str) -> str:
    for ch in _LIKE_DOTS:  # six looks for a character cost a tenth of one translation
        text = text.replace(ch, "·")
    return text


def _despaced(view: View) -> View:
    """Join letters written apart (i g n o r e, i.g.n.o.r.e): runs of six single letters; a wider gap ends a word."""
    writer = _Writer(view)
    done = 0
    for run in _APART.finditer(_dotted(view.text)):
        if 2 * sum(map(str.isdecimal, run[0])) > len(run[0]) // 2:
            continue  # a table of numbers
        writer.keep(done, run.start())
        between = max(_SIGNS, key=run[0].count)
        for part in re.finditer(f"{re.escape(between)}+|[^{re.escape(between)}]+", run[0]):
            start, end = run.start() + part.start(), run.start() + part.end()
            if part[0][0] != between:
                writer.keep(start, end)
            elif len(part[0]) > 1:
                writer.put(" ", start, end)
        done = run.end()
    if not done:
        return view
    writer.keep(done, len(view.text))
    return writer.view("despaced")


def _escapes(view: View) -> Iterator[View]:
    for name, sign, pattern, decode in (
        ("html entities", "&", r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,24});", html.unescape),
        ("url encoding", "%", r"(?:%[0-9a-fA-F]{2})+", lambda part: urllib.parse.unquote(part, errors="replace")),
        ("escapes", "\\", r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2})+", _unescaped),
    ):
        if sign in view.text and re.search(pattern, view.text):
            yield _replaced(name, view, pattern, decode)


def _unescaped(part: str) -> str:
    return part.encode("latin-1", "backslashreplace").decode("unicode_escape", "replace")


def _replaced(name: str, view: View, pattern: str, decode: Callable[[str], str]) -> View:
    writer = _Writer(view)
    done = 0
    for match in re.finditer(pattern, view.text):
        writer.keep(done, match.start())
        writer.put(decode(match[0]), match.start(), match.end())
        done = match.end()
    writer.keep(done, len(view.text))
    return writer.view(name)
