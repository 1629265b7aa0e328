"""What is written in base64, base32, base85, hex or Morse within a text: only what decodes to readable text."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator

_DIGITS = b"0123456789"
_MORSE_SIGNS = [
    ".-",
    "-...",
    "-.-.",
    "-..",
    ".",
    "..-.",
    "--.",
    "....",
    "..",
    ".---",
    "-.-",
    ".-..",
    "--",
    "-.",
    "---",
    ".--.",
    "--.-",
    ".-.",
    "...",
    "-",
    "..-",
    "...-",
    ".--",
    "-..-",
    "-.--",
    "--..",
    "-----",
    ".----",
    "..---",
    "...--",
    "....-",
    ".....",
    "-....",
    "--...",
    "---..",
    "----.",
]
_MORSE = dict(zip(_MORSE_SIGNS, "abcdefghijklmnopqrstuvwxyz0123456789", strict=True))


def _table(counts: Callable[[str], bool]) -> bytes:
    """Return a table that turns Latin-1 bytes into `w` where they count, else into nothing that is looked for."""
    return bytes(ord("w") if counts(chr(code)) else 0 for code in range(256))


# Runs that a match cannot do without: finding none costs a hundredth of a pattern. What Latin-1 lacks is read as `?`.
_PACKED, _SIXTEEN = _table(lambda ch: ch.isalnum() or ch in "?+/_-"), b"w" * 16
_PAIRS, _BETWEEN = _table(lambda ch: ch in "0123456789abcdefABCDEF"), b" :"
_BLACK, _TWENTY = _table(lambda ch: not ch.isspace()), b"w" * 20
_FEWEST_BEEPS = 8
_BEEPS, _SEVENTEEN = _table(lambda ch: ch in ".- /\n"), b"w" * 17


def encoded_parts(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Yield (encoding, start, end, decoded text) for each part of `text` that decodes to readable text."""
    for name, pattern, decode in _worth(text.encode("latin-1", "replace")):
        for match in pattern.finditer(text):
            decoded = decode(match[0])
            if decoded:
                yield name, match.start(), match.end(), decoded


def _worth(raw: bytes) -> Iterator[tuple[str, re.Pattern[str], Callable[[str], str]]]:
    """Yield the codes that a text could hold, which is `raw` in Latin-1."""
    black = raw.translate(_BLACK)
    if _SIXTEEN in black and _SIXTEEN in raw.translate(_PACKED):
        yield "base64", _BASE64, _base64
        yield "base32", _BASE32, _base32
    # no letter of ours is written in hex, and no sentence in base85, without a digit
    if _SIXTEEN in raw.translate(_PAIRS, _BETWEEN) and _has_digit(raw):
        yield "hex", _HEX, _hex
    if _TWENTY in black and _has_digit(raw):
        yield "base85", _BASE85, _base85
    if raw.count(b".") + raw.count(b"-") > _FEWEST_BEEPS and _SEVENTEEN in raw.translate(_BEEPS):
        yield "morse", _MORSE_RUN, _morse


def _has_digit(raw: bytes) -> bool:
    return len(raw.translate(None, _DIGITS)) < len(raw)


_BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{16,}={0,2}")
_BASE32 = re.compile(r"[A-Z2-7]{16,}={0,6}")
_HEX = re.compile(r"(?<!\w)(?:[0-9a-fA-F]{2}[ :]?){8,}")
_BASE85, _NOT_IN_PROSE = re.compile(r"(?<!\S)\S{20,}"), re.compile(r"[^\w\s./:,-]")
_MORSE_RUN = re.compile(r"(?:[.\-]{1,5}(?: / | {1,3}|/|\n)){8,}[.\-]{1,5}")


def _base64(part: str) -> str:
    standard = part.rstrip("=").translate(str.maketrans("-_", "+/"))
    return _decoded(lambda: base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True))


def _base32(part: str) -> str:
    bare = part.rstrip("=")
    return _decoded(lambda: base64.b32decode(bare + "=" * (-len(bare) % 8)))


def _hex(part: str) -> str:
    return _decoded(lambda: bytes.fromhex(re.sub(r"[ :]", "", part)))


def _base85(part: str) -> str:
    if not _NOT_IN_PROSE.search(part):
        return ""
    return _decoded(lambda: base64.b85decode(part)) or _decoded(lambda: base64.a85decode(part, adobe=part[:2] == "<~"))


def _morse(part: str) -> str:
    words = re.split(r" / | {3}|/|\n", part)
    letters = ["".join(_MORSE.get(sign, "?") for sign in word.split()) for word in words]
    text = " ".join(letters)
    return text if text.count("?") * 10 < len(text) else ""


def _decoded(decode: Callable[[], bytes]) -> str:
    """Return decoded text, or nothing where the bytes are no text that a person would have written."""
    try:
        text = decode().decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    readable = sum((ch.isprintable() or ch.isspace()) and ch != "\ufffd" for ch in text)
    return text if readable >= 0.9 * len(text) else ""
