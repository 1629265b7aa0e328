"""How well `bartizan detect` tells attacks from innocent texts, beside stackone-defender.

`make bench-detect ARGS=FOLDER`, the folder of the labelled rows (train.jsonl.gz with text, label, source and licence a
row; bipia_train.json.gz with attacks and carriers). Trains nothing. For each source the threshold
is the one that keeps the false positives of all *other* sources within the budget, each source weighing the same.
Sources whose rows trained the shipped weights are marked: their figures flatter. The peer runs in a virtual
environment of its own under build/, on the same rows, as shipped and recalibrated by the same rule. Long pages,
disguises and speed have benches of their own.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from bench import detect_rows

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.core.messages import Text
from bartizan.core.verdicts import Block
from bartizan.detect.detectors import detectors
from bartizan.detect.judge import Judge
from bartizan.detect.lines import trust_of
from bartizan.detect.shipped import shipped

SEED = 20261124
PER_CELL = 100
PEER_PER_CELL = 25
PEER_CHARS = 10_000
PEER = ("stackone-defender==0.9.4", "onnxruntime==1.32.0", "tokenizers==0.23.3", "numpy==2.4.6")
RESULT = Path(__file__).parent / "results" / "detect.json"
BUILD = Path("build/peers-detect")
BUDGETS = (0.01, 0.001)
ONE_CORE = ("env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "PYTHONPATH=src:.", "taskset", "-c", "0")

PEER_SCRIPT = """
import json, sys, time
begun = time.perf_counter()
from stackone_defender import create_prompt_defense
defense = create_prompt_defense(block_high_risk=True)
defense.warmup_tier2()
defense.defend_tool_result("hello", "read")
load = time.perf_counter() - begun
for line in sys.stdin:
    text = json.loads(line)
    begun = time.perf_counter()
    result = defense.defend_tool_result(text, "read")
    took = time.perf_counter() - begun
    print(json.dumps([result.tier2_score or 0.0, not result.allowed, took]), flush=True)
with open("/proc/self/status") as status:
    most = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps({"load_s": load, "rss_mb": most / 1024}))
"""


def peer_python():
    """Return the Python of the peer's virtual environment, made on first use."""
    python = BUILD / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILD)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PEER], check=True)
    return python


def run_script(python, script, texts):
    """Return ([score, blocked, seconds] a text, load time and memory) of one process on one core."""
    asked = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run(
        [*ONE_CORE, str(python), "-c", script], input=asked, capture_output=True, text=True, check=True
    )
    *answers, last = done.stdout.splitlines()
    return [json.loads(one) for one in answers], json.loads(last)


def trained_on():
    """Return the sources whose rows trained the shipped weights, and the composed pairs, whose parts did."""
    card = shipped().card
    return frozenset(card["data"]) | {f"pairs: {kind}" for kind in ("email", "table", "code")}


def fewer(rows):
    """Return the rows that the slower peer judges too: some of each cell, none of the longest."""
    taken = defaultdict(int)
    kept = []
    for row in rows:
        if len(row.text) <= PEER_CHARS and taken[row.slice, row.label] < PEER_PER_CELL:
            taken[row.slice, row.label] += 1
            kept.append(row)
    return kept


def ours(rows, model=""):
    """Return our score and verdict for each row."""
    judge = Judge(detectors("1%", model))
    scores, blocked = [], []
    for row in rows:
        seen = judge.judge(Text(row.text, trust_of(row.role)))
        scores.append(seen.score)
        blocked.append(isinstance(seen.verdict, Block))
    return np.array(scores), np.array(blocked)


def threshold(scores, rows, budget, without):
    """Return the least score above which at most `budget` of the benign texts lie, each source weighing the same."""
    by_source = defaultdict(list)
    for score, row in zip(scores, rows, strict=True):
        if row.label == 0 and row.slice != without:
            by_source[row.slice].append(score)
    pooled = np.concatenate([np.sort(many) for many in by_source.values()])
    weights = np.concatenate([np.full(len(many), 1 / len(many)) for many in by_source.values()])
    order = np.argsort(-pooled)
    passed = np.cumsum(weights[order]) / weights.sum() > budget
    return float(pooled[order][np.argmax(passed)])


