"""What the request points at in what was read: records by name, by a value, by a superlative; whole documents; lists.

A pointed-at record lends authority to what its system wrote (ids, and the members, senders and amounts the request
speaks of), never to what anybody could have written into it. Where the request fits two records, neither is sure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from bartizan.core.messages import Text
from bartizan.policy.intent import Intent
from bartizan.policy.manifest import Effect, Kind, Tool, singular, words_of
from bartizan.policy.records import Structure
from bartizan.policy.values import canonical, values

DELEGABLE = frozenset((Effect.WRITE, Effect.SEND, Effect.SHARE))
"""What a document may ask for once the user has said to do what it says; the rest takes an approval."""


_JOINS = frozenset(("and", "or", "the", "my", "our", "a", "an", "also", "file", "document", "event", "meeting", "mail"))


@dataclass(frozen=True, slots=True)
class Source:
    """One result of a tool: its text with its place, its structure, the tool, and the arguments of the call."""

    text: Text
    name: str
    tool: Tool
    arguments: Mapping[str, Any]
    structure: Structure | None = None

    @property
    def nouns(self) -> frozenset[str]:
        """What the records of this tool are, by its name."""
        return frozenset(singular(word) for word in words_of(self.name))


@dataclass(frozen=True, slots=True)
class Anchor:
    """A value pointed at: `by` which words, in which place, by the user or by a document that the user follows.

    Values of one `record` are no rivals of each other.
    """

    kind: Kind
    by: str
    nouns: frozenset[str]
    where: str
    record: str
    asker: str = "user"


@dataclass(slots=True)
class Anchors:
    """Everything pointed at, by value. Grown by `pointing.point`, which copies first; nothing changes after that."""

    intent: Intent
    followed: Intent | None = None
    """What the documents ask for that the user said to follow."""
    found: dict[str, tuple[Anchor, ...]] = field(default_factory=dict)
    records: dict[tuple[Kind, str, frozenset[str]], frozenset[str]] = field(default_factory=dict)
    """For each way of pointing, the records it fits."""
    askable: dict[str, str] = field(default_factory=dict)
    """Values of the system in records that the request only touches: a person may be asked about them."""
    amounts: frozenset[Decimal] = frozenset()
    pointed: tuple[Text, ...] = ()
    """Texts of anybody that the request points at: what they hold may be asked about."""
    internal: tuple[Text, ...] = ()
    """Texts of the organisation's own people in what was asked for."""
    links: frozenset[str] = frozenset()
    """Links in those texts: they may be read."""
    secrets: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    """Names that a system wrote: members, channels, keys of answers."""
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many entries each reading call gave, by tool and argument; and how many of them each author wrote."""

    def copied(self) -> "Anchors":
        """Return a copy that may grow."""
        made = replace(self)
        made.found, made.askable = dict(self.found), dict(self.askable)
        made.records, made.counts = dict(self.records), dict(self.counts)
        return made

    def sure(self, value: str, nouns: frozenset[str], *, documents: bool = False) -> Anchor | None:
        """Return the anchor of a value that the request points at alone, or among several that it asks for.

        With `documents`, what a followed document points at counts too.
        """
        for anchor in self.found.get(value, ()):
            if anchor.kind is Kind.ID and value.isdigit() and not anchor.nouns & nouns:
                continue  # 5 is an event's number, not a file's
            if anchor.asker != "user" and not documents:
                continue
            if (self.intent.plural and anchor.kind is not Kind.SECRET) or self._alone(anchor):
                return anchor
        return None

    def _alone(self, anchor: Anchor) -> bool:
        """Return whether a way of pointing fits one record, and no other name in the request could be the one meant.

        Two names are both meant when the request joins them ("Plan and Budget"); else one may have been planted.
        """
        fits = self.records[anchor.kind, anchor.by, anchor.nouns]
        if len(fits) != 1:
            return False
        own = self._place(anchor.by)
        if own is None:
            return True
        for (kind, by, nouns), others in self.records.items():
            if kind is anchor.kind and nouns == anchor.nouns and others != fits and by != anchor.by:
                place = self._place(by)
                if place is not None and not self._joined(own, place):
                    return False
        return True

    def _place(self, by: str) -> tuple[int, int] | None:
        """Return where a name stands in the request, if it is one."""
        at = self.intent.tokens.find(f" {by} ")
        return (at, at + len(by) + 1) if at >= 0 else None

    def _joined(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        first, second = sorted((one, other))
        return first[1] <= second[0] and set(self.intent.tokens[first[1] : second[0]].split()) <= _JOINS

    def touched(self, value: str) -> str:
        """Return where a value stands that a person may be asked about, or nothing."""
        if value in self.found:
            return self.found[value][0].where
        return self.askable.get(value, "")

    def add(self, form: str, anchor: Anchor) -> None:
        """Point at a value."""
        known = self.found.get(form, ())
        if anchor not in known:
            self.found[form] = (*known, anchor)
            way = (anchor.kind, anchor.by, anchor.nouns)
            self.records[way] = self.records.get(way, frozenset()) | {anchor.record}


def form_of(value: str) -> str:
    """Return the form that equal values share, whatever their kind."""
    found = next(values(value), None)
    if found is not None and found.start == 0 and found.end == len(value):
        return found.canonical
    return canonical("text", value)


def forms_in(texts: Iterable[Text]) -> frozenset[str]:
    """Return the canonical forms of the addresses, links and accounts in texts."""
    return frozenset(value.canonical for text in texts for value in values(text.content))
