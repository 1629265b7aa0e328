"""Is an attack still found when it is disguised, and an innocent text still left alone?

`make bench-detect-disguises ARGS=FOLDER`. Every disguise of `lab/disguises.py` is laid on the same attacks and innocent
texts of the labelled rows; recall is given as a share of the recall without a disguise. Mails of BIPIA's carriers get
twenty look-alike letters each.
"""

import argparse
import gzip
import json
import platform
import random
import sys
from pathlib import Path

import numpy as np
from rich.progress import track

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.core.messages import Text, Trust
from bartizan.core.verdicts import Block
from bartizan.detect.detectors import detectors
from bartizan.detect.judge import Judge
from bartizan.lab.disguises import DISGUISES
from bartizan.lab.planted_orders import bipia

SEED = 20261129
ATTACKS, INNOCENT, MAILS = 120, 150, 150
ATTACK_SOURCES = (
    "sentinel_original",
    "sentinel_neuralchemy_v1",
    "hackat_neuralchemy_normalized",
    "sentinel_hackaprompt",
)
INNOCENT_SOURCES = ("promptshield_Ultrachat_200k", "promptshield_Alpaca dataset extended", "arena_hard", "sgd", "tldr")
SHORTEST, LONGEST = 30, 600
RESULT = Path(__file__).parent / "results" / "detect_disguises.json"


def rows(folder):
    """Return attacks and innocent texts, as many of each source as there is room for."""
    cells = {}
    with gzip.open(folder / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            named = ATTACK_SOURCES if row["label"] else INNOCENT_SOURCES
            plain = row["text"].isascii() and SHORTEST <= len(row["text"]) <= LONGEST
            if row["source"] in named and plain:
                cells.setdefault((row["label"], row["source"]), []).append(row["text"])
    draw = random.Random(SEED)
    found = {0: [], 1: []}
    for (label, _), texts in sorted(cells.items()):
        room = (ATTACKS // len(ATTACK_SOURCES)) if label else (INNOCENT // len(INNOCENT_SOURCES))
        found[label] += draw.sample(texts, min(room, len(texts)))
    return found[1], found[0]


def blocked(judge, text, trust=Trust.USER):
    """Return whether a text is blocked."""
    return isinstance(judge.judge(Text(text, trust)).verdict, Block)


def interval(hits, n):
    """Return share, lower and upper end."""
    measured = proportion(hits, n, seed=SEED)
    return [round(measured.value, 4), round(measured.low, 4), round(measured.high, 4)]


def main():
    """Judge, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="", help="a classifier other than the shipped one; nothing is written")
    args = parser.parse_args()
    judge = Judge(detectors("1%", args.model))
    attacks, innocent = rows(args.folder)
    clean_hits = [blocked(judge, text) for text in attacks]
    table = {}
    for name, disguise in track(DISGUISES.items(), "disguises", disable=not sys.stderr.isatty()):
        draw = random.Random(f"{SEED} {name}")
        hits = sum(blocked(judge, disguise(text, draw)) for text in attacks)
        false = sum(blocked(judge, disguise(text, draw)) for text in innocent)
        table[name] = {
            "recall": interval(hits, len(attacks)),
            "of the clean recall": round(hits / max(1, sum(clean_hits)), 3),
            "innocent blocked": interval(false, len(innocent)),
        }
    mails = bipia(args.folder / "bipia_train.json.gz").documents["email"][:MAILS]
    draw = random.Random(SEED)
    before = [blocked(judge, mail, Trust.WEB) for mail in mails]
    after = [blocked(judge, DISGUISES["twenty homoglyphs"](mail, draw), Trust.WEB) for mail in mails]
    result = {
        "what": __doc__.split("\n")[0],
        "seed": SEED,
        "versions": {"bartizan": __version__, "python": platform.python_version(), "numpy": np.__version__},
        "attacks": len(attacks),
        "innocent": len(innocent),
        "clean recall": interval(sum(clean_hits), len(attacks)),
        "innocent blocked, undisguised": interval(sum(blocked(judge, text) for text in innocent), len(innocent)),
        "disguises": table,
        "mails that flip with twenty look-alike letters": interval(
            sum(one != other for one, other in zip(before, after, strict=True)), len(mails)
        ),
    }
    print(json.dumps(result, indent=1))
    if not args.model:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
