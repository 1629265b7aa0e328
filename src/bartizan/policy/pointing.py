"""Finds what the request points at in one more result. `anchors` says what that means; here it is applied."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from bartizan.core.messages import Text, Trust
from bartizan.policy.anchors import Anchor, Anchors, Source, form_of, forms_in
from bartizan.policy.inference import kind_of, role_of
from bartizan.policy.intent import Intent, intent_of, tokens
from bartizan.policy.manifest import Effect, Kind, Result, Role, words_of
from bartizan.policy.phrases import ASKING, GENERIC, part_named, phrase_of
from bartizan.policy.records import Record
from bartizan.policy.values import as_number, plain, stands_in, values

_LONGEST_NAME = 80
"""What is longer in a list that nobody described is no name."""


def point(anchors: Anchors, source: Source) -> Anchors:
    """Return what is pointed at after one more result."""
    made = anchors.copied()
    _Pointing(made, source).take()
    return made


class _Pointing:
    """One result while it is taken in."""

    def __init__(self, anchors: Anchors, source: Source) -> None:
        self._into = anchors
        self._source = source
        self._kinds = Kinds(source.tool.result or Result())
        self._where = f"{source.name} {source.text.origin}".strip()
        self._asked = self._asked_for(anchors.intent)
        follows = anchors.followed is not None and self._asked_for(anchors.followed)
        self._may_ask = self._asked or follows

    def take(self) -> None:
        """Add everything of the result that is pointed at."""
        structure, result = self._source.structure, self._source.tool.result
        self._count()
        if structure is None or result is None:
            if self._may_ask:
                self._point(Text(self._source.text.content, self._source.text.trust, self._where), own=self._asked)
            self._count_superlatives()
            return
        askers = [("user", self._into.intent)]
        askers += [("document", self._into.followed)] if self._into.followed is not None else []
        for record in structure.records:
            self._secrets(record)
            for asker, intent in askers:
                _Selecting(self._into, self._source, self._kinds, intent, asker, self._may_ask).take(record, self)
        for asker, intent in askers:
            self._superlatives(structure.records, intent, asker)
        for found, kind in ((structure.items, result.items), (structure.keys, result.keys)):
            if kind in (Kind.META, Kind.ID):
                for asker, intent in askers:
                    self._plain_list(found, intent, asker)
        self._count_superlatives()

    def _asked_for(self, intent: Intent) -> bool:
        """Return whether everything that a reading call looked for is in the words of who asks."""
        looked = [value for value in looked_for(self._source) if len(value) > 2]
        return bool(looked) and all(
            intent.names(value, form_of(value))
            or form_of(value) in self._into.links
            or (intent is self._into.intent and self._into.sure(form_of(value), frozenset()) is not None)
            for value in looked
        )

    def _point(self, text: Text, *, own: bool) -> None:
        """Point at a text. When the user said to follow it (`own`: it is the user who points), hear what it asks."""
        self._into.pointed += (text,)
        if self._into.intent.delegates and own:
            before = self._into.followed.asked if self._into.followed is not None else ""
            self._into.followed = intent_of([Text(f"{before}\n{text.content}", Trust.USER)])

    def point_content(self, text: Text, kind: Kind, *, own: bool) -> None:
        """Point at a field of a record that people wrote."""
        self._point(text, own=own)
        if kind is Kind.INTERNAL:
            self._into.internal += (text,)

    def _secrets(self, record: Record) -> None:
        for name, found in record.fields.items():
            if self._kinds.of(name) is Kind.SECRET and not self._kinds.asked(name, self._into.intent):
                self._into.secrets += tuple(value for value in found if len(value) >= 4)
            elif self._kinds.of(name) is Kind.INTERNAL and self._may_ask:
                self._into.links |= forms_in(Text(value, Trust.TOOL) for value in found)

    def _superlatives(self, records: Iterable[Record], intent: Intent, asker: str) -> None:
        for wanted in intent.superlatives:
            best = _best(records, self._kinds, wanted.fields, wanted.direction)
            if best is None:
                continue
            where = f"{self._where}{best.where}"
            own = identity(best, self._kinds, where)
            for name, found in best.fields.items():
                if self._kinds.of(name) in (Kind.ID, Kind.NAME):
                    for value in found:
                        anchor = Anchor(self._kinds.of(name), wanted.words, self._source.nouns, where, own, asker)
                        self._into.add(form_of(value), anchor)

    def _plain_list(self, found: Iterable[str], intent: Intent, asker: str) -> None:
        self._into.known |= {plain(value) for value in found}
        result = self._source.tool.result or Result()
        every, by_name = any(intent.all_of(word) for word in result.called.get("", ())), result.by_name
        for value in found:
            if by_name and len(value) > _LONGEST_NAME:
                continue
            form, part = form_of(value), part_named(value, intent)
            if every:
                self._into.add(form, Anchor(Kind.META, "all", self._source.nouns, self._where, "all", asker))
            elif part:
                self._into.add(form, Anchor(Kind.META, f"item {part}", self._source.nouns, self._where, form, asker))
            else:
                self._into.askable.setdefault(form, self._where)

    def _count(self) -> None:
        """Count the entries of a reading call of one argument, and those of each author."""
        looked = list(looked_for(self._source))
        if self._source.tool.result is None or len(looked) != 1:
            return
        structure = self._source.structure
        counts = dict(self._into.counts)
        entries = max(len(structure.records), len(structure.items)) if structure is not None else 0
        counts[self._source.name, plain(looked[0])] = entries
        authors = Counter(
            plain(value)
            for record in (structure.records if structure is not None else ())
            for name, found in record.fields.items()
            if self._kinds.of(name) is Kind.META and set(words_of(name)) & {"sender", "author", "from"}
            for value in found
        )
        for author, number in authors.items():
            counts[f"{self._source.name} {plain(looked[0])} by", author] = number
        self._into.counts = counts

    def _count_superlatives(self) -> None:
        """Point at the argument (a channel), or the author, with the most or fewest entries."""
        if not any((self._source.name, plain(value)) in self._into.counts for value in looked_for(self._source)):
            return
        for asker, intent in (("user", self._into.intent), ("document", self._into.followed)):
            for most in intent.counted if intent is not None else ():
                if most.noun not in self._source.nouns:
                    continue
                counts: Counter[str] = Counter()
                for (tool, value), number in self._into.counts.items():
                    name, _, of_author = tool.partition(" ")
                    if name == self._source.name and bool(of_author) == most.by_author:
                        counts[value] += number
                best = _extreme(counts, most.direction)
                self._drop(f"count {most.words}")
                if best:
                    by = f"count {most.words}"
                    self._into.add(best, Anchor(Kind.META, by, self._source.nouns, self._where, best, asker))

    def _drop(self, by: str) -> None:
        """Forget a count that more reading has overtaken."""
        for form, anchors in list(self._into.found.items()):
            kept = tuple(anchor for anchor in anchors if anchor.by != by)
            if len(kept) != len(anchors):
                self._into.found[form] = kept
                if not kept:
                    del self._into.found[form]
        for way in [way for way in self._into.records if way[1] == by]:
            del self._into.records[way]


class _Selecting:
    """One result as one asker (the user, or a followed document) points into it."""

    def __init__(
        self, into: Anchors, source: Source, kinds: "Kinds", intent: Intent, asker: str, may_ask: bool
    ) -> None:
        self._into, self._source, self._kinds, self._intent, self._asker = into, source, kinds, intent, asker
        self._query = query_of(source, intent)
        self._may_ask = may_ask

    def take(self, record: Record, pointing: _Pointing) -> None:
        """Add what the asker points at in one record."""
        named = list(self._names_of(record))
        touched = not named and (bool(self._query) or self._touches(record))
        where = f"{self._source.name} {self._source.text.origin}{record.where}"
        own = identity(record, self._kinds, where)
        for name, found in record.fields.items():
            kind = self._kinds.of(name)
            if kind is Kind.CONTENT and _is_id(name, found):
                kind = Kind.ID
            if kind is Kind.INTERNAL and self._may_ask and not named and self._asker == "user":
                pointing.point_content(
                    Text("\n".join(found), self._source.text.trust, f"{where}/{name}"), kind, own=False
                )
            every = kind is Kind.META and self._kinds.all_asked(name, self._intent)
            if not (named or touched or every) or kind in (Kind.SECRET, Kind.NAME):
                continue
            if kind in (Kind.CONTENT, Kind.INTERNAL):
                if named or self._query:
                    text = Text("\n".join(found), self._source.text.trust, f"{where}/{name}")
                    pointing.point_content(text, kind, own=self._asker == "user")
                continue
            if kind is Kind.META:
                numbers = (as_number(value) for value in found)
                self._into.amounts |= {number for number in numbers if number is not None}
            for value in found:
                self._value(value, name, kind, named, where, own)

    def _value(self, value: str, name: str, kind: Kind, named: list[str], where: str, own: str) -> None:
        form = form_of(value)
        if kind is Kind.META and self._kinds.all_asked(name, self._intent):
            self._into.add(form, Anchor(kind, f"all {name}", self._source.nouns, where, "all", self._asker))
            return
        asked = kind is Kind.ID or self._kinds.asked(name, self._intent)
        part = "" if asked else part_named(value, self._intent)
        ways = [*named, *([self._query] if self._query and not named and kind is Kind.ID else ())]
        if not (ways and (asked or part)):
            self._into.askable.setdefault(form, f"{where}/{name}")
            return
        for by in ways:
            words = by if kind is Kind.ID else f"{by} {part or name}"
            anchor = Anchor(kind, words, self._source.nouns, where, form if part else own, self._asker)
            self._into.add(form, anchor)

    def _names_of(self, record: Record) -> Iterator[str]:
        """Yield the words by which a record is named: its name, or a value that its system wrote."""
        for name, found in record.fields.items():
            kind = self._kinds.of(name)
            for value in found:
                if kind is Kind.NAME:
                    phrase = phrase_of(value)
                    if phrase and phrase in self._intent.tokens:
                        yield phrase.strip()
                elif self._by_value(value) if kind is Kind.META else kind is Kind.ID and self._by_id(value):
                    yield form_of(value)

    def _by_id(self, value: str) -> bool:
        return self._intent.names_one(value, form_of(value), self._source.nouns)

    def _by_value(self, value: str) -> bool:
        """Return whether the request names a record by a value: an address, a sum of money, or a person's name."""
        if form_of(value) in self._intent.named or as_number(value) in self._intent.sums:
            return True
        words = value.split()
        name = 0 < len(words) < 5 and all(word.isalpha() and word[:1].isupper() for word in words)
        return name and len(value) > 1 and value.lower() not in GENERIC and stands_in(plain(value), self._intent.asked)

    def _touches(self, record: Record) -> bool:
        """Return whether the request shares a telling word with a record's name, or an amount with the record."""
        for name, found in record.fields.items():
            kind = self._kinds.of(name)
            if kind is Kind.NAME and any(self._shares_word(value) for value in found):
                return True
            if kind is Kind.META and any(as_number(value) in self._intent.amounts for value in found):
                return True
        return False

    def _shares_word(self, name: str) -> bool:
        words = {word for word in tokens(name).split() if len(word) > 3} - ASKING
        return len(name) < 200 and any(f" {word} " in self._intent.tokens for word in words)


