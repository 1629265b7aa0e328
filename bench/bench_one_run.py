"""What one training run with canaries refutes: the bound of (epsilon, delta)-DP beside the one of a Gaussian's curve.

`make bench-one_run`. Digits and 1,000 canaries, a softmax regression by DP-SGD in whole batches of the members, for
ten steps at epsilon 8, delta 1e-5, five runs: the composition of Gaussian mechanisms is one itself, so its curve is
exactly what training promised. Then the mechanism alone, without training: what a perfect attacker would see. One
thread, under a minute.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from bartizan import __version__
from bartizan.core.measures import bootstrap
from bartizan.lab.membership.stacked import Noise, Recipe, train
from bartizan.lab.privacy.accountant import noise_for
from bartizan.lab.privacy.audit import audit, flip, lower_bound, with_canaries
from bartizan.lab.privacy.curve_audit import gaussian_bound, gaussian_mu

RESULT = Path(__file__).parent / "results" / "one_run.json"
EPSILON, DELTA, CANARIES, STEPS, RUNS = 8.0, 1e-5, 1000, 10, 5
BOUNDS = {"(epsilon, delta)-DP": lower_bound, "the Gaussian mechanism's curve": gaussian_bound}


def trained(seed):
    """Train once with canaries; return what the weights say of each, and the coins."""
    digits = load_digits()
    world = with_canaries(digits.data[:200] / 16.0, digits.target[:200], CANARIES, seed=seed)
    batch = int(world.inside.sum())
    noise = Noise(1.0, noise_for(EPSILON, DELTA, 1.0, STEPS))
    recipe = Recipe(hidden=(), optimizer="sgd", learning_rate=batch / 40, epochs=STEPS, batch=batch, noise=noise)
    return world.scores(train(world.x, world.y, world.inside, recipe, seed).weights[0][0].numpy()), world.coins


def seen(seed):
    """Return a Gaussian mechanism's own outputs at the same epsilon, and the coins."""
    coins = flip(CANARIES, seed)
    return np.random.default_rng((seed, 3)).normal(size=CANARIES) + gaussian_mu(EPSILON, DELTA) * coins, coins


def main():
    """Audit every run with both bounds."""
    torch.set_num_threads(1)
    result = {"version": __version__, "torch": torch.__version__, "python": platform.python_version()}
    result |= {"epsilon": EPSILON, "delta": DELTA, "canaries": CANARIES}
    for name, run in (("training", trained), ("the mechanism itself", seen)):
        runs = [run(seed) for seed in range(1, RUNS + 1)]
        for claim, bound in BOUNDS.items():
            found = [audit(*one, delta=DELTA, bound=bound).epsilon for one in runs]
            mean = bootstrap(found, lambda data: float(np.mean(data)), seed=1, unit="epsilon")
            result.setdefault(name, {})[claim] = {"mean": str(mean), "highest": round(max(found), 3)}
        print(name, json.dumps(result[name], indent=1), flush=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
