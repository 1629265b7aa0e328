"""What one decision costs in a conversation of 100,000 characters, and a long attack on the policy's invariant.

`make bench-policy`, or a part: `make bench-policy ARGS="--only cost"`. Cost: the context of the earlier messages is
kept, as in the gateway; timed are, apart, taking in one new tool result of 2,000 characters, and deciding one call
(found context included); by the wall's clock, and by the processor time of the thread, which other work on the machine
does not lengthen. Attack: the Hypothesis state machine of tests/policy/machine.py, with knowledge of the source, for
STEPS steps, and the same attacker driven by chance alone for STEPS more; every call that would run is judged by the
request and by what the call carries, not by what the policy says.
"""

import argparse
import json
import platform
import random
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.policy.machine import Attack, PolicyMachine

from bartizan import __version__
from bartizan.core.measures import proportion, quantile
from bartizan.core.messages import Message, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.context import Contexts
from bartizan.policy.decide import decide

SEED = 20261124
STEPS = 100_000
CONVERSATIONS, TURNS = 20, 20
RESULT = Path(__file__).parent / "results" / "policy.json"
TOOLS = (ToolSpec("search_mail"), ToolSpec("send_mail"), ToolSpec("delete_mail"), ToolSpec("pay"))
WORDS = ["the", "quarterly", "report", "says", "every", "office", "shall", "order", "paper", "pens", "coffee", "water"]


def result(draw, number):
    """A list of mails, about 2,000 characters."""
    mails = [
        {
            "id": number * 100 + one,
            "sender": f"{draw.choice(WORDS)}{number}@corp.example",
            "subject": " ".join(draw.choices(WORDS, k=4)),
            "body": " ".join(draw.choices(WORDS, k=60)),
        }
        for one in range(4)
    ]
    return json.dumps(mails)


def turn(draw, number):
    """A call and its result."""
    call = ToolCall(f"c{number}", "search_mail", json.dumps({"query": draw.choice(WORDS)}))
    text = Text(result(draw, number), Trust.TOOL, f"m{number}")
    return (Message(Role.ASSISTANT, (call,)), Message(Role.TOOL, (ToolResult(call.id, text),)))


CALLS = (
    ("send_mail", {"to": ["bob@corp.example"], "body": "the pens and the paper of every office " * 5}),
    ("send_mail", {"to": ["paper7@corp.example"], "body": "x"}),
    ("delete_mail", {"id": 5903}),
    ("pay", {"account": "DE89370400440532013000", "amount": 5}),
    ("search_mail", {"query": "pens"}),
)
"""To whom the user names; to an address out of a mail; of a mail that the request does not point at; what nobody asked
for; a reading call."""


def cost():
    """Return microseconds of taking in a result, and of deciding a call, in conversations that grow from 100,000
    characters on."""
    draw = random.Random(SEED)
    asked = Message.of(
        Role.USER, "Search my mail about paper and send bob@corp.example the total; delete the latest mail"
    )
    taking, deciding, working, verdicts, sizes = [], [], [], Counter(), []
    for conversation in range(CONVERSATIONS):
        kept, messages = Contexts(), (asked,)
        for number in range(60):
            messages += turn(draw, number)
            kept.of(messages, TOOLS)
        sizes.append(sum(len(text.content) for message in messages for text in message.texts()))
        for number in range(TURNS):
            messages += turn(draw, 1000 * (conversation + 1) + number)
            begun = time.perf_counter_ns()
            kept.of(messages, TOOLS)
            taking.append((time.perf_counter_ns() - begun) / 1000)
            for tool, arguments in CALLS:
                call = ToolCall("c", tool, json.dumps(arguments))
                worked, begun = time.thread_time_ns(), time.perf_counter_ns()
                decision = decide(call, kept.of(messages, TOOLS))
                deciding.append((time.perf_counter_ns() - begun) / 1000)
                working.append((time.thread_time_ns() - worked) / 1000)
                verdicts[f"{tool}: {decision.reason}"] += 1
    return min(sizes), taking, deciding, working, dict(verdicts)