class Kinds:
    """The kinds of a result's fields, written or inferred."""

    def __init__(self, result: Result) -> None:
        """Read what the operator wrote; an empty description leaves it to the fields' names."""
        self._result = result
        self._written = bool(result.fields or result.items or result.keys) and not result.by_name

    def of(self, name: str) -> Kind:
        """Return the kind of a field."""
        return self._result.fields.get(name) or (Kind.CONTENT if self._written else kind_of(name))

    def asked(self, name: str, intent: Intent) -> bool:
        """Return whether the request speaks of a field."""
        words = [word for word in words_of(name) if word not in GENERIC - {"email"}]
        return any(intent.says(word) for word in (*words, *self._result.called.get(name, ())))

    def all_asked(self, name: str, intent: Intent) -> bool:
        """Return whether the request speaks of everything in a field, by a word that the operator wrote for it."""
        return any(intent.all_of(word) for word in self._result.called.get(name, ()))


def _is_id(name: str, found: Iterable[str]) -> bool:
    """Return whether a field holds names of resources (`spotify:track:7`) that lead nowhere by themselves."""
    return bool(set(words_of(name)) & {"uri", "urn"}) and not any(
        ":/" in one or next(values(one), None) for one in found
    )


def query_of(source: Source, intent: Intent) -> str:
    """Return the phrase of the request, of two words or more, that a reading call looked for and nothing else."""
    phrases = [phrase_of(value) for value in looked_for(source)]
    telling = [phrase.strip() for phrase in phrases if len(phrase.split()) > 1]
    asked = all(phrase and phrase in intent.tokens for phrase in phrases)
    return f"search {telling[0]}" if telling and asked and source.tool.effect is Effect.READ else ""


