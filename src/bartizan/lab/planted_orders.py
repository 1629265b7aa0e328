"""Documents and answers of tools, clean and with one order planted: a carrier must never predict the label.

Orders are our own wordings, those of BIPIA's training split (Yi et al. 2023), and what users ask of an assistant: not
a word about any first task, and as out of place in a document as an attack.
"""

import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bartizan.lab.examples import UNASKED, Example
from bartizan.lab.phrases import wordings
from bartizan.lab.tool_results import compose


@dataclass(frozen=True)
class Carriers:
    """Documents by kind, and what may be planted in them."""

    documents: Mapping[str, Sequence[str]]
    attacks: Mapping[str, Sequence[str]]
    """Orders by kind: `text` for any document, `code` for source code; `lead` only announces one; `task` is one, and
    `request` what users ask of an assistant: in a document as out of place as the others."""


def bipia(path: Path) -> Carriers:
    """Return the carriers and attack strings of BIPIA's training split."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)
    documents = {
        kind: [one if isinstance(one, str) else "\n".join(one) for one in many]
        for kind, many in data["carriers"].items()
    }
    attacks = {kind: [one for many in group.values() for one in many] for kind, group in data["attacks"].items()}
    return Carriers(documents, attacks)


def planted(carriers: Carriers, foreign: Sequence[str], count: int, seed: int) -> Iterator[Example]:
    """Yield `count` documents clean, and each with an order planted; orders of our wordings, of the data, of users.

    `foreign` are innocent sentences that ask nobody for anything: planted too, with the label of clean documents.
    """
    draw = random.Random(seed)
    book = wordings()
    kinds = sorted(kind for kind, many in carriers.documents.items() if many)
    for _ in range(count if kinds else 0):
        if draw.random() < _TOOLS:
            yield from _in_tool_result(carriers, foreign, draw)
            continue
        kind = draw.choice(kinds)
        document = draw.choice(carriers.documents[kind])
        document = _part(document, draw)
        source = f"planted: {kind}"
        yield Example(document, 0, 0, source)
        if draw.random() < 0.5:
            said = book.write(draw.choice(_HUMAN), draw) if draw.random() < 0.5 else draw.choice(foreign)[:200]
            yield Example(_put(document, said, draw), 0, 0, source)
        order, attack = _order(kind, carriers, book.write, draw)
        yield Example(_put(document, order, draw), attack, 1, source)


_TOOLS = 0.4
"""Share of planted orders that stand in the answer of a tool."""
_ASKED = 0.5
"""Share of plain requests that users have made; the others are our own wordings."""
_HUMAN = ("-requests", "-requests", "-steps", "-documents", "-mention", "-talk", "-tasks")
"""Innocent sections that people write into mails, tickets and pages; requests to other people among them."""


def _in_tool_result(carriers: Carriers, foreign: Sequence[str], draw: random.Random) -> Iterator[Example]:
    """Yield one answer of a tool twice: with a person's words in it, and with an order. All else is the same."""
    book = wordings()
    form = draw.getrandbits(48)
    order, attack = _order("text", carriers, book.write, draw)
    choice = draw.random()
    said = draw.choice(foreign)[: draw.choice((80, 200, 500))]
    if choice < 0.6:
        request = book.write(draw.choice(_HUMAN), draw)
        said = request if choice < 0.35 else f"{said} {request}"
    if draw.random() < 0.35:  # the order follows what a person said, who alone stands in the clean twin
        order = f"{said}{draw.choice((' ', chr(10), '. '))}{order}"
    yield Example(compose(said, random.Random(form)), 0, 0, "planted: tool")
    yield Example(compose(order, random.Random(form)), attack, 1, "planted: tool")


def _order(
    kind: str, carriers: Carriers, write: Callable[[str, random.Random], str], draw: random.Random
) -> tuple[str, int]:
    """Return an order to plant, and whether a user who typed it would be attacking (1, or unasked)."""
    known = bool(carriers.attacks["text"])
    if kind == "code" and draw.random() < 0.7:
        real = known and draw.random() < 0.3
        return (draw.choice(carriers.attacks["code"]) if real else write("+code", draw)), UNASKED
    choice = draw.random()
    if choice < 0.16 and known:
        return draw.choice(carriers.attacks["text"]), UNASKED
    if choice < 0.24 and carriers.attacks.get("task"):
        lead = draw.choice(carriers.attacks["lead"]) + draw.choice((" ", "\n", ": ")) if draw.random() < 0.6 else ""
        return lead + draw.choice((draw.choice(carriers.attacks["task"]), write("+orders", draw))), UNASKED
    if choice < 0.46:
        return write("+orders", draw), UNASKED
    if choice < 0.62:
        asked = carriers.attacks.get("request", ()) if draw.random() < _ASKED else ()
        return (draw.choice(asked) if asked else write("+plain", draw)), UNASKED
    if choice < 0.74:
        return write("+format", draw), UNASKED
    if choice < 0.84:
        return write("+forged", draw), 1
    return write(draw.choice(("+override", "+extract", "+authority", "+persona", "+secret")), draw), 1


def _part(document: str, draw: random.Random) -> str:
    """Return a piece of a document, short enough for training to see all of it: what is planted must not be cut off."""
    length = draw.randint(120, 450)
    first = draw.randint(0, max(0, len(document) - length))
    start = document.rfind("\n", 0, first) + 1 if draw.random() < 0.5 else first
    return document[start : start + length]


def _put(document: str, order: str, draw: random.Random) -> str:
    """Return the document with a sentence at its start, its end or within."""
    place = draw.random()
    glue = draw.choice((" ", "\n", "\n\n", ". "))
    if place < 0.3:
        return f"{document.rstrip()}{glue}{order}"
    if place < 0.5:
        return f"{order}{glue}{document}"
    cuts = [at for at, ch in enumerate(document) if ch in ".\n|"] or [len(document)]
    cut = draw.choice(cuts) + 1
    return f"{document[:cut]}{glue}{order}{glue}{document[cut:]}"
