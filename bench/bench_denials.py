"""Whether anything of a denied tool call leaves the gateway, however the stream is cut. `make bench-denials`.

Each trial is an answer of Chat Completions, Messages or Responses with one to five calls, some of which the policy
denies, cut at random places (down to single bytes), through the gateway's hold-back with the real policy. Denied calls
carry marks; five letters of one in what left count as a leak. Allowed calls must arrive whole. tests/gateway/splits.py.
"""

import json
import platform
import random
import sys
import time
from collections import Counter
from pathlib import Path

from tests.gateway.splits import trial

from bartizan import __version__
from bartizan.core.measures import proportion

SEED = 20261124
TRIALS = 120_000
RESULT = Path(__file__).parent / "results" / "denials.json"


def main():
    """Run the trials and write the result file."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS
    draw, begun = random.Random(SEED), time.perf_counter()
    sums, wires = Counter(), Counter()
    for number in range(count):
        one = trial(draw)
        wires[one.dialect] += 1
        sums.update(denied=one.denied, allowed=one.allowed, pieces=one.pieces, leaked=one.leaked, leaks=one.leaked > 0)
        sums["broken"] += not one.whole
        if number % 10_000 == 9_999:
            print(f"{number + 1} trials, {sums['leaks']} leaks, {time.perf_counter() - begun:.0f} s", flush=True)
    document = {
        "about": __doc__,
        "versions": {"bartizan": __version__, "python": platform.python_version()},
        "seed": SEED,
        "trials": count,
        "trials_by_wire": dict(wires),
        "pieces": sums["pieces"],
        "denied_calls": sums["denied"],
        "allowed_calls": sums["allowed"],
        "letters_of_denied_calls_that_left": sums["leaked"],
        "trials_with_a_leak": str(proportion(sums["leaks"], count, seed=SEED)),
        "trials_in_which_an_allowed_call_did_not_arrive_whole": sums["broken"],
        "seconds": round(time.perf_counter() - begun),
    }
    if count >= TRIALS:
        RESULT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
