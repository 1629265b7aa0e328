"""What judging a text costs on one core, beside stackone-defender in the same run: time, load, memory.

`make bench-detect-speed ARGS=FOLDER`, the folder of the labelled rows with `open_texts.jsonl.gz`. Texts are clean pages
of a manual, of requests and of answers. Each tool runs in a process of its own, in turn, three times; CPU time is given
beside the clock's, because other work may run on the machine. Memory is the process's own peak.
"""

import json
import os
import platform
import random
import sys
from pathlib import Path

import numpy as np
from bench import detect_rows
from bench.bench_detect import PEER, peer_python, run_script

from bartizan import __version__

SEED = 20261129
LENGTHS = {100: 60, 500: 60, 4_000: 40, 16_000: 12}
ROUNDS = 3
RESULT = Path(__file__).parent / "results" / "detect_speed.json"
BEGIN = """
import json, sys, time
begun, begun_cpu = time.perf_counter(), time.process_time()
"""
END = """
load = time.perf_counter() - begun, time.process_time() - begun_cpu
for line in sys.stdin:
    text = json.loads(line)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    judge(text)
    print(json.dumps([time.perf_counter() - begun, time.process_time() - begun_cpu]), flush=True)
with open("/proc/self/status") as status:
    most = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps({"load s": load[0], "load CPU s": load[1], "peak MB": most / 1024}))
"""
OURS = """
from bartizan.core.messages import Text, Trust
from bartizan.detect.judge import Judge
known = Judge()
def judge(text):
    return known.judge(Text(text, Trust.USER))
judge("hello")
"""
THEIRS = """
from stackone_defender import create_prompt_defense
defense = create_prompt_defense(block_high_risk=True)
defense.warmup_tier2()
def judge(text):
    return defense.defend_tool_result(text, "read")
judge("hello")
"""


def measured(texts):
    """Return for both tools each text's (clock, CPU) seconds, the least over the rounds, and the process's figures."""
    least, process = {}, {}
    for _ in range(ROUNDS):
        for name, python, script in (("bartizan", sys.executable, OURS), ("stackone-defender", peer_python(), THEIRS)):
            took, figures = run_script(python, BEGIN + script + END, texts)
            took = np.array(took)
            least[name] = np.minimum(least.get(name, took), took)
            known = process.setdefault(name, figures)
            process[name] = {key: min(known[key], value) for key, value in figures.items()}
    return least, process


def main():
    """Measure, print, write."""
    if len(sys.argv) != 2:
        sys.exit("make bench-detect-speed ARGS=FOLDER: name the folder of train.jsonl.gz and open_texts.jsonl.gz")
    draw = random.Random(SEED)
    manuals, talk = detect_rows.clean(Path(sys.argv[1]))
    texts = [
        detect_rows.page((manuals["docs: sqlalchemy"], talk)[number % 2], length, draw)
        for length, count in LENGTHS.items()
        for number in range(count)
    ]
    least, process = measured(texts)
    out = {name: {key: round(value, 3) for key, value in figures.items()} for name, figures in process.items()}
    first = 0
    faster = {}
    for length, count in LENGTHS.items():
        p50 = {name: np.median(took[first : first + count], 0) * 1000 for name, took in least.items()}
        first += count
        for name, (clock, cpu) in p50.items():
            out[name][f"{length} characters: p50 ms, CPU ms, MB/s"] = [
                round(float(clock), 3),
                round(float(cpu), 3),
                round(length / float(cpu) / 1e3, 3),
            ]
        faster[str(length)] = round(float(p50["stackone-defender"][1] / p50["bartizan"][1]), 1)
    result = {
        "what": __doc__.split("\n")[0],
        "seed": SEED,
        "versions": {
            "bartizan": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "peer": PEER,
        },
        "load of the machine (1 minute)": round(os.getloadavg()[0], 1),
        "tools": out,
        "times less CPU than stackone-defender": faster,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
