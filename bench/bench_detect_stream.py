"""Is a text in pieces judged like the whole, and what does a piece cost? Random texts, random cuts.

Texts are drawn from our own wordings, attacks and innocent ones, some disguised, some long; each is cut at random into
pieces of a few characters, of lines, or of pages, and judged once more in pieces. Verdict, score and findings must be
the same to the last bit. CPU time counts all pieces and the end, whose work the pieces share.
"""

import argparse
import json
import platform
import random
import sys
import time
from pathlib import Path

import numpy as np
from rich.progress import track

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.core.messages import Text, Trust
from bartizan.detect.judge import Judge
from bartizan.detect.stream import TextStream
from bartizan.lab.disguises import DISGUISES
from bartizan.lab.phrases import wordings

SEED = 20261129
SHORT, LONG = 1_000, 20
CUTS_A_TEXT = 10
RESULT = Path(__file__).parent / "results" / "detect_stream.json"


def text_of(draw, paragraphs):
    """Return innocent and attacking wordings one after the other, disguised one time in four."""
    book = wordings()
    names = [*book.names("-"), *book.names("-"), *book.names("+")]
    parts = []
    for _ in range(paragraphs):
        part = book.write(draw.choice(names), draw)
        if draw.random() < 0.25 / paragraphs:
            part = DISGUISES[draw.choice(sorted(DISGUISES))](part, draw)
        parts.append(part)
    return draw.choice(("\n", "\n\n", " ")).join(parts)


def cut(draw, text):
    """Return the text in pieces of at most 1, 8, 80 or 4,000 characters."""
    most = draw.choice((1, 8, 8, 80, 4_000))
    pieces = []
    while text:
        size = draw.randint(1, most)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def in_pieces(pieces, trust):
    """Return the judgement on a text in pieces, and the CPU seconds of each piece and of the end."""
    stream = TextStream(trust)
    took = []
    for piece in pieces:
        begun = time.process_time_ns()
        stream.feed(piece)
        took.append(time.process_time_ns() - begun)
    begun = time.process_time_ns()
    end = stream.end()
    return end, took, time.process_time_ns() - begun


def chat(draw, characters, kinds):
    """Return a text of so many characters in pieces of four: what a model's tokens are."""
    book = wordings()
    names = [name for kind in kinds for name in book.names(kind)]
    text = " ".join(book.write(draw.choice(names), draw) for _ in range(characters // 40 + 4))[:characters]
    return [text[at : at + 4] for at in range(0, len(text), 4)]


def main():
    """Compare, time, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=SHORT, help="short texts; long ones come on top")
    texts = parser.parse_args().texts
    draw = random.Random(SEED)
    judge = Judge()
    differed = cuts = pieces_seen = 0
    for number in track(range(texts), disable=not sys.stderr.isatty()):
        text = text_of(draw, draw.choice((1, 1, 2, 4)) if number % max(1, texts // LONG) else 40)
        trust = (Trust.USER, Trust.WEB)[number % 2]
        whole = judge.judge(Text(text, trust))
        for _ in range(CUTS_A_TEXT):
            pieces = cut(draw, text)
            differed += in_pieces(pieces, trust)[0] != whole
            cuts += 1
            pieces_seen += len(pieces)
    measured = proportion(differed, cuts, seed=SEED)
    costs = {}
    for characters, kinds in ((size, kinds) for size in (500, 2_000, 8_000, 65_536) for kinds in ("-", "+-")):
        per_piece, mean, ends = [], [], []
        for _ in range(max(2, 16_000 // characters)):
            pieces = chat(draw, characters, kinds)
            _, took, end = in_pieces(pieces, Trust.USER)
            per_piece += took
            ends.append(end)
            mean.append((sum(took) + end) / len(pieces))
        costs[f"{characters}, {'innocent' if kinds == '-' else 'half of it attacks'}"] = {
            "mean ms a piece, the end included": round(float(np.mean(mean)) / 1e6, 4),
            "p50 ms": round(float(np.median(per_piece)) / 1e6, 4),
            "p99 ms": round(float(np.quantile(per_piece, 0.99)) / 1e6, 4),
            "most ms": round(float(np.max(per_piece)) / 1e6, 2),
            "end p50 ms": round(float(np.median(ends)) / 1e6, 2),
        }
    result = {
        "what": __doc__.split("\n")[0],
        "seed": SEED,
        "versions": {"bartizan": __version__, "python": platform.python_version(), "numpy": np.__version__},
        "cut": {
            "streams": cuts,
            "pieces": pieces_seen,
            "judged otherwise than the whole": [differed, round(measured.low, 6), round(measured.high, 6)],
        },
        "CPU by characters of a stream in pieces of four": costs,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
