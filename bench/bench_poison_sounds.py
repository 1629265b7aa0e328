"""Backdoors in spoken digits: what is caught, what is held back in vain. `make bench-poison-sounds`.

Free Spoken Digit Dataset (CC BY-SA 4.0, 8 kHz), read from `--sounds`. The check was set on the speakers of `DEVELOPED`;
the others, whole, are measured: ten attacks, three rates, and every choice of one, two or three of these speakers as an
honest set. At `--trained` of the rows a small network hears spectrograms of all rows, and of all but the flagged ones;
recordings 0 to 7 of every digit and speaker are for the test. One thread.
"""

import argparse
import itertools
import json
import platform
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import torch

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.data.checks.sounds import check_sounds, spectrogram
from bartizan.data.media import sound
from bartizan.lab.poisoning.sounds import SOUND_ATTACKS
from bartizan.lab.poisoning.training import answers, trained

RESULT = Path(__file__).parent / "results" / "poison_sounds.json"
DEVELOPED = ("theo", "jackson", "george")
RATE, TARGET, SEED, TESTED = 8000, 7, 20261130, 8
SHARES = (0.005, 0.01, 0.05)


def recordings(path):
    """Return (samples, digit, speaker, number) of every recording."""
    found = []
    with tarfile.open(path, "r|xz") as archive:
        for member in archive:
            if member.name.endswith(".wav"):
                samples, rate = sound(archive.extractfile(member).read())
                assert rate == RATE
                digit, speaker, number = Path(member.name).stem.split("_")
                found.append((samples, int(digit), speaker, int(number)))
    return found


def split(rows):
    """Return sounds and labels."""
    return [one[0] for one in rows], np.array([one[1] for one in rows], np.int64)


def seen(sounds):
    """Return spectrograms that a network is trained with."""
    return np.stack([spectrogram(one, RATE) for one in sounds])


def honest(rows, speakers):
    """Check every choice of one to three speakers."""
    for count in (1, 2, 3):
        for chosen in itertools.combinations(speakers, count):
            sounds, labels = split([one for one in rows if one[2] in chosen])
            found = check_sounds(sounds, RATE, labels)
            yield {"speakers": chosen, "rows": len(labels), "alarms": found.alarms, "held": float(found.flagged.mean())}


def cell(train, test, clean, attack, share, learn):
    """Plant, check, and train where that is asked for."""
    sounds, labels = train
    planted = attack.poison(sounds, RATE, labels, share, TARGET, np.random.default_rng(SEED))
    start = time.process_time()
    found = check_sounds(planted.sounds, RATE, planted.labels)
    cpu = time.process_time() - start
    innocent = ~planted.poison & ~planted.covers
    row = {
        "attack": attack.name,
        "rate": share,
        "planted": int(planted.poison.sum()),
        "tpr": float(found.flagged[planted.poison].mean()),
        "fpr": float(found.flagged[innocent].mean()),
        "covers_held": float(found.flagged[planted.covers].mean()) if planted.covers.any() else 0.0,
        "alarms": found.alarms,
        "cpu_s": round(cpu, 1),
    }
    if learn:
        pictures, kept = seen(planted.sounds), ~found.flagged
        models = {"an honest network": clean, "all rows": trained(pictures, planted.labels, 10, seed=SEED)}
        models["without flagged"] = trained(pictures[kept], planted.labels[kept], 10, seed=SEED)
        rng = np.random.default_rng(SEED)
        others = [one for one, label in zip(*test, strict=True) if label != TARGET]
        triggered, plain = seen([attack.apply(one, RATE, rng) for one in others]), seen(test[0])
        row["trigger_wins"] = {name: float((answers(one, triggered) == TARGET).mean()) for name, one in models.items()}
        row["accuracy"] = {name: float((answers(one, plain) == test[1]).mean()) for name, one in models.items()}
    return row


def main():
    """Measure, write the result, print its summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=Path, default=Path("build/lab-data/free_spoken_digits.tar.xz"))
    parser.add_argument("--rates", type=float, nargs="+", default=SHARES, help="others are kept from the last result")
    parser.add_argument("--trained", type=float, default=0.05, help="rate at which networks are trained (0: none)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = recordings(args.sounds)
    speakers = sorted({one[2] for one in rows} - set(DEVELOPED))
    rows = [one for one in rows if one[2] in speakers]
    last = json.loads(RESULT.read_text(encoding="utf-8")) if set(args.rates) != set(SHARES) and RESULT.exists() else {}
    clean = last.get("honest") or list(honest(rows, speakers))
    train, test = (split([one for one in rows if (one[3] < TESTED) == tested]) for tested in (False, True))
    model = trained(seen(train[0]), train[1], 10, seed=SEED) if args.trained else None
    cells = [one for one in last.get("cells", ()) if one["rate"] not in args.rates]
    for share, attack in itertools.product(args.rates, SOUND_ATTACKS):
        cells.append(cell(train, test, model, attack, share, share == args.trained))
        print(json.dumps(cells[-1]), flush=True)
    told = [one for one in cells if "trigger_wins" in one]
    rates = sorted({one["rate"] for one in cells})
    found = {
        "mean_tpr": float(np.mean([one["tpr"] for one in cells])),
        "mean_tpr_by_rate": {str(at): float(np.mean([o["tpr"] for o in cells if o["rate"] == at])) for at in rates},
        "cells_with_fpr_over_1_percent": f"{sum(one['fpr'] > 0.01 for one in cells)} of {len(cells)}",
        "largest_fpr": max(one["fpr"] for one in cells),
        "honest_sets_without_alarm": str(proportion(sum(not o["alarms"] for o in clean), len(clean), seed=SEED)),
    }
    for what in ("trigger_wins", "accuracy") if told else ():
        found[what] = {name: float(np.mean([one[what][name] for one in told])) for name in told[0][what]}
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "seed": SEED,
        "target": TARGET,
        "speakers": speakers,
        "rows": len(train[1]),
        **found,
        "honest": clean,
        "cells": cells,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
