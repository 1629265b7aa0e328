"""What an operator's text says must be kept: values that it marks, and whether its instructions are marked too.

Read from the operator's own words, without a model: an order such as "never reveal the door code" marks the values in
sentences that share its nouns; a noun such as "password" marks the value stated with it. A hotline or a price in the
same text stays public. Not covered: values that the operator never marks; those are named in the settings.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

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


def values(prompt: Prompt) -> tuple[str, ...]:
    """Return the values that operator and developer mark. What the user wrote too is no secret any more."""
    texts = [text for message in prompt.messages for text in message.texts()]
    marked = [value for text in texts if text.trust >= Trust.DEVELOPER for value in _marked_values(text.content)]
    if not marked:
        return ()
    known = squeezed("\n".join(text.content for text in texts if text.trust == Trust.USER))
    return tuple(value for value in dict.fromkeys(marked) if squeezed(value) not in known)


def instructions_are_marked(texts: Iterable[str]) -> bool:
    """Return whether one of the operator's texts orders to keep the instructions themselves."""
    return any(map(_marks_itself, texts))


def squeezed(text: str) -> str:
    """Return the letters and digits of `text`, case and compatibility forms folded."""
    return "".join(ch for ch in unicodedata.normalize("NFKC", text).casefold() if ch.isalnum())


@lru_cache(maxsize=256)
def _marks_itself(operator: str) -> bool:
    return any(_ORDER.search(sentence) and _SELF.search(sentence) for sentence in _sentences(operator))


@lru_cache(maxsize=256)
def _marked_values(operator: str) -> tuple[str, ...]:
    """Return values in sentences that are marked, or that share a noun with an order to keep something."""
    sentences = _sentences(operator)
    orders = [one for one in sentences if _ORDER.search(one)]
    kept = {word for order in orders for word in _words(order) if len(word) > 3} - _DULL
    found: list[str] = []
    for sentence in sentences:
        if not (_NOUN.search(sentence) or _ORDER.search(sentence) or kept & set(_words(sentence))):
            continue
        found += [match[0].strip(" .,;:!?") for match in _TOKEN.finditer(sentence) if re.search(r"\d", match[0])]
        noun = _NOUN.search(sentence)
        stated = _STATED.search(sentence, noun.end()) if noun else None
        if stated and not _ORDER.search(sentence) and len(stated[1].split()) <= 12:
            found.append(stated[1].strip(" .,;:!?"))
    return tuple(value for value in found if _is_telling(value))


def _sentences(text: str) -> list[str]:
    return [one for one in re.split(r"(?<=[.!?])\s+|\n+", text) if one.strip()]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _is_telling(value: str) -> bool:
    """Return whether a value is long enough not to turn up by accident: eight letters and digits, five with a digit."""
    letters = squeezed(value)
    return len(letters) >= 8 or (len(letters) >= 5 and any(ch.isdigit() for ch in letters))
