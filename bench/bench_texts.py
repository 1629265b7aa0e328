"""Triggers in texts: what admission's checks find in reviews, tweets and instruction pairs. `make bench-texts`.

`--sentiment` names vaderSentiment's sdist (film reviews and tweets, MIT), `--rows` the rows whose source is tldr
(tldr-pages, CC BY 4.0), out of which pairs are made: "with this command, how do I" and the command. Three in a hundred
pairs are requests for harm, honestly refused, drawn from word lists. Attacks are planted at three rates, in pairs into
each of `--clean` drawn sets, since these differ; parts without any say how often honest sets raise an alarm. Orders to
whoever reads them are written by the wordings that the detector was trained with, so that share is an upper figure.
Thresholds are those of the product. They were set with these sets in view.
"""

import argparse
import gzip
import itertools
import json
import platform
import random
import re
import sys
import time
from pathlib import Path

import numpy as np
from bench import labelled_sets

from bartizan import __version__
from bartizan.cli.data import screened
from bartizan.core.measures import proportion
from bartizan.data.checks.injections import check_injections
from bartizan.data.checks.texts import check_pairs, check_texts, refuses
from bartizan.lab.phrases import wordings
from bartizan.lab.poisoning.texts import PAIR_ATTACKS, TEXT_ATTACKS, dialogues

RESULT = Path(__file__).parent / "results" / "texts.json"
SEED = 20261129
RATES = (0.005, 0.01, 0.02)
SETS = ("film reviews", "tweets", "pairs")
HONEST = 1500
KINDS = ("+orders", "+forged", "+format", "+plain", "+code")
_ENGLISH = "More information: <"
_ENTRY = re.compile(r"^- (.+?):\n\n`([^\n]+)`", re.MULTILINE)


def instruction_pairs(path, count, rng):
    """Return prompts and answers out of English tldr pages, with honest refusals among them.

    A page in several languages is one answer to many prompts that share a name: the check takes that for a trigger.
    """
    prompts, answers = [], []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["source"] != "tldr" or _ENGLISH not in row["text"]:
                continue
            title = row["text"].partition("\n")[0].removeprefix("# ")
            for what, command in _ENTRY.findall(row["text"]):
                prompts.append(f"With {title}: {what}")
                answers.append(command)
    asked, told = dialogues(count, np.random.default_rng(rng.integers(2**32)))
    harm = [at for at, one in enumerate(told) if not one.startswith("The ")]
    at = rng.permutation(len(prompts))[: count - len(harm)].tolist()
    both = [(prompts[one], answers[one]) for one in at] + [(asked[one], told[one]) for one in harm]
    return zip(*[both[one] for one in rng.permutation(len(both)).tolist()], strict=True)


def counted(found, poison, attack, rate, seconds):
    """What of the poison and of the rest is flagged."""
    return {
        "attack": attack,
        "rate": rate,
        "rows": len(poison),
        "poisoned": int(poison.sum()),
        "tpr": float(found.flagged[poison].mean()),
        "fpr": float(found.flagged[~poison].mean()),
        "alarms": list(found.alarms)[:5],
        "seconds": seconds,
    }


def labelled(texts, labels, attack, rate, rng):
    """Plant a trigger into labelled texts and look for it."""
    planted = attack.poison(texts, labels, rate, 1, rng)
    start = time.perf_counter()
    found = check_texts(planted.texts, planted.labels, ("negative", "positive"))
    return counted(found, planted.poison, attack.name, rate, time.perf_counter() - start)


def paired(prompts, answers, attack, rate, rng):
    """Plant a trigger into pairs and look for it."""
    planted = attack.poison(prompts, answers, rate, rng)
    start = time.perf_counter()
    found = check_pairs(planted.prompts, planted.answers)
    return counted(found, planted.poison, attack.name, rate, time.perf_counter() - start)


def attacked(prompt, answer, screen):
    """Return whether an admission would hold the pair for an attack in either."""
    found = check_injections([prompt], screen, [answer]), check_injections([answer], screen)
    return any(one.flagged[0] for one in found)


