"""Whether anything of a denied tool call leaves the gateway, however the stream is cut. `make bench-denials`.

In parts, if you like: `make bench-denials ARGS="--part 1/8"`. Each trial is an answer of Chat Completions, Messages or
Responses with one to five calls, some of which the policy denies, cut at random places (down to single bytes), through
the gateway's hold-back with the real policy. Denied calls carry marks; five letters of one in what left are a leak.
Allowed calls must arrive whole. tests/gateway/splits.py.
"""

import argparse
import json
import platform
import random
import time
from collections import Counter
from pathlib import Path

from tests.gateway.splits import trial

from bartizan import __version__
from bartizan.core.measures import proportion

SEED = 20261124
TRIALS = 120_000
RESULT = Path(__file__).parent / "results" / "denials.json"


def tried(count, seed):
    """Run so many trials; return the sums."""
    draw, begun = random.Random(seed), time.perf_counter()
    sums, wires = Counter(), Counter()
    for number in range(count):
        one = trial(draw)
        wires[one.dialect] += 1
        sums.update(denied=one.denied, allowed=one.allowed, pieces=one.pieces, leaked=one.leaked, leaks=one.leaked > 0)
        sums["broken"] += not one.whole
        if number % 10_000 == 9_999:
            print(f"{number + 1} trials, {sums['leaks']} leaks, {time.perf_counter() - begun:.0f} s", flush=True)
    return {
        "trials": count,
        "trials_by_wire": dict(wires),
        "pieces": sums["pieces"],
        "denied_calls": sums["denied"],
        "allowed_calls": sums["allowed"],
        "letters_of_denied_calls_that_left": sums["leaked"],
        "trials_with_a_leak": sums["leaks"],
        "trials_in_which_an_allowed_call_did_not_arrive_whole": sums["broken"],
        "seconds": round(time.perf_counter() - begun),
    }


def together(parts):
    """Return the sums of all parts added up."""
    sums = {key: sum(one[key] for one in parts) for key, value in parts[0].items() if isinstance(value, int)}
    wires = sum((Counter(one["trials_by_wire"]) for one in parts), Counter())
    leaks = str(proportion(sums["trials_with_a_leak"], sums["trials"], seed=SEED))
    return sums | {"trials_by_wire": dict(wires), "trials_with_a_leak": leaks}


def main():
    """Run the trials, or a part of them, and write the result file; a shorter run is only printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--part", metavar="K/N", default="1/1", help="the K-th of N parts of the trials")
    args = parser.parse_args()
    part, of = map(int, args.part.split("/"))
    found = tried(-(-args.trials // of), SEED + 1000 * (part - 1))
    print(json.dumps(found, indent=1))
    if args.trials < TRIALS:
        return
    document = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    parts = {name: one for name, one in document.get("parts", {}).items() if name.endswith(f"/{of}")}
    parts |= {args.part: found}
    about = {"about": __doc__, "versions": {"bartizan": __version__, "python": platform.python_version()}, "seed": SEED}
    document = {**about, **together(list(parts.values())), "parts": dict(sorted(parts.items()))}
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
