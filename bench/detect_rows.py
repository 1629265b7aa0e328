"""The rows that the benches of the detector judge: labelled sources, composed pairs, clean pages. All follow a seed."""

import gzip
import json
import random
from collections import defaultdict
from dataclasses import dataclass

from bartizan.lab.detector_corpus import HELD_OUT

TALK = ("promptshield_Ultrachat_200k", "promptshield_IFEval", "promptshield_Alpaca dataset extended")


@dataclass(frozen=True, slots=True)
class Row:
    """One text to judge. `slice` is the source or the composed set that it belongs to."""

    slice: str
    label: int
    text: str
    role: str = "user"
    licence: str = ""


def sampled(path, per_cell, seed):
    """Return at most `per_cell` rows of each source and label, and benign texts of every source."""
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


def clean(folder):
    """Return innocent texts of which training and thresholds saw none: manuals by name, and requests with answers.

    Only sources that hold no row of anybody who gives orders to an assistant or tries an attack.
    """
    manuals, talk = defaultdict(list), []
    for name in ("open_texts.jsonl.gz", "train.jsonl.gz"):
        with gzip.open(folder / name, "rt", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if row["source"] in HELD_OUT:
                    manuals[row["source"]].append(row["text"])
                elif row["source"] in TALK and row["label"] == 0:
                    talk.append(row["text"])
    return dict(sorted(manuals.items())), talk


def pages(manuals, talk, seed, lengths):
    """Yield (length, role, text) of clean pages of each length: a manual's as documents, everything as users' texts."""
    draw = random.Random(seed)
    anything = [*talk, *(text for many in manuals.values() for text in many)]
    for length, count in lengths.items():
        for number in range(count):
            if number % 2:
                yield length, "document", manual_page(manuals, length, draw)
            else:
                yield length, "user", page(talk if number % 4 else anything, length, draw)


def manual_page(manuals, length, draw):
    """Return one clean page of exactly `length` characters out of one manual that has as many, as documents are."""
    able = [many for many in manuals.values() if sum(map(len, many)) >= length]
    return page(draw.choice(able), length, draw)


def page(prose, length, draw):
    """Return one clean page of exactly `length` characters."""
    parts, have = [], 0
    while have < length + 2:
        parts.append(draw.choice(prose))
        have += len(parts[-1]) + 2
    return "\n\n".join(parts)[:length]