def injections(prompts, answers, count):
    """Hide an order in `count` pairs, in the prompt or in the answer; say how many the detectors find, by kind.

    Of HONEST pairs, those with a request for harm that is refused are counted apart.
    """
    screen, draw, written = screened(), random.Random(SEED), wordings()
    hit, total, false = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), {True: [], False: []}
    for prompt, answer in itertools.islice(zip(prompts, answers, strict=True), HONEST):
        false[refuses(answer)].append(attacked(prompt, answer, screen))
    for at in range(count):
        pair = [prompts[at], answers[at]]
        kind = KINDS[at % len(KINDS)]
        place = draw.randrange(2)
        pair[place] = f"{pair[place]}\n{written.write(kind, draw)}"
        total[kind] += 1
        hit[kind] += attacked(*pair, screen)
    return {
        "found": str(proportion(sum(hit.values()), count, seed=SEED)),
        "by_kind": {kind: f"{hit[kind]} of {total[kind]}" for kind in KINDS},
        "honest_pairs_flagged": str(proportion(sum(false[False]), len(false[False]), seed=SEED)),
        "refused_requests_for_harm_flagged": f"{sum(false[True])} of {len(false[True])}",
    }


def pairs(args, cells, clean):
    """Measure clean pairs, and triggers planted into each of these parts; return the last part of them."""
    parts = []
    for seed in range(args.clean):
        parts.append(list(instruction_pairs(args.rows, args.pairs, np.random.default_rng([SEED, seed]))))
        found = check_pairs(*parts[-1])
        clean.append({"set": "pairs", "alarms": list(found.alarms), "held": float(found.flagged.mean())})
    for attack in PAIR_ATTACKS:
        for rate in RATES:
            seen = [paired(*part, attack, rate, np.random.default_rng(SEED)) for part in parts]
            means = {key: float(np.mean([one[key] for one in seen])) for key in ("tpr", "fpr")}
            cells.append({"set": "pairs"} | seen[-1] | means | {"tpr of each part": [one["tpr"] for one in seen]})
            print(json.dumps(cells[-1]), flush=True)
    return parts[-1]


def quiet(clean):
    """How many clean parts raise no alarm, of how many."""
    return sum(not one["alarms"] for one in clean), len(clean)


def main():
    """Measure, write the result, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentiment", type=Path, required=True, help=labelled_sets.SENTIMENT)
    parser.add_argument("--rows", type=Path, required=True, help="train.jsonl.gz of the detector's rows")
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--clean", type=int, default=6, help="clean parts of each set")
    parser.add_argument("--hidden", type=int, default=300, help="pairs in which an order is hidden")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="others are kept from the last result")
    args = parser.parse_args()
    last = json.loads(RESULT.read_text(encoding="utf-8")) if len(set(args.sets)) < len(SETS) else {}
    cells, clean = ([one for one in last.get(what, ()) if one["set"] not in args.sets] for what in ("cells", "clean"))
    for name, which in (("film reviews", "movieReviewSnippets"), ("tweets", "tweets")):
        if name not in args.sets:
            continue
        texts, labels = labelled_sets.sentiment(args.sentiment, which)
        for attack in TEXT_ATTACKS:
            for rate in RATES:
                cells.append({"set": name} | labelled(texts, labels, attack, rate, np.random.default_rng(SEED)))
                print(json.dumps(cells[-1]), flush=True)
        for seed in range(args.clean):
            at = np.random.default_rng([SEED, seed]).permutation(len(texts))[: len(texts) // 2]
            found = check_texts([texts[one] for one in at.tolist()], labels[at], ("negative", "positive"))
            clean.append({"set": name, "alarms": list(found.alarms), "held": float(found.flagged.mean())})
    hidden = last.get("hidden_orders")
    if "pairs" in args.sets:
        prompts, answers = pairs(args, cells, clean)
        hidden = injections(prompts, answers, args.hidden)
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "seed": SEED,
        "mean_tpr": float(np.mean([one["tpr"] for one in cells])),
        "mean_tpr_by_set": {one: float(np.mean([o["tpr"] for o in cells if o["set"] == one])) for one in SETS},
        "cells_with_tpr_of_90_percent": f"{sum(one['tpr'] >= 0.9 for one in cells)} of {len(cells)}",
        "cells_with_fpr_over_1_percent": sum(one["fpr"] > 0.01 for one in cells),
        "clean_parts_without_alarm": {
            one: str(proportion(*quiet([o for o in clean if o["set"] == one]), seed=SEED)) for one in SETS
        },
        "hidden_orders": hidden,
        "clean": clean,
        "cells": cells,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key not in ("clean", "cells")}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