def quality(scores, blocked, rows, seen):
    """Return per slice recall or false positives: at each budget (threshold of the other sources) and as shipped."""
    table = {}
    for cell in sorted({(row.slice, row.label) for row in rows}):
        inside = np.array([(row.slice, row.label) == cell for row in rows])
        entry = {"n": int(inside.sum()), "trained_on": cell[0] in seen}
        for budget in BUDGETS:
            hits = int((scores[inside] > threshold(scores, rows, budget, cell[0])).sum())
            entry[f"at {budget:.1%}"] = interval(hits, entry["n"])
        entry["as shipped"] = interval(int(blocked[inside].sum()), entry["n"])
        table[f"{cell[0]} ({'attack' if cell[1] else 'benign'})"] = entry
    return {"slices": table, "summary": summary(table)}


def summary(table):
    """Return macro means over slices of at least 20 rows, all of them and those that training never saw."""
    out = {}
    for name, keep in (("all", lambda e: True), ("unseen", lambda e: not e["trained_on"])):
        for kind in ("attack", "benign"):
            cells = {k: e for k, e in table.items() if kind in k and e["n"] >= 20 and keep(e)}
            for figure in (*(f"at {budget:.1%}" for budget in BUDGETS), "as shipped"):
                values = {k: e[figure][0] for k, e in cells.items()}
                worst = (min if kind == "attack" else max)(values, key=values.get)
                mean = round(float(np.mean(list(values.values()))), 4)
                out[f"{name}, {kind}, {figure}"] = {"macro": mean, "worst": [worst, values[worst]]}
    return out


def interval(hits, n):
    """Return share, lower and upper end."""
    measured = proportion(hits, n, seed=SEED)
    return [round(measured.value, 4), round(measured.low, 4), round(measured.high, 4)]


def main():
    """Judge, measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="holds train.jsonl.gz and bipia_train.json.gz")
    parser.add_argument("--rows", type=int, default=PER_CELL, help="of each source and label at most")
    parser.add_argument("--model", default="", help="a classifier other than the shipped one")
    parser.add_argument("--without", nargs="*", default=[], help="sources left out altogether; nothing is written")
    parser.add_argument("--alone", action="store_true", help="without the peer; nothing is written")
    args = parser.parse_args()
    rows, _ = detect_rows.sampled(args.folder / "train.jsonl.gz", args.rows, SEED)
    rows += detect_rows.pairs(args.folder / "bipia_train.json.gz", 3 * args.rows, SEED)
    rows = [row for row in rows if row.slice not in args.without]
    print(f"{len(rows)} rows", flush=True)
    seen = trained_on()
    begun = time.perf_counter()
    figures = {"bartizan": quality(*ours(rows, args.model), rows, seen)}
    print(f"ours: {time.perf_counter() - begun:.0f} s", flush=True)
    if args.alone:
        for line, value in figures["bartizan"]["summary"].items():
            print(f"  {line:32} {value['macro']:7.1%}   worst {value['worst'][0]} {value['worst'][1]:.1%}")
        return
    short = fewer(rows)
    answers, _ = run_script(peer_python(), PEER_SCRIPT, [row.text for row in short])
    scores, blocked = np.array([one[0] for one in answers]), np.array([one[1] for one in answers])
    figures["stackone-defender"] = quality(scores, blocked, short, frozenset())
    figures["bartizan on the peer's rows"] = quality(*ours(short, args.model), short, seen)
    result = {
        "what": __doc__.split("\n")[0],
        "seed": SEED,
        "versions": {
            "bartizan": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "peer": PEER,
        },
        "machine": platform.machine(),
        "quality": figures,
    }
    if not args.model and not args.without and args.rows == PER_CELL:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    for name, figure in figures.items():
        print(f"\n{name}")
        for line, value in figure["summary"].items():
            print(f"  {line:32} {value['macro']:7.1%}   worst {value['worst'][0]} {value['worst'][1]:.1%}")
        for line, value in figure["slices"].items():
            if "pairs" in line:
                print(
                    f"  {line:38} " + "  ".join(f"{k} {value[k][0]:.1%}" for k in ("at 1.0%", "at 0.1%", "as shipped"))
                )


if __name__ == "__main__":
    main()
