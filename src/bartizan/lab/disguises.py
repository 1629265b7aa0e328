"""Ways to write a text so that people or models still read it and simple filters do not. All keep the seed.

The same disguises are laid on attacks and on innocent texts, in training and in measuring.
"""

import base64
import codecs
import random
from collections.abc import Callable, Mapping

_ALIKE = dict(zip("aceopxysijAEKMHOPCTX", "асеорхуѕіјАЕКМНОРСТХ", strict=True))
_LEET = str.maketrans("aeiost", "431057")
_FULL = {code: code + 0xFEE0 for code in range(33, 127)}
_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz0123456789", _MORSE_SIGNS.split(), strict=True))


def _homoglyphs(text: str, draw: random.Random) -> str:
    return "".join(_ALIKE[ch] if ch in _ALIKE and draw.random() < 0.6 else ch for ch in text)


def _some_homoglyphs(text: str, draw: random.Random) -> str:
    places = [at for at, ch in enumerate(text) if ch in _ALIKE]
    chosen = set(draw.sample(places, min(20, len(places))))
    return "".join(_ALIKE[ch] if at in chosen else ch for at, ch in enumerate(text))


def _typos(text: str, draw: random.Random) -> str:
    letters = list(text)
    for at in range(1, len(letters) - 1):
        if letters[at].isalpha() and letters[at + 1].isalpha() and draw.random() < 0.04:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def _dropped(text: str, draw: random.Random) -> str:
    return "".join(ch for ch in text if not ch.isalpha() or draw.random() > 0.03)


def _bare(text: str, draw: random.Random) -> str:
    return "".join(ch for ch in text.lower() if ch.isalnum() or ch.isspace())


def _mixed_case(text: str, draw: random.Random) -> str:
    return "".join(ch.upper() if draw.random() < 0.5 else ch.lower() for ch in text)


def _zalgo(text: str, draw: random.Random) -> str:
    return "".join(ch + draw.choice("\u0300\u0301\u0316\u0323\u0336\u035b") if ch.isalpha() else ch for ch in text)


def _bidi(text: str, draw: random.Random) -> str:
    return "\n".join(f"\u202e{line[::-1]}\u202c" for line in text.split("\n"))


def _smuggled(text: str, draw: random.Random) -> str:
    return "Hello 😀" + "".join(
        chr(0xE0100 + byte - 16) if byte >= 16 else chr(0xFE00 + byte) for byte in text.encode()
    )


DISGUISES: Mapping[str, Callable[[str, random.Random], str]] = {
    "upper case": lambda text, draw: text.upper(),
    "mixed case": _mixed_case,
    "no punctuation": _bare,
    "homoglyphs": _homoglyphs,
    "twenty homoglyphs": _some_homoglyphs,
    "full width": lambda text, draw: text.translate(_FULL),
    "zero width": lambda text, draw: "\u200b".join(text),
    "soft hyphens": lambda text, draw: "".join(ch + "\u00ad" if draw.random() < 0.4 else ch for ch in text),
    "zalgo": _zalgo,
    "bidi override": _bidi,
    "tag characters": lambda text, draw: (
        "Hello. " + "".join(chr(0xE0000 + ord(ch)) for ch in text if 32 <= ord(ch) < 127)
    ),
    "variation selectors": _smuggled,
    "leetspeak": lambda text, draw: text.translate(_LEET),
    "spaced letters": lambda text, draw: "   ".join(" ".join(word) for word in text.split()),
    "dotted letters": lambda text, draw: " ".join(".".join(word) for word in text.split()),
    "reversed": lambda text, draw: text[::-1],
    "rot13": lambda text, draw: codecs.encode(text, "rot13"),
    "base64": lambda text, draw: base64.b64encode(text.encode()).decode(),
    "base64 twice": lambda text, draw: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "base32": lambda text, draw: base64.b32encode(text.encode()).decode(),
    "base85": lambda text, draw: base64.b85encode(text.encode()).decode(),
    "hex": lambda text, draw: text.encode().hex(),
    "url encoding": lambda text, draw: "".join(f"%{byte:02X}" for byte in text.encode()),
    "html entities": lambda text, draw: "".join(f"&#{ord(ch)};" for ch in text),
    "unicode escapes": lambda text, draw: "".join(f"\\u{ord(ch):04x}" if ord(ch) < 0x10000 else ch for ch in text),
    "morse": lambda text, draw: " / ".join(
        " ".join(_MORSE[ch] for ch in word if ch in _MORSE) for word in text.lower().split()
    ),
    "html comment": lambda text, draw: f"<p>Welcome to our page.</p><!-- {text} -->",
    "typos": _typos,
    "dropped letters": _dropped,
}
"""By name. Some turn characters that they do not know into themselves."""
_LIGHT = (
    *("upper case", "upper case", "mixed case", "no punctuation", "no punctuation", "typos", "typos", "typos"),
    *("dropped letters", "leetspeak", "html comment"),
)


def disguised(text: str, draw: random.Random) -> str:
    """Return `text` in a light disguise, one that no reading undoes: case, slips of the pen, leetspeak, a comment."""
    return DISGUISES[draw.choice(_LIGHT)](text, draw)
