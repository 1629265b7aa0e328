"""Scans a network for backdoors, repairs it if asked, and measures both on honest examples that neither has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bartizan.core.measures import Measurement, bootstrap, proportion
from bartizan.lab.hardening.outcome import Outcome
from bartizan.lab.needs import need
from bartizan.lab.poisoning.inversion import Scan, Told, Trigger, scan
from bartizan.lab.poisoning.repair import Examples, unlearnt


@dataclass(frozen=True)
class Task:
    """What to do about a backdoor; `isolated` are rows that a check holds back, with the labels they had."""

    repair: bool = False
    isolated: Examples | None = None
    seed: int = 0


@dataclass(frozen=True)
class Examined:
    """What was found, the repaired network (the given one without a repair), and the figures before and after."""

    scan: Scan
    network: Any
    outcome: Outcome


def examine(
    network: Any,
    data: Examples,
    span: tuple[float, float],
    told: Told,
    task: Task,
) -> Examined:
    """Return what half of the honest examples `data` show, and what a repair with them does to the other half.

    Without a suspect and without isolated rows nothing is repaired.
    """
    isolated, seed = task.isolated, task.seed
    torch = need("torch")
    order = np.random.default_rng(seed).permutation(len(data[0]))
    half = len(order) // 2
    mine, test = ((data[0][rows], data[1][rows]) for rows in (order[:half], order[half:]))
    with torch.no_grad():
        classes = int(network(torch.from_numpy(data[0][:1])).shape[1])
    found = scan(network, mine, span, classes, told)
    known = isolated if isolated is not None and len(isolated[0]) else None
    repaired = network
    if task.repair and (found.suspects or known is not None):
        # One trigger a class: a patch where there is one, for it hides less of the examples than a shade does.
        triggers = {one.target: one for one in reversed(found.suspects)}
        repaired = unlearnt(network, mine, span, tuple(triggers.values()), known)
    before = _figures(network, test, span, found.suspects, known, seed)
    after = {}
    if repaired is not network:
        after = _figures(repaired, test, span, found.suspects, known, seed)
        after["clean accuracy lost"] = _lost(network, repaired, test, seed)
    how = "unlearnt" if after else "scanned only"
    notes = (
        f"Half of {len(order)} honest examples served the search and the repair, the figures are of the other half.",
        "A trigger that was found by search is not the attacker's: one that wins no more may leave a part of the real "
        "one. Measure that with rows that carry it (--isolated).",
        "Triggers that warp the picture, or that work for one source class only, are not found by this scan.",
    )
    facts = {"classes": classes, "suspects": [{"kind": one.kind, "class": one.target} for one in found.suspects]}
    return Examined(found, repaired, Outcome(how, before, after, facts=facts, notes=notes))


def _said(network: Any, x: Any) -> Any:
    torch = need("torch")
    with torch.no_grad():
        return network(torch.from_numpy(x)).argmax(1).numpy()


def _figures(
    network: Any,
    test: Examples,
    span: tuple[float, float],
    suspects: Sequence[Trigger],
    known: Examples | None,
    seed: int,
) -> dict[str, Measurement]:
    figures = {"clean accuracy": proportion(int((_said(network, test[0]) == test[1]).sum()), len(test[1]), seed=seed)}
    for one in suspects:
        others = test[0][test[1] != one.target]
        won = _said(network, one.shown(others, *span)) == one.target
        figures[f"{one.kind} into class {one.target} wins"] = proportion(int(won.sum()), len(won), seed=seed)
    if known is not None:
        kept = int((_said(network, known[0]) == known[1]).sum())
        figures["isolated rows still get their label"] = proportion(kept, len(known[1]), seed=seed)
    return figures


def _lost(before: Any, after: Any, test: Examples, seed: int) -> Measurement:
    right = [(_said(one, test[0]) == test[1]).astype(float) for one in (before, after)]
    return bootstrap(list(right[0] - right[1]), lambda values: float(values.mean()), seed=seed, unit="of accuracy")
