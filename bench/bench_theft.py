"""How soon is a stolen key stopped, and how often a key that is not? Simulated owners and thieves, unseen seeds.

False quarantines: key-years of owners alone, and which part of their requests had to wait. Containment: a thief
appears in an owner's traffic on a random day; what counts is what it gets until the key is quarantined or its
stepped-down money is used up: requests, seconds, and money as a share of the key's month; and, beside it, what it gets
in five days in all.
Baselines: a fixed rate of 60 requests a minute and a monthly budget of twice the owner's spend, and the rate feature
alone. The owners' habits are assumptions written in `lab/key_traffic.py`; the figures speak of them only.

  python bench/bench_theft.py [--quick] [--only owners thieves]
"""

import argparse
import json
import math
import random
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.gateway.theft import Profile, Sight
from bartizan.lab.key_traffic import OWNERS, THIEVES, merged, owner_traffic, thief_traffic

SEED, DAY_S, MOST_REQUESTS = 770_000, 86_400, 2000
say = Console(stderr=True).print


def judged(profile, shown):
    """What the detector says of one request, and whether it is let through; what it costs is then told."""
    said = profile.see(Sight(shown.at_s, shown.network, shown.client, shown.model, shown.size, shown.probe))
    wait_s = profile.wait_s(shown.at_s) if said.level == "step-down" else 0
    if said.level != "quarantine" and not wait_s:
        profile.paid(shown.at_s, round(shown.dollars * 1e9))
    return said, wait_s


def honest(years):
    """Run owners alone; count how often each level was reached, and which requests had to wait."""
    rises, reasons = {"alert": 0, "step-down": 0, "quarantine": 0}, []
    asked = waited = 0
    for number in range(years):
        owner, profile = OWNERS[number % len(OWNERS)], Profile()
        for shown in owner_traffic(random.Random(SEED + number), owner, 365):
            said, wait_s = judged(profile, shown)
            asked, waited = asked + 1, waited + (wait_s > 0)
            if said.rises:
                rises[said.level] += 1
                if said.level == "quarantine":
                    reasons.append(f"{owner.name}: {said}")
                    profile = Profile()
    return {
        "key-years": years,
        "per key-year": {level: round(count / years, 3) for level, count in rises.items()},
        "false quarantines per key-year, upper 95 %": round(poisson_upper(rises["quarantine"]) / years, 3),
        "requests that had to wait, per million": round(1e6 * waited / asked, 1),
        "why": reasons[:10],
    }


def poisson_upper(count):
    """The exact one-sided 95 % upper bound of a Poisson mean of which `count` was seen (Garwood 1936), by bisection."""
    low, high = 0.0, 10.0 * count + 20
    for _ in range(60):
        middle = (low + high) / 2
        seen = sum(math.exp(-middle) * middle**k / math.factorial(k) for k in range(count + 1))
        low, high = (middle, high) if seen > 0.05 else (low, middle)
    return high


def stolen(thief, number):
    """One theft: (requests, seconds, share of the month's money) until contained, or None; the share in five days."""
    rng = random.Random(SEED * 3 + number)
    owner, profile = OWNERS[number % len(OWNERS)], Profile()
    own = list(owner_traffic(rng, owner, 40))
    start = (28 + rng.random() * 6) * DAY_S
    like = rng.choice([shown for shown in own if shown.at_s < start][-200:])
    month = 2 * sum(shown.dollars for shown in own if shown.at_s < 30 * DAY_S)
    requests, spent, contained = 0, 0.0, None
    for shown, is_thief in merged(iter(own), thief_traffic(rng, thief, like, start)):
        if shown.at_s > start + 5 * DAY_S or requests > MOST_REQUESTS:
            break
        said, wait_s = judged(profile, shown)
        stopped = said.level == "quarantine"
        if is_thief and not stopped and not wait_s:
            requests, spent = requests + 1, spent + shown.dollars
        if contained is None and shown.at_s >= start and (stopped or wait_s > 60):
            contained = max(requests, 1), shown.at_s - start, spent / month
        if stopped and shown.at_s >= start:
            break
    return contained, min(spent / month, 1.0)  # there the month's budget is gone


def baseline(thief):
    """What a fixed rate (60 a minute) and a budget of twice the owner's month let through: all of that budget."""
    return "until the budget is gone" if thief.per_minute <= 60 else "60 requests a minute until the budget is gone"


def main():
    """Run and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=["owners", "thieves"])
    args = parser.parse_args()
    years, thefts = (8, 8) if args.quick else (120, 60)
    path = Path(__file__).parent / "results/theft.json"
    found = json.loads(path.read_text()) if path.exists() and not args.quick else {"thieves": {}}
    found |= {"version": __version__, "python": sys.version.split()[0], "seed": SEED}
    if "owners" in args.only:
        found["owners"] = honest(years)
        say(found["owners"])
    for thief in THIEVES if "thieves" in args.only else ():
        runs = [stolen(thief, number) for number in range(thefts)]
        caught = [run for run, _ in runs if run is not None]
        within = sum(run[0] <= 20 and run[1] <= 60 and run[2] <= 0.01 for run in caught)
        row = {
            "contained in five days": str(proportion(len(caught), thefts, seed=SEED)),
            "within 20 requests": str(proportion(sum(run[0] <= 20 for run in caught), thefts, seed=SEED)),
            "within 20 requests, 60 s and 1 % of the month": str(proportion(within, thefts, seed=SEED)),
            "baseline (rate and budget)": baseline(thief),
        }
        for name, index in (("requests", 0), ("seconds", 1), ("share of the month", 2)):
            values = [run[index] for run in caught]
            row[name] = {f"p{q}": round(float(np.percentile(values, q)), 4) for q in (50, 90, 100)} if values else None
        taken = [share for _, share in runs]
        row["share of the month in five days, at most 2,000 requests"] = {
            f"p{q}": round(float(np.percentile(taken, q)), 4) for q in (50, 90, 100)
        }
        found["thieves"][thief.name] = row
        say(thief.name, row)
    if not args.quick:
        path.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
