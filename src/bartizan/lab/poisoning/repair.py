"""Takes a backdoor out of a trained network by unlearning: with found triggers, with rows that a check held back.

The network is trained on with the found triggers on honest examples under their right labels (Wang et al., S&P 2019),
and away from the labels of isolated rows (ABL, Li et al., NeurIPS 2021). The result is a new network; what it costs is
for the caller to measure on other examples. Fine-pruning (Liu et al., RAID 2018) is not offered: on small networks the
units that carry a trigger carry the target class too, and training on brings the trigger back.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.lab.needs import need
from bartizan.lab.poisoning.inversion import Array, Trigger

EPOCHS, RATE, SHOWN = 12, 1e-3, 0.5
"""Passes over the honest examples, Adam's rate, and the share of them that show a trigger."""
STRONGEST = 3.0
"""A found trigger is the least that works: it is shown up to so much stronger, as the attacker's own will be."""
_BATCH = 64
Examples = tuple[Array, npt.NDArray[np.int64]]


def unlearnt(
    module: Any,
    data: Examples,
    span: tuple[float, float],
    triggers: Sequence[Trigger] = (),
    isolated: Examples | None = None,
) -> Any:
    """Return a copy of the network, trained on so that triggers and isolated rows mean nothing to it.

    `data` are honest examples, `span` the bounds of an input. Without triggers and isolated rows this is plain
    fine-tuning, which leaves a backdoor where it is.
    """
    torch = need("torch")
    network = copy.deepcopy(module).train()
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    rng, entropy = np.random.default_rng(0), torch.nn.functional.cross_entropy
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    for _ in range(EPOCHS):
        order = rng.permutation(len(data[0]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            x = data[0][rows].copy()
            for trigger in triggers:
                shown = rng.random(len(x)) < SHOWN / len(triggers)
                x[shown] = _stronger(trigger, rng.uniform(1, STRONGEST)).shown(x[shown], *span)
            loss = entropy(network(torch.from_numpy(x)), torch.from_numpy(data[1][rows]))
            if isolated is not None and len(isolated[0]):
                some = rng.integers(0, len(isolated[0]), min(_BATCH, len(isolated[0])))
                scores = network(torch.from_numpy(isolated[0][some]))
                # Away from the given label, until it is no likelier than any other: further only does harm.
                away = entropy(scores, torch.from_numpy(isolated[1][some]))
                loss = loss + torch.relu(math.log(scores.shape[1]) - away)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()


def accuracy(network: Any, data: Examples) -> float:
    """Return the share of examples that the network gets right."""
    torch = need("torch")
    with torch.no_grad():
        said = network(torch.from_numpy(data[0])).argmax(1).numpy()
    return float((said == data[1]).mean())


def _stronger(trigger: Trigger, times: float) -> Trigger:
    mask = np.minimum(times * trigger.mask, 1).astype(np.float32)
    return replace(trigger, mask=mask, shade=(times * trigger.shade).astype(np.float32))
