"""Does anything of a blocked or redacted span ever get out? Random texts, random cuts of text and of bytes.

Every stream plants secrets, personal data, links, canaries and quotes between prose in one of three dialects, is cut
into deltas at random and into pieces of bytes at random (inside characters, escapes, events, keys, content blocks), and
is screened once. Redaction must give what it gives for the whole text at once; blocking must deliver nothing of the
span. A control that never holds is run as well: it must be caught.
"""

import argparse
import json
import random
import sys
from pathlib import Path

import numpy as np
from rich.progress import track
from tests.gateway.samples import PROSE
from tests.gateway.test_stream import (
    DIALECTS,
    LeakyControl,
    chat_stream,
    chat_text,
    controls,
    planted_text,
    random_cuts,
    through,
)

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.gateway.output.base import Active
from bartizan.gateway.stream import Holdback, redact

SEED = 20261124


def leaks(seed):
    """Screen one random stream; return whether anything leaked, how often it was cut, and whether it was planted."""
    draw = random.Random(seed)
    reader, stream, read = DIALECTS[seed % 3]
    action = ("redact", "block")[seed // 3 % 2]
    text, spans = planted_text(draw)
    deltas = random_cuts(draw, text)
    pieces = random_cuts(draw, stream(deltas))
    holdback = Holdback(reader("m"), controls(action))
    said = read(through(holdback, pieces))
    cuts = len(deltas) + len(pieces) - 2
    if action == "redact":
        return said != redact(controls("redact"), text)[0], cuts, bool(spans)
    if not spans:
        return said != text, cuts, False
    before, _, refusal = said.rpartition("I'm sorry")
    return not refusal or not text[: spans[0][0]].startswith(before), cuts, True


def held_tokens(seed):
    """Return, after each delta of a benign stream of words, how many tokens (of four characters) are held."""
    draw = random.Random(seed)
    text = "".join(draw.choice(PROSE) for _ in range(20))
    deltas = [text[at : at + 4] for at in range(0, len(text), 4)]
    holdback = Holdback(DIALECTS[0][0]("m"), controls("block"))
    held = []
    for event in chat_stream(deltas).split(b"\n\n")[:-1]:
        holdback.feed(event + b"\n\n")
        held.append(holdback.held_chars / 4)
    return held


def main():
    """Run, print, write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=100_000)
    n = parser.parse_args().streams
    found = [leaks(SEED + number) for number in track(range(n), description="screening")]
    leaked = sum(leak for leak, _, _ in found)
    held = np.array([tokens for seed in range(50) for tokens in held_tokens(seed)])
    caught = "forbid" in chat_text(
        through(Holdback(DIALECTS[0][0]("m"), (Active(LeakyControl(), "redact"),)), [chat_stream(["forbid", "den"])])
    )
    result = {
        "version": __version__,
        "python": sys.version.split()[0],
        "seed": SEED,
        "streams": n,
        "planted": sum(planted for _, _, planted in found),
        "cuts": sum(cuts for _, cuts, _ in found),
        "leaked": leaked,
        "leaked_share": str(proportion(leaked, n, seed=SEED)),
        "held_tokens_median": float(np.median(held)),
        "held_tokens_p99": float(np.quantile(held, 0.99)),
        "a_leaky_control_is_caught": caught,
    }
    Path("bench/results").mkdir(exist_ok=True)
    Path("bench/results/stream.json").write_text(json.dumps(result, indent=2) + "\n")
    for key, value in result.items():
        print(f"{key:28} {value}")
    sys.exit(1 if leaked or not caught else 0)


if __name__ == "__main__":
    main()