def looked_for(source: Source) -> Iterator[str]:
    """Yield the texts that a call was given to look for."""
    for name, value in source.arguments.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and role_of(source.tool, name) in (Role.TARGET, Role.SELECTOR, Role.CONTENT):
                yield one


def identity(record: Record, kinds: Kinds, where: str) -> str:
    """Return what a record is the same by when it is read twice: its id, else its place."""
    ids = (value for name, found in record.fields.items() if kinds.of(name) is Kind.ID for value in found)
    return next(ids, where)


def _best(records: Iterable[Record], kinds: Kinds, wanted: frozenset[str], direction: int) -> Record | None:
    """Return the one record whose wanted field is the largest or smallest; None when two are, or one has none."""
    scored: list[tuple[Any, Record]] = []
    for record in records:
        names = [name for name in record.fields if kinds.of(name) is Kind.META and set(words_of(name)) & wanted]
        found = record.fields[names[0]] if names else ()
        if len(found) == 1 and (score := _score(found[0])) is not None:
            scored.append((score, record))
    if not scored or len({type(score) for score, _ in scored}) != 1:
        return None
    top = (max if direction > 0 else min)(score for score, _ in scored)
    best = [record for score, record in scored if score == top]
    return best[0] if len(best) == 1 else None


def _extreme(counts: Counter[str], direction: int) -> str:
    if not counts:
        return ""
    top = (max if direction > 0 else min)(counts.values())
    best = [value for value, number in counts.items() if number == top]
    return best[0] if len(best) == 1 else ""


def _score(value: str) -> Decimal | datetime | None:
    number = as_number(value)
    if number is not None:
        return number
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return None
