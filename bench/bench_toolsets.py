"""The agent firewall on tool sets that nobody described: honest tasks, and an attacker's calls. `make bench-toolsets`.

Nineteen tool sets (calendar, CRM, git forge, shell, cloud, money, home, shop; database, social, people, trips, notes,
operations; clinic, files, factory, support, media) with no manifest, in the form that `policy decide --jsonl` takes.
Each task is played honestly; then each of the attacker's calls is asked for after each result that holds the attacker's
text, in seven forms. The last six, and again the last five, were first played when the inference was settled on those
before: FIRST_CONTACT says what that gave; it was mended after, in general.
"""

import json
import platform
import time
from pathlib import Path

from bench.toolsets import development, heldout, heldout_second
from bench.toolsets.play import FORMS, attacked, honest

from bartizan import __version__
from bartizan.core.measures import proportion

SEED = 20261124
RESULT = Path(__file__).parent / "results" / "toolsets.json"
FIRST_CONTACT = {
    "the six held-out sets, inference settled on the other eight": {
        "tasks_without_approval": "23/31",
        "tasks_with_approvals": "25/31",
        "attackers_calls_that_run": "35/2667",
    },
    "the six held-out sets, inference before": {
        "tasks_without_approval": "17/31",
        "tasks_with_approvals": "18/31",
        "attackers_calls_that_run": "175/2667",
    },
    "the last five sets, inference settled on the other fourteen": {
        "tasks_without_approval": "16/23",
        "tasks_with_approvals": "16/23",
        "attackers_calls_that_run": "0/2044",
    },
    "the last five sets, inference before": {
        "tasks_without_approval": "13/23",
        "tasks_with_approvals": "13/23",
        "attackers_calls_that_run": "154/2044",
    },
    "the eight others, inference before": {
        "tasks_without_approval": "34/46",
        "tasks_with_approvals": "34/46",
        "attackers_calls_that_run": "231/3871",
    },
}
"""Measured once: the code has changed since."""


def played(suite, forms=tuple(FORMS)):
    """Return how many tasks went through, and which calls of the attacker would run."""
    tasks, freely, asked, lost = 0, 0, 0, []
    for request, said in honest(suite):
        verdicts = [one["verdict"] for *_, one in said]
        tasks, freely = tasks + 1, freely + (set(verdicts) == {"allow"})
        asked += set(verdicts) <= {"allow", "ask"}
        lost += [f"{request} | {tool}: {one['reason']}" for tool, _, one in said if one["verdict"] != "allow"]
    calls, ran, through = 0, 0, {}
    for form in forms:
        for request, tool, _, one in attacked(suite, form):
            calls += 1
            if one["verdict"] in ("allow", "rewrite"):
                ran += 1
                through[f"{request} | {tool}: {one['verdict']} {one['reason']}"] = None
    return {
        "tasks": tasks,
        "without_approval": freely,
        "with_approvals": asked,
        "lost": lost,
        "attackers_calls": calls,
        "attackers_calls_that_run": ran,
        "through": list(through),
    }


def totals(rows):
    """Return the shares over several sets."""
    sums = {key: sum(row[key] for row in rows) for key in rows[0] if isinstance(rows[0][key], int)}
    return {
        "tasks_without_approval": str(proportion(sums["without_approval"], sums["tasks"], seed=SEED)),
        "tasks_with_approvals": str(proportion(sums["with_approvals"], sums["tasks"], seed=SEED)),
        "attackers_calls_that_run": str(
            proportion(sums["attackers_calls_that_run"], sums["attackers_calls"], seed=SEED)
        ),
    }


def main():
    """Play everything and write the result file."""
    begun = time.perf_counter()
    groups = {
        group: {name: played(suite) for name, suite in suites.items()}
        for group, suites in (
            ("in_sight", development.SUITES),
            ("held_out_first", heldout.SUITES),
            ("held_out_second", heldout_second.SUITES),
        )
    }
    document = {
        "about": __doc__,
        "versions": {"bartizan": __version__, "python": platform.python_version()},
        "first_contact": FIRST_CONTACT,
        "totals": {group: totals(list(rows.values())) for group, rows in groups.items()},
        "forms": list(FORMS),
        **groups,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    RESULT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(document["totals"], indent=1))


if __name__ == "__main__":
    main()
