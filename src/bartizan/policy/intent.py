"""What the person asked for: the effects that the request licenses, and the values it names.

Only what a person with a right to ask wrote counts. A licence is a verb that is not denied ("do not send"). English;
a request in another language licenses nothing, which is the safe side, until the operator's manifest says otherwise.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bartizan.core.messages import Text, Trust
from bartizan.policy.manifest import Effect
from bartizan.policy.values import numbers, plain, stands_in, values

_LICENCES = {
    Effect.PAY: r"pay|transfer|refund|reimburse|purchase|buy|wire|donate|order"
    r"|make (?:a|an|the|this|that) (?:\w+ )?(?:transfer|payment|refund|purchase|order)"
    r"|send\s+(?:\w+\s+){0,4}?(?:money|payment|[$€£]?\d[\d.,]*)",
    Effect.DELETE: r"delete|remove|cancel|drop|revoke|erase|clear|clean up|get rid of|uninstall|kick",
    Effect.EXECUTE: r"run|execute|deploy|install|launch|start the",
    Effect.SEND: r"send|(?:e-?)?mail|message|post|reply|respond|answer (?:him|her|them)|forward|invite|share|notify"
    r"|publish"
    r"|tell|write (?:to|an? e?-?mail|him|her|them)|upload|let \w+ know|text",
    Effect.WRITE: r"create|add|make|write|update|change|set|save|book|reserve|schedule|reschedule|move|rename|edit"
    r"|append|put|organi[sz]e|plan|record|store|insert|correct|fix|mark|copy|invite|adjust|replace",
}
_DENIED = re.compile(r"(?:\bdo not|\bdon'?t|\bnever|\bwithout|\bnot to|\brather than|\binstead of)\s+(?:\w+\s+){0,2}$")
_NOUN = re.compile(
    r"(?<!\w)(?:my|our|your|his|her|their|its|the|an?|this|that|these|those|all|any|each|every|no|some|which|what"
    r"|unread|new|recent|latest|last|first|next|of|in|by)\s+$"
)
"""Words after which `mail`, `order` or `transfer` is a thing that is talked about, not an act that is asked for."""
_PATTERNS = {effect: re.compile(rf"(?<!\w)(?:{words})(?:s|ing|ed)?(?!\w)") for effect, words in _LICENCES.items()}
_MOST_NUMBERS = 16


@dataclass(frozen=True, slots=True)
class Intent:
    """What trusted text licenses and names. `text` is everything trusted, in the form that is compared."""

    effects: frozenset[Effect]
    text: str
    named: frozenset[str]
    amounts: frozenset[Decimal] = field(default_factory=frozenset)

    def names(self, value: str, canonical: str) -> bool:
        """Return whether the request names a value: in its canonical form, or as whole words."""
        return canonical in self.named or stands_in(plain(value), self.text)

    def knows(self, amount: Decimal) -> bool:
        """Return whether an amount is written in the request, or is one step of arithmetic from what is."""
        if amount in self.amounts:
            return True
        known = sorted(self.amounts)[:_MOST_NUMBERS]
        return any(
            amount in (left + right, left - right, left * right, left * right / 100)
            for left in known
            for right in known
        )


def intent_of(texts: Sequence[Text]) -> Intent:
    """Return the intent of everything that a user or somebody above wrote; only a user's words license effects."""
    trusted = [text for text in texts if text.trust >= Trust.USER]
    asked = plain("\n".join(text.content for text in trusted if text.trust == Trust.USER))
    everything = "\n".join(text.content for text in trusted)
    return Intent(
        frozenset(effect for effect in _PATTERNS if _licensed(effect, asked)),
        plain(everything),
        frozenset(value.canonical for value in values(everything)),
        frozenset(numbers(everything)),
    )


def _licensed(effect: Effect, asked: str) -> bool:
    starts = (match.start() for match in _PATTERNS[effect].finditer(asked))
    before = (asked[max(0, start - 40) : start] for start in starts)
    return any(not _DENIED.search(words) and not _NOUN.search(words) for words in before)
