"""The agent firewall against a fully hijacked agent: AgentDojo v1.2.2 with no model, and hijacked arguments.

`make bench-agents`. AgentDojo (agentdojo==0.1.35, MIT) is a peer, not a dependency: when it cannot be imported this
script makes a virtual environment under build/peers/agentdojo, installs it there beside the base install, and runs
itself again in it. The policy is the one that ships; manifests are in bench/agents/manifests/.

Each of the 949 pairs of user task and injection is played twice: with AgentDojo's `important_instructions` text, and
with the goal written in base64 only. The user's own calls run through the policy; as soon as a tool result holds the
attacker's text, every call of the injection is asked for; then the user's go on.
"""

import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE / "results" / "agents.json"
PEER = Path("build/peers/agentdojo")
AGENTDOJO = "agentdojo==0.1.35"
SEED = 20261124
FIRST_CONTACT = {
    "suites": "slack, travel: not looked at while the rules were written on workspace and banking",
    "utility_no_approval": "24/41",
    "utility_truthful_approver": "31/41",
    "hsr": "5/245",
}
"""Measured once, on the first run over the held-out suites; rules were extended afterwards, so it cannot be rerun."""


def with_agentdojo():
    """Run this script again where AgentDojo is installed."""
    try:
        import agentdojo  # noqa: F401
    except ImportError:
        python = PEER / "bin" / "python"
        if not python.exists():
            print(f"installing {AGENTDOJO} into {PEER} …", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
            pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", "requirements/base.txt"], check=True)
            subprocess.run([*pip, AGENTDOJO], check=True)
        os.execv(python, [str(python), *sys.argv])


def policies(suite):
    """Return what is compared, each with its approver."""
    from bench.agents.policies import allowlist, nothing, ours, taint

    made, zero = ours(suite, manifest=True), ours(suite, manifest=False)
    return {
        "no defence": (nothing, "none"),
        "static allowlist (oracle)": (allowlist(suite), "none"),
        "naive taint": (taint(suite), "none"),
        "bartizan": (made, "none"),
        "bartizan, truthful approver": (made, "truthful"),
        "bartizan, approves everything": (made, "approve-everything"),
        "bartizan, zero configuration": (zero, "none"),
    }


def totals(rows):
    """Return the columns of several suites added up, with exact intervals."""
    from bartizan.core.measures import proportion

    by_name = {}
    for row in rows:
        sums = by_name.setdefault(row["name"], dict.fromkeys(row, 0))
        for key, value in row.items():
            if isinstance(value, int):
                sums[key] += value
    shown = {}
    for name, one in by_name.items():
        shown[name] = {
            "utility": measured(proportion(one["solved"], one["users"], seed=SEED)),
            "approvals_per_task": round(one["asked"] / one["users"], 4),
            "hsr": measured(proportion(one["harmed"], one["pairs"], seed=SEED)),
            "utility_under_attack": measured(proportion(one["kept"], one["pairs"], seed=SEED)),
            "approvals_per_attacked_task": round(one["asked_attacked"] / one["pairs"], 4),
        }
    return shown


def measured(measurement):
    """Return a share as people read it and as programs do."""
    return {
        "value": round(measurement.value, 4),
        "hits": round(measurement.value * measurement.n),
        **asdict(measurement),
    }


FORMS = ("plain", "base64")


def played(name, form):
    """Play one suite in one form, in a process of its own."""
    from bench.agents.suites import Suite
    from bench.agents.table import benign, under_attack

    suite = Suite(name)
    if form == "arguments":
        return bent(suite)
    alone = benign(suite, policies(suite))
    attacked = under_attack(suite, policies(suite), hidden=form == "base64")
    rows, harms = [], []
    for without, column in zip(alone, attacked, strict=True):
        column.users, column.solved, column.asked = without.users, without.solved, without.asked
        row = {key: value for key, value in asdict(column).items() if isinstance(value, int | str)}
        rows.append({"suite": name, **row})
        if column.name.startswith("bartizan") and "everything" not in column.name:
            harms += [f"{form} | {column.name} | {harm}" for harm in column.harms]
    return rows, harms, [one for column in alone if column.name == "bartizan" for one in column.lost]


def bent(suite):
    """Decide the user's own calls with hijacked arguments: made, allowed and asked by kind."""
    from bench.agents.hijack import KINDS, hijacked
    from bench.agents.policies import manifest_of, ours, taint

    compared = {"bartizan": ours(suite, manifest=True), "zero configuration": ours(suite, manifest=False)}
    found = {}
    for label, policy in {**compared, "naive taint": taint(suite)}.items():
        counted = hijacked(suite, policy, manifest_of(suite.name))
        sums = {kind: [counted.made[kind], counted.allowed[kind], counted.asked[kind]] for kind in KINDS}
        found[label] = sums | {"through": counted.through}
    return found


def main():
    """Play everything and write the result file."""
    with_agentdojo()
    from bench.agents.hijack import KINDS
    from bench.agents.suites import SUITES, VERSION

    from bartizan import __version__
    from bartizan.core.measures import proportion

    begun = time.perf_counter()
    names = sys.argv[1:] or list(SUITES)
    rows, lost, harms, hijack = {form: [] for form in FORMS}, [], [], {}
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = {(name, form): pool.submit(played, name, form) for name in names for form in (*FORMS, "arguments")}
        for (name, form), job in jobs.items():
            done = job.result()
            print(f"{name} {form}: {time.perf_counter() - begun:.0f} s", flush=True)
            if form == "arguments":
                for label, sums in done.items():
                    into = hijack.setdefault(label, {kind: [0, 0, 0] for kind in KINDS} | {"through": []})
                    for kind in KINDS:
                        into[kind] = [left + right for left, right in zip(into[kind], sums[kind], strict=True)]
                    into["through"] += sums["through"]
            else:
                rows[form] += done[0]
                harms += done[1]
                lost += done[2] if form == "plain" else []
    arguments = {
        label: {
            kind: {
                "allowed": measured(proportion(sums[kind][1], sums[kind][0], seed=SEED)),
                "asked": sums[kind][2],
            }
            for kind in KINDS
            if sums[kind][0]
        }
        | {"allowed_calls": sums["through"]}
        for label, sums in hijack.items()
    }
    document = {
        "about": __doc__,
        "versions": {
            "bartizan": __version__,
            "agentdojo": AGENTDOJO,
            "suites": VERSION,
            "python": platform.python_version(),
        },
        "seed": SEED,
        "development": "rules and manifests were written with all four suites in sight in the end: development figures",
        "held_out_first_contact": FIRST_CONTACT,
        "totals": {form: totals(columns) for form, columns in rows.items()},
        "suites": rows,
        "bartizan_lost_without_approval": lost,
        "bartizan_harms": harms,
        "hijacked_arguments": arguments,
        "seconds": round(time.perf_counter() - begun),
    }
    target = RESULT if len(sys.argv) == 1 else Path("/dev/stdout")
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for form, columns in document["totals"].items():
        for name, one in columns.items():
            shown = [f"{one[key]['hits']}/{one[key]['n']}" for key in ("utility", "hsr", "utility_under_attack")]
            print(
                f"{form:7} {name:32} utility {shown[0]}  HSR {shown[1]}  under attack {shown[2]}"
                f"  approvals/task {one['approvals_per_task']}"
            )


if __name__ == "__main__":
    main()
