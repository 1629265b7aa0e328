"""Are clean pages of any length left alone, and is an order found wherever it stands in a long one?

`make bench-detect-pages ARGS=FOLDER`, the folder of the labelled rows with `open_texts.jsonl.gz` (`bartizan detector
gather`). Pages are composed of texts of which training and thresholds saw none: of one of three manuals (document) and
of requests with answers (user); no row of theirs is by somebody who tries an attack. The thresholds are the shipped
ones for 1 %.
"""

import argparse
import json
import platform
import random
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from bench import detect_rows
from rich.progress import track

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.core.messages import Text
from bartizan.core.verdicts import Block
from bartizan.detect.detectors import detectors
from bartizan.detect.judge import Judge
from bartizan.detect.lines import trust_of
from bartizan.lab.phrases import wordings

SEED = 20261129
LENGTHS = {500: 400, 2_000: 400, 8_000: 400, 65_536: 100, 1_048_576: 10}
PLACES = 4
ATTACKS = 12
MECHANISMS = ("+override", "+extract", "+authority", "+persona", "+forged", "+orders")
RESULT = Path(__file__).parent / "results" / "detect_pages.json"


def blocked(judge, text, role):
    """Return whether a text is blocked."""
    return isinstance(judge.judge(Text(text, trust_of(role))).verdict, Block)


def interval(hits):
    """Return share, lower and upper end, and how many were judged."""
    measured = proportion(sum(hits), len(hits), seed=SEED)
    return [round(measured.value, 4), round(measured.low, 4), round(measured.high, 4), len(hits)]


def left_alone(judge, manuals, talk, lengths):
    """Return the share of clean pages that is blocked, by length and role."""
    seen = defaultdict(list)
    rows = detect_rows.pages(manuals, talk, SEED, lengths)
    for length, role, text in track(list(rows), "clean pages", disable=not sys.stderr.isatty()):
        hit = blocked(judge, text, role)
        seen[f"{length}, {role}"].append(hit)
        seen[str(length)].append(hit)
    return {name: interval(hits) for name, hits in seen.items()}


def found(judge, manuals, length, attacks):
    """Return the share of orders that is found in a short page and at each place of a long one."""
    draw, book = random.Random(SEED), wordings()
    orders = [book.write(MECHANISMS[number % len(MECHANISMS)], draw) for number in range(attacks)]
    seen = defaultdict(list)
    for order in track(orders, "planted orders", disable=not sys.stderr.isatty()):
        small, clean = (detect_rows.manual_page(manuals, one, draw) for one in (800, length))
        cut = small.rfind("\n", 0, 400) + 1
        seen["in 800 characters"].append(blocked(judge, f"{small[:cut]}{order}\n{small[cut:]}", "document"))
        for step in range(PLACES):
            place = step / (PLACES - 1)
            cut = clean.rfind("\n", 0, max(1, int(place * length))) + 1
            seen[f"in {length} at {place:.2f}"].append(
                blocked(judge, f"{clean[:cut]}{order}\n{clean[cut:]}", "document")
            )
    return {name: interval(hits) for name, hits in seen.items()}


def main():
    """Judge, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="", help="a classifier other than the shipped one; nothing is written")
    parser.add_argument("--budget", choices=("1%", "0.1%"), default="1%")
    parser.add_argument("--most", type=int, default=max(LENGTHS), help="no clean page longer than this")
    parser.add_argument("--least", type=int, default=0, help="no clean page shorter than this")
    parser.add_argument("--attacks", type=int, default=ATTACKS, help="orders planted at each place")
    parser.add_argument(
        "--long", type=int, default=max(LENGTHS), help="characters of the pages that they are planted in"
    )
    args = parser.parse_args()
    judge = Judge(detectors(args.budget, args.model))
    manuals, talk = detect_rows.clean(args.folder)
    lengths = {length: count for length, count in LENGTHS.items() if args.least <= length <= args.most}
    result = {
        "what": __doc__.split("\n")[0],
        "seed": SEED,
        "versions": {"bartizan": __version__, "python": platform.python_version(), "numpy": np.__version__},
        "budget": args.budget,
        "clean pages blocked": left_alone(judge, manuals, talk, lengths),
        "planted orders found": found(judge, manuals, args.long, args.attacks) if args.attacks else {},
    }
    print(json.dumps(result, indent=1))
    whole = lengths == LENGTHS and args.attacks and args.long == max(LENGTHS)
    if not args.model and whole and args.budget == "1%":
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
