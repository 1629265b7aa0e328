"""Attacks in turns and innocent conversations, through the input screen turn by turn as a chat client sends them.

`make bench-turns` or `python bench/bench_turns.py --each 20`. Attacks (`lab/turns.py`) are played against a stand-in
that can be talked round (`lab/pliable.py`); one has won when an answer holds what it is after and nothing was blocked
before. Innocent conversations are of kinds that calibration has not seen, and of kinds it has seen, with another
seed. Off: `detect.conversation = false`, each text judged alone. With answers: the openings of answers are judged too,
as `output.conduct = "block"` does. One thread.
"""

import argparse
import json
import platform
import random
import time
from functools import partial
from pathlib import Path

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.core.messages import Prompt, Role
from bartizan.core.sections.detect import Detect
from bartizan.core.verdicts import Allow
from bartizan.detect.screen import InputScreen
from bartizan.gateway.output.conduct import watched
from bartizan.lab.turns import FAMILIES, HELD_OUT, LEARNT, attack, innocent, play, requests

RESULT = Path(__file__).parent / "results" / "turns.json"
SEED = 20261130


def stopped(screen, asked):
    """Whether one of the requests of a conversation is blocked, and by its course alone; CPU milliseconds of each."""
    spent = []
    for one in asked:
        began = time.process_time()
        verdict = screen.screen(Prompt("", one)).verdict
        spent.append(1000 * (time.process_time() - began))
        if not isinstance(verdict, Allow):
            return True, verdict.why.startswith("over the conversation"), spent
    return False, False, spent


def leaves(screen, messages, answer):
    """Whether an answer may leave as far as the course of its conversation says."""
    control = watched(screen.screen(Prompt("", messages)).course)
    return control is None or not control.look(answer, final=True).hits


def kept_back(screen, messages):
    """Whether one of the answers of an innocent conversation is kept back."""
    return any(
        one.role is Role.ASSISTANT and not leaves(screen, messages[:at], one.texts()[0].content)
        for at, one in enumerate(messages)
    )


def figure(hits, total):
    """A share with its interval."""
    share = proportion(hits, total, seed=SEED)
    return [round(number, 3) for number in (share.value, share.low, share.high)]


def attacks(screens, family, each):
    """What the attacks of a family win."""
    draw = random.Random(f"{SEED}-{family}")
    many = [attack(family, draw, number) for number in range(each)]
    row = {"bare": figure(sum(play(one).won for one in many), each)}
    for name, screen in screens.items():
        row[name] = figure(sum(play(one, _allows(screen)).won for one in many), each)
        if name.endswith(" on"):
            judged = partial(leaves, screen)
            row[f"{name}, with answers"] = figure(sum(play(one, _allows(screen), judged).won for one in many), each)
    return row


def honest(screens, kind, each):
    """How many innocent conversations of a kind are stopped."""
    draw = random.Random(f"{SEED}-{kind}")
    many = [innocent(kind, draw) for _ in range(each)]
    rows = {name: [stopped(screen, list(requests(one))) for one in many] for name, screen in screens.items()}
    held = {
        name: sum(kept_back(screen, one) for one in many) for name, screen in screens.items() if name.endswith("on")
    }
    return rows, held


def main():
    """Measure and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=100, help="conversations of each family and each kind")
    args = parser.parse_args()
    won, blocked, held, cost = {}, {}, {}, {}
    modes = {
        f"{budget} {name}": InputScreen(settings=Detect(budget=budget, conversation=on))
        for budget in ("1%", "0.1%")
        for name, on in (("off", False), ("on", True))
    }
    for family in FAMILIES:
        won[family] = attacks(modes, family, args.each)
        print(family, json.dumps(won[family]), flush=True)
    totals = {group: {name: [0, 0] for name in modes} for group in ("kinds calibration saw", "kinds it did not see")}
    for group, kinds in zip(totals, (LEARNT, HELD_OUT), strict=True):
        for kind in kinds:
            rows, held[kind] = honest(modes, kind, args.each)
            blocked[kind] = {}
            for name, seen in rows.items():
                any_way, by_course = sum(one[0] for one in seen), sum(one[1] for one in seen)
                blocked[kind][name] = [any_way, by_course, len(seen)]
                totals[group][name][0] += by_course
                totals[group][name][1] += len(seen)
                cost.setdefault(name, []).extend(value for one in seen for value in one[2])
            print(kind, json.dumps(blocked[kind]), json.dumps(held[kind]), flush=True)
    found = {
        "command": f"python bench/bench_turns.py --each {args.each}",
        "bartizan": __version__,
        "machine": platform.platform(),
        "attacks that win [share, low, high]": won,
        "innocent conversations stopped [any way, by their course, of]": blocked,
        f"innocent conversations of which an answer is kept back, of {args.each}": held,
        "stopped by their course": {
            group: {name: figure(*pair) for name, pair in row.items()} for group, row in totals.items()
        },
        "CPU ms per request [median, 95 %]": {
            name: [round(sorted(many)[int(share * len(many))], 2) for share in (0.5, 0.95)]
            for name, many in cost.items()
        },
    }
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found["stopped by their course"]), json.dumps(found["CPU ms per request [median, 95 %]"]))


def _allows(screen):
    return lambda messages: isinstance(screen.screen(Prompt("", messages)).verdict, Allow)


if __name__ == "__main__":
    main()
