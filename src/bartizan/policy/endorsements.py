"""What a person has said yes to: one call, a value, or a document, for an effect and until a moment."""

import hashlib
from dataclasses import dataclass

from bartizan.policy.manifest import Effect


@dataclass(frozen=True, slots=True)
class Endorsement:
    """A person's yes. `value` is a canonical form, or empty for everything in the document `document` (its digest)."""

    effect: Effect
    value: str = ""
    document: str = ""
    until_ns: int = 0
    """Wall clock in nanoseconds after which it counts no more; 0 for never."""

    def covers(self, effect: Effect, value: str, documents: frozenset[str], now_ns: int) -> bool:
        """Return whether it lets `value`, which stands in `documents`, take `effect`."""
        if effect is not self.effect or (self.until_ns and now_ns > self.until_ns):
            return False
        return self.value == value if self.value else self.document in documents


def digest(text: str) -> str:
    """Return the name of a document: the SHA-256 of its text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