def shown(values, unit="us"):
    """Return p50 and p99 with bootstrap intervals."""
    return {
        name: {
            "value": round(one.value, 1),
            "low": round(one.low, 1),
            "high": round(one.high, 1),
            "n": one.n,
            "unit": unit,
        }
        for name, one in (
            ("p50", quantile(values, 0.5, seed=SEED, unit=unit)),
            ("p99", quantile(values, 0.99, seed=SEED, unit=unit)),
        )
    }


def costs():
    """Measure the cost."""
    size, taking, deciding, working, verdicts = cost()
    return {
        "context_chars": size,
        "take_in_one_result": shown(taking),
        "decide_one_call": shown(deciding),
        "decide_one_call_processor_time": shown(working),
        "decisions": verdicts,
    }


def by_chance(steps, first):
    """Attack for so many steps, and count."""
    draw = random.Random(first)
    attack, begun = Attack(draw), time.perf_counter()
    for step in range(steps):
        attack.step(draw)
        if step % 10_000 == 9_999:
            say(step + 1, attack.violations, begun)
    return counted([attack], attack.violations, begun)


def by_hypothesis(steps, first):
    """Let Hypothesis drive the attack for so many steps, run after run; a violation ends a run, shrunk."""
    checks = tuple(HealthCheck)
    run = settings(max_examples=200, stateful_step_count=50, deadline=None, database=None, suppress_health_check=checks)
    violations, begun = [], time.perf_counter()
    PolicyMachine.attacks = attacks = []
    number = 0
    while sum(attack.steps for attack in attacks) < steps:
        machine = seed(first + number)(type(f"Run{number}", (PolicyMachine,), {}))
        number += 1
        try:
            run_state_machine_as_test(machine, settings=run)
        except AssertionError as error:
            violations.append(str(error).partition("\n")[0])
        say(sum(attack.steps for attack in attacks), violations, begun)
    return counted(attacks, violations, begun)


def say(steps, violations, begun):
    """Show that it goes on."""
    print(f"{steps} steps, {len(violations)} violations, {time.perf_counter() - begun:.0f} s", flush=True)


def counted(attacks, violations, begun):
    """Return what an attack came to."""
    asked = sum(attack.asked for attack in attacks)
    return {
        "steps": sum(attack.steps for attack in attacks),
        "calls_asked_for": asked,
        "calls_that_would_run": sum(attack.ran for attack in attacks),
        "violations": len(violations),
        "share": str(proportion(len(violations), max(asked, 1), seed=SEED)),
        "examples": violations[:5],
        "seconds": round(time.perf_counter() - begun),
    }


def attacked(steps, first=SEED):
    """Attack in both ways."""
    return {"hypothesis": by_hypothesis(steps, first), "chance": by_chance(steps, first)}


def together(pieces):
    """Return the counts of all pieces added up."""
    sums = {}
    for way in ("hypothesis", "chance"):
        ways = [piece[way] for piece in pieces]
        one = {key: sum(way[key] for way in ways) for key in ways[0] if isinstance(ways[0][key], int)}
        one["share"] = str(proportion(one["violations"], max(one["calls_asked_for"], 1), seed=SEED))
        sums[way] = one | {"examples": [example for way in ways for example in way["examples"]][:5]}
    return sums


def main():
    """Measure the parts asked for, and write them into the result file; a shorter attack is only printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=("cost", "attack"), default=["cost", "attack"])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--piece", metavar="K/N", default="1/1", help="the K-th of N pieces of the attack")
    args = parser.parse_args()
    for part in args.only:
        piece, of = map(int, args.piece.split("/"))
        steps = -(-args.steps // of)
        found = costs() if part == "cost" else attacked(steps, SEED + 1000 * (piece - 1))
        print(json.dumps({part: found}, indent=1))
        if part == "attack" and args.steps < STEPS:
            continue
        document = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        document |= {
            "about": __doc__,
            "versions": {"bartizan": __version__, "python": platform.python_version()},
            "seed": SEED,
        }
        if part == "attack":
            pieces = document.get("attack_pieces", {}) if of > 1 else {}
            pieces = {name: one for name, one in pieces.items() if name.endswith(f"/{of}")} | {args.piece: found}
            document["attack_pieces"], found = pieces, together(list(pieces.values()))
        document[part] = found
        RESULT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
