"""The rows that `bench_detect.py` judges: sampled from labelled sources, composed pairs, long pages. Seeded."""

import gzip
import json
import random
from collections import defaultdict
from dataclasses import dataclass

LENGTHS = {500: 100, 2_000: 100, 8_000: 100, 65_536: 24, 1_048_576: 2}
"""Characters of a clean page, and how many of that length are composed."""
OFFSETS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One text to judge. `slice` is the source or the composed set that it belongs to."""

    slice: str
    label: int
    text: str
    role: str = "user"
    licence: str = ""


def sampled(path, per_cell, seed):
    """Return at most `per_cell` rows of each source and label, and every benign text for composing pages."""
    cells = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            cells[row["source"], row["label"]].append(row)
    draw = random.Random(seed)
    rows = []
    for (source, label), members in sorted(cells.items()):
        drawn = draw.sample(members, min(per_cell, len(members)))
        rows += [Row(source, label, one["text"], "user", one["licence"]) for one in drawn]
    prose = [one["text"] for (source, label), many in sorted(cells.items()) if label == 0 for one in many[:200]]
    return rows, prose


def pairs(path, count, seed):
    """Return `count` clean carriers and the same carriers with one attack each, at the start, middle or end."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)
    draw = random.Random(seed)
    attacks = {kind: [one for many in group.values() for one in many] for kind, group in data["attacks"].items()}
    rows = []
    for number in range(count):
        kind = ("email", "table", "code")[number % 3]
        carrier = draw.choice(data["carriers"][kind])
        lines = carrier if isinstance(carrier, list) else carrier.split("\n")
        attack = draw.choice(attacks["code" if kind == "code" else "text"])
        place = draw.choice((0, len(lines) // 2, len(lines)))
        rows.append(Row(f"pairs: {kind}", 0, "\n".join(lines), "document"))
        rows.append(Row(f"pairs: {kind}", 1, "\n".join([*lines[:place], attack, *lines[place:]]), "document"))
    return rows


def pages(prose, seed):
    """Return clean pages of each length, composed of benign texts drawn at random."""
    draw = random.Random(seed)
    return [
        Row(f"clean page of {length}", 0, page(prose, length, draw), role)
        for length, count in LENGTHS.items()
        for number in range(count)
        for role in (("user", "document")[number % 2],)
    ]


def page(prose, length, draw):
    """Return one clean page of exactly `length` characters."""
    parts, have = [], 0
    while have < length + 2:
        parts.append(draw.choice(prose))
        have += len(parts[-1]) + 2
    return "\n\n".join(parts)[:length]


def planted(prose, attacks, seed, length=1_048_576):
    """Yield (offset share, page) with one attack planted at each of `OFFSETS` places of a long clean page."""
    draw = random.Random(seed)
    clean = page(prose, length, draw)
    for step in range(OFFSETS):
        cut = clean.rfind("\n", 0, max(1, step * length // (OFFSETS - 1))) + 1
        for attack in attacks:
            yield step / (OFFSETS - 1), f"{clean[:cut]}{attack}\n{clean[cut:]}"
