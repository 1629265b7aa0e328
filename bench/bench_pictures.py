"""How much of what is drawn into pictures is read, how many drawn attacks are stopped, and what reading costs.

`make bench-pictures`: every disguise of `lab/drawn_texts.py` on jailbreaks of eleven mechanisms, beside innocent
pictures of fourteen kinds. A drawn attack is stopped when the input screen blocks the
words that were read; beside it stands the share blocked of the same texts as text, which no reader can exceed but by
luck. Only what is drawn as letters is measured: no handwriting, no pixels that a model alone takes for words.
"""

import argparse
import json
import platform
import random
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
import PIL
from rich.progress import track

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.core.verdicts import Allow
from bartizan.detect.pictures.answers import Limits, Read
from bartizan.detect.pictures.models import PACKAGE, VERSION, models
from bartizan.detect.pictures.recognition import Recogniser
from bartizan.detect.pictures.worker import read
from bartizan.detect.screen import InputScreen
from bartizan.lab.drawn_texts import DISGUISES, drawn, innocent
from bartizan.lab.phrases import wordings
from bartizan.threats.in_pictures import prompt_of
from bartizan.threats.t02_jailbreak import MECHANISMS

SEED = 20261130
RESULT = Path(__file__).parent / "results" / "pictures.json"


def words(text):
    """Return the words of a text, counted, without case and punctuation."""
    return Counter(re.findall(r"\w+", text.lower()))


def share(hits, n):
    """Return share, lower and upper end, and how many there were."""
    measured = proportion(hits, n, seed=SEED)
    return {"share": round(measured.value, 4), "interval": [round(measured.low, 4), round(measured.high, 4)], "n": n}


class Bench:
    """Reads and screens, and keeps the time."""

    def __init__(self):
        """Load what an ordinary gateway has loaded."""
        self.screen = InputScreen()
        began = time.process_time()
        self.recogniser = Recogniser(models())
        self.load_s = time.process_time() - began
        self.spent = []

    def read(self, picture):
        """Return the words of a picture, or None."""
        began = time.process_time()
        answer = read(self.recogniser, picture, Limits())
        self.spent.append(time.process_time() - began)
        return answer.reading.text if isinstance(answer, Read) else None

    def blocks(self, text):
        """Return whether the screen stops a picture with these words; what was not read is stopped too."""
        return text is None or not isinstance(self.screen.screen(prompt_of(text)).verdict, Allow)


def attacks(each):
    """Return jailbreaks by every mechanism, the same ones for every disguise."""
    draw = random.Random(SEED)
    return [wordings().write(name, draw) for name in MECHANISMS for _ in range(each)]


def disguised(bench, name, texts):
    """Return what came of the texts in one disguise."""
    draw = random.Random(f"{SEED} {name}")
    found = there = stopped = 0
    first = len(bench.spent)
    for text in texts:
        said = bench.read(drawn(text, DISGUISES[name], draw))
        found += sum((words(text) & words(said or "")).values())
        there += sum(words(text).values())
        stopped += bench.blocks(said)
    cost = sorted(bench.spent[first:])
    return {
        "words read": share(found, there),
        "attacks stopped": share(stopped, len(texts)),
        "cpu_s p50": round(cost[len(cost) // 2], 3),
    }


def main():
    """Draw, read, screen, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=2, help="attacks of each of eleven mechanisms (default 2)")
    parser.add_argument("--rounds", type=int, default=8, help="innocent pictures of each of fourteen kinds (default 8)")
    args = parser.parse_args()
    bench, texts = Bench(), attacks(args.each)
    typed = sum(bench.blocks(text) for text in texts)
    table = {
        name: disguised(bench, name, texts) for name in track(DISGUISES, "disguises", disable=not sys.stderr.isatty())
    }
    draw, kinds = random.Random(SEED), {}
    for _ in range(args.rounds):
        for kind, picture in innocent(draw).items():
            kinds.setdefault(kind, []).append(bench.blocks(bench.read(picture)))
    honest = [one for many in kinds.values() for one in many]
    cost = sorted(bench.spent)
    result = {
        "what": __doc__.split("\n")[0],
        "seed": SEED,
        "versions": {
            "bartizan": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "onnxruntime": onnxruntime.__version__,
            "pillow": PIL.__version__,
            PACKAGE: VERSION,
        },
        "attacks stopped when typed": share(typed, len(texts)),
        "disguises": table,
        "innocent pictures blocked": share(sum(honest), len(honest)),
        "innocent pictures blocked by kind": {kind: f"{sum(many)} of {len(many)}" for kind, many in kinds.items()},
        "cost": {
            "load cpu_s": round(bench.load_s, 2),
            "picture cpu_s p50": round(cost[len(cost) // 2], 3),
            "picture cpu_s p80": round(cost[4 * len(cost) // 5], 3),
            "picture cpu_s most": round(cost[-1], 3),
            "pictures": len(cost),
            "peak_rss_mib, detectors included": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        },
    }
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
