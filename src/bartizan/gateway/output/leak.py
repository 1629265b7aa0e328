"""The operator's own words: canaries, and long quotes of the system prompt, plain or in disguise.

A canary is found in any letter case, with any separators between its characters, reversed, in rot13, base64 and
hex. A quote is a run of words of the system prompt, in order. Does not find translations or paraphrases.
"""

import base64
import codecs
import re
from collections.abc import Iterable, Sequence

from bartizan.core.messages import Prompt, Trust
from bartizan.gateway.output.base import Hit, Look

_WORD = re.compile(r"\w+")
_SHORTEST = 8
_SHORTEST_WITH_DIGIT = 5
_CANARY = "the answer gives away a value that the operator keeps"
_QUOTE = "the answer quotes the operator's prompt"


class Leak:
    """Finds what the operator wrote for the model only."""

    name = "leak"

    def __init__(self, canaries: Iterable[str] = (), prompt_texts: Sequence[str] = (), quote_words: int = 12) -> None:
        """Guard `canaries`, and quotes of at least `quote_words` words of `prompt_texts`."""
        self._needles = tuple({needle for secret in set(canaries) for needle in disguises(secret)})
        self._starts = frozenset(needle[0] for needle in self._needles)
        self._quote_words = quote_words
        self._words = [word for text in prompt_texts for word in [*_WORD.findall(text.casefold()), ""]]
        self._places: dict[str, list[int]] = {}
        if len(self._words) > quote_words:
            for place, word in enumerate(self._words):
                self._places.setdefault(word, []).append(place)

    def overhear(self, text: str) -> bool:
        """Whoever wrote a text, what it holds must not leave."""
        return True

    def look(self, text: str, *, final: bool) -> Look:
        """Return leaked canaries and quotes in `text`, and where one may have begun."""
        hits: list[Hit] = []
        hold = len(text)
        if self._needles:
            hold = self._canaries(text, hits)
        if self._places:
            hold = min(hold, self._quotes(text, hits, final=final))
        return Look(hits, len(text) if final else hold)

    def _canaries(self, text: str, hits: list[Hit]) -> int:
        """Search with everything but letters and digits taken out; return where a needle may have begun."""
        places = [place for place, char in enumerate(text) if char.isalnum()]
        squeezed = "".join([text[place] for place in places]).casefold()
        if len(squeezed) != len(places):  # a letter that case folding lengthens: keep places right by plain lowering
            squeezed = "".join([text[place].lower()[:1] for place in places])
        hold = len(text)
        for needle in self._needles:
            at = squeezed.find(needle)
            while at >= 0:
                start, end = places[at], places[at + len(needle) - 1] + 1
                hits.append(Hit(start, end, "canary-leak", _CANARY, sure=True))
                at = squeezed.find(needle, at + 1)
            for length in range(min(len(needle) - 1, len(squeezed)), 0, -1):
                if squeezed[-length] in self._starts and squeezed.endswith(needle[:length]):
                    hold = min(hold, places[-length])
                    break
        return hold

    def _quotes(self, text: str, hits: list[Hit], *, final: bool) -> int:
        """Follow every place of the prompt that the last words could be; return where the longest such run began."""
        runs: dict[int, tuple[int, int]] = {}
        for found in _WORD.finditer(text.casefold() if text.isascii() else text.lower()):
            word, following = found[0], {}
            for place in self._places.get(word, ()):
                start, count = runs.get(place - 1, (found.start(), 0))
                following[place] = (start, count + 1)
            if found.end() == len(text) and not final:  # the last word may be the beginning of another
                return self._open_since(word, found.start(), [*runs.items(), *following.items()])
            best = max(following.values(), key=lambda run: run[1], default=(0, 0))
            if best[1] >= self._quote_words:
                hits.append(Hit(best[0], found.end(), "prompt-leak", _QUOTE, sure=True))
            runs = following
        return min((start for start, _ in runs.values()), default=len(text))

    def _open_since(self, word: str, at: int, runs: list[tuple[int, tuple[int, int]]]) -> int:
        """Return where the longest run began that `word`, perhaps not yet all of its word, may continue."""
        since = at if any(known.startswith(word) for known in self._places) else at + len(word)
        for place, (start, _) in runs:
            if place + 1 < len(self._words) and self._words[place + 1].startswith(word):
                since = min(since, start)
        return since


def disguises(secret: str) -> set[str]:
    """Return the squeezed forms of `secret` that are searched for; none for one too short to be telling."""
    plain = _squeezed(secret)
    if len(plain) < (_SHORTEST_WITH_DIGIT if any(char.isdigit() for char in plain) else _SHORTEST):
        return set()
    forms = {plain, plain[::-1], codecs.encode(plain, "rot13")}
    raw = secret.encode()
    forms |= {raw.hex(), plain.encode().hex()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        # the characters at either end depend on what stands next to the secret
        forms.add(_squeezed(coded[(0, 2, 3)[shift] : len(coded) - (1 if (len(raw) + shift) % 3 else 0)]))
    return {plain} | {form for form in forms if len(form) >= _SHORTEST}


def operator_texts(prompt: Prompt) -> list[str]:
    """Return what the operator and the developer wrote into the prompt."""
    return [
        text.content
        for message in prompt.messages
        for text in message.texts()
        if text.trust >= Trust.DEVELOPER and text.content
    ]


def _squeezed(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
