"""Does a reply give away what the operator's text says must be kept?

Deterministic and without a model: the values to keep are read from the operator's own words (an order such as "never
reveal the door code", a noun such as "password" with its value), and a reply is searched for them in the forms a
person undoes in a minute: any case, any separators, full width, reversed, rot13, base64, hex. Not covered: a value
told in other words (a riddle, one digit per turn), and values that the operator never marks.
"""

import base64
import binascii
import codecs
import contextlib
import re
import unicodedata
from dataclasses import dataclass

from bartizan.core.findings import Finding, Severity, Span
from bartizan.core.messages import Prompt, Trust

_NOUN = re.compile(
    r"\b(?:password|passphrase|passcode|passwort|kennwort|contraseña|mot de passe|secret|geheimnis|pin|api[ -]?key"
    r"|access key|private key|token|credential|recovery phrase|seed phrase"
    r"|(?:vault|door|access|safe|admin|override|master|discount) code)\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"\b(?:never|do not|don't|must not|may not|cannot|under no circumstances|nicht|niemals|nunca|ne .{0,12}jamais)\b"
    r".{0,40}?\b(?:reveal|tell|share|disclose|mention|repeat|give|show|output|print|say|discuss|leak"
    r"|verrat\w*|nennen?|reveles?|révél\w+)\b"
    r"|\b(?:keep|stays?|remains?|is|are)\b.{0,60}?\b(?:secret|confidential|private|internal"
    r"|vertraulich|confidencial|confidentiel\w*)\b",
    re.IGNORECASE,
)
_STATED = re.compile(r"(?:\b(?:is|are|ist|lautet|es|est)\b|[:=])\s*[\"'“‘`«]?([^\"'”’`»\n]{4,120})", re.IGNORECASE)
_TOKEN = re.compile(r"[\w\-./+@#!$%&*=]{6,200}|\d[\d \-]{4,40}\d")
_SELF = re.compile(r"\b(?:instructions?|prompt|rules|guidelines|anweisungen|instrucciones)\b", re.IGNORECASE)
_DULL = frozenset(
    word
    for line in (
        "your must never them they this that these those with from user users anyone anybody even under",
        "circumstances reveal tell share disclose mention repeat give show keep secret confidential private internal",
        "their staff asks asked when about other others people person customer customers please also only what",
    )
    for word in line.split()
)
_VERBATIM_WORDS = 25
_VERBATIM_WORDS_MARKED = 8
_SHORTEST = 5
"""Values of fewer letters and digits are not searched for: they turn up by accident."""


@dataclass(frozen=True, slots=True)
class Confidential:
    """What one prompt's operator text marks as not to be told."""

    values: tuple[str, ...] = ()
    operator_words: tuple[str, ...] = ()
    verbatim_words: int = _VERBATIM_WORDS

    @staticmethod
    def of(prompt: Prompt) -> "Confidential":
        """Read the operator's and developer's texts of `prompt`. What the user wrote too is no secret any more."""
        texts = [text for message in prompt.messages for text in message.texts()]
        operator = "\n".join(text.content for text in texts if text.trust >= Trust.DEVELOPER)
        known = squeezed("\n".join(text.content for text in texts if text.trust == Trust.USER))
        values = tuple(value for value in _marked_values(operator) if squeezed(value) not in known)
        marked = any(_ORDER.search(one) and _SELF.search(one) for one in _sentences(operator))
        words = _VERBATIM_WORDS_MARKED if marked else _VERBATIM_WORDS
        return Confidential(values, tuple(_words(operator)), words)

    def scan(self, reply: str) -> list[Finding]:
        """Return what `reply` gives away. The span is exact for plain forms, the whole reply for encoded ones."""
        found = []
        for form, reading, exact in _readings(reply) if self.values else ():
            letters, places = _letters(reading)
            for value in self.values:
                wanted = squeezed(value)
                start = letters.find(wanted)
                if start >= 0:
                    span = Span(places[start], places[start + len(wanted) - 1] + 1)
                    why = f"the reply holds a value that the operator's text says to keep ({form})"
                    where = span if exact else Span(0, len(reply))
                    found.append(Finding("operator-secret-leaked", Severity.CRITICAL, why, span=where))
        run = self._verbatim(reply)
        if run:
            why = f"the reply repeats {run} words of the operator's text in a row"
            found.append(Finding("operator-text-leaked", Severity.HIGH, why, span=Span(0, len(reply))))
        return found

    def deliverable(self, reply: str) -> int:
        """Return how many characters of a reply still being written can be delivered without starting a plain value.

        What follows might complete one: a suffix whose letters and digits begin a value is held back.
        """
        letters, places = _letters(reply)
        longest = max(
            (_overlap(letters, wanted) for value in self.values for wanted in (squeezed(value), squeezed(value)[::-1])),
            default=0,
        )
        return places[len(places) - longest] if longest else len(reply)

    def _verbatim(self, reply: str) -> int:
        words, size = _words(reply), self.verbatim_words
        runs = {self.operator_words[i : i + size] for i in range(len(self.operator_words) - size + 1)}
        if not runs:
            return 0
        return size if any(tuple(words[i : i + size]) in runs for i in range(len(words) - size + 1)) else 0


def squeezed(text: str) -> str:
    """Return the letters and digits of `text`, case and compatibility forms folded."""
    return "".join(ch for ch in unicodedata.normalize("NFKC", text).casefold() if ch.isalnum())


def _marked_values(operator: str) -> list[str]:
    """Return values in sentences that are marked, or that share a noun with an order to keep something."""
    sentences = _sentences(operator)
    orders = [one for one in sentences if _ORDER.search(one)]
    kept = {word for order in orders for word in _words(order) if len(word) > 3} - _DULL
    values: list[str] = []
    for sentence in sentences:
        if not (_NOUN.search(sentence) or _ORDER.search(sentence) or kept & set(_words(sentence))):
            continue
        values += [match[0].strip(" .,;:!?") for match in _TOKEN.finditer(sentence) if re.search(r"\d", match[0])]
        noun = _NOUN.search(sentence)
        stated = _STATED.search(sentence, noun.end()) if noun else None
        if stated and not _ORDER.search(sentence) and len(stated[1].split()) <= 12:
            values.append(stated[1].strip(" .,;:!?"))
    return [value for value in dict.fromkeys(values) if len(squeezed(value)) >= _SHORTEST]


def _sentences(text: str) -> list[str]:
    return [one for one in re.split(r"(?<=[.!?])\s+|\n+", text) if one.strip()]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _letters(text: str) -> tuple[str, list[int]]:
    """Return the letters and digits of `text` and where each one stands."""
    found = [(folded, index) for index, ch in enumerate(text) for folded in squeezed(ch)]
    return "".join(folded for folded, _ in found), [index for _, index in found]


def _overlap(text: str, wanted: str) -> int:
    """Return the length of the longest suffix of `text` that is a proper prefix of `wanted`."""
    for size in range(min(len(text), len(wanted) - 1), 0, -1):
        if text.endswith(wanted[:size]):
            return size
    return 0


def _readings(text: str) -> list[tuple[str, str, bool]]:
    readings = [("plain", text, True), ("reversed", text[::-1], False), ("rot13", codecs.decode(text, "rot13"), True)]
    for token in re.findall(r"[A-Za-z0-9+/=_-]{8,}", text):
        standard = token.rstrip("=").translate(str.maketrans("-_", "+/"))
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode()
            readings.append(("base64", decoded, False))
    for token in re.findall(r"(?:[0-9a-fA-F]{2}[\s:]?){5,}", text):
        with contextlib.suppress(ValueError, UnicodeDecodeError):
            readings.append(("hex", bytes.fromhex(re.sub(r"[\s:]", "", token)).decode(), False))
    return readings
