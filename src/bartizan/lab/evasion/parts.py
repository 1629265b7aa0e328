"""A suite run in parts that are kept on disk, so that a long attack can be stopped and taken up again.

The folder's name holds a digest of everything that decides the result; another target, data or budget starts afresh.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from bartizan.core.measures import Measurement, proportion
from bartizan.lab.evasion.base import Evasion, Problem
from bartizan.lab.evasion.suite import Attacked, Stage, run_suite
from bartizan.lab.target import Access, Array, Target

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Kept:
    """Where finished parts are kept; None of it is trusted to be complete: a part that cannot be read is run again."""

    folder: Path
    examples: int = 250
    """Examples in each part."""


def run_in_parts(
    problem: Problem, attacks: Sequence[Evasion], kept: Kept, progress: Progress, asked: int = 1
) -> Attacked:
    """Run `attacks` part by part, skip parts that are on disk, and return what fell over all."""
    home = kept.folder / f"attack-{digest(problem, attacks, asked)}"
    home.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(problem.x), kept.examples)
    found = []
    for number, start in enumerate(starts):
        rows = torch.arange(start, min(start + kept.examples, len(problem.x)))
        path = home / f"part-{number:05d}.npz"
        one = _read(path, len(rows))
        if one is None:

            def told(what: str, done: int, total: int, number: int = number) -> None:
                progress(f"{what}, part {number + 1} of {len(starts)}", number * total + done, len(starts) * total)

            one = run_suite(problem.part(rows, problem.seed + start), attacks, told, asked)
            _write(path, one)
        found.append(one)
    return merged(found, problem.seed)


def digest(problem: Problem, attacks: Sequence[Evasion], asked: int = 1) -> str:
    """Return 16 hex digits over data, bound, budget, seed, and what the model says about the first originals."""
    some = problem.x[:64].numpy()
    parts = (problem.target.name, str(problem.ball), str(problem.seed), str(problem.eot), str(asked))
    mixed = hashlib.sha256("\n".join((*parts, *(repr(one) for one in attacks))).encode())
    for array in (problem.x.numpy(), problem.y.numpy(), _said(problem.target, some)):
        mixed.update(array.tobytes())
    return mixed.hexdigest()[:16]


def _said(target: Target, x: Array) -> Array:
    """Return scores to two places, which tell two trainings of one model apart; labels where they are not steady."""
    if target.access is Access.LABELS:
        return target.labels(x)
    once, twice = (np.round(target.log_scores(x), 2) + 0.0 for _ in range(2))  # + 0.0: no minus zero
    return once if np.array_equal(once, twice) else target.labels(x)


def merged(found: Sequence[Attacked], seed: int) -> Attacked:
    """Return the parts as one: counts added up, stage by stage."""
    fooled = torch.cat([one.fooled for one in found])
    n = len(fooled)
    right = sum(round(one.clean.value * one.clean.n) for one in found)
    stages, standing = [], right
    for number in range(len(found[0].stages)):
        same = [one.stages[number] for one in found]
        fell = sum(one.fell for one in same)
        robust = proportion(standing - fell, n, seed=seed)
        queries, seconds = sum(one.queries for one in same), sum(one.seconds for one in same)
        stages.append(Stage(same[0].attack, standing, fell, robust, queries, seconds))
        standing -= fell
    robust = proportion(int((~fooled).sum()), n, seed=seed)
    adversarial = torch.cat([one.adversarial for one in found])
    return Attacked(proportion(right, n, seed=seed), robust, tuple(stages), adversarial, fooled, found[0].skipped)


def _write(path: Path, one: Attacked) -> None:
    words = {"clean": asdict(one.clean), "skipped": one.skipped, "stages": [asdict(stage) for stage in one.stages]}
    waiting = path.with_suffix(".tmp.npz")
    np.savez(waiting, adversarial=one.adversarial.numpy(), fooled=one.fooled.numpy(), words=json.dumps(words))
    waiting.replace(path)  # a run that is stopped while writing leaves no half part


def _read(path: Path, rows: int) -> Attacked | None:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            words = json.loads(str(file["words"]))
            adversarial, fooled = torch.from_numpy(file["adversarial"]), torch.from_numpy(file["fooled"])
        clean = Measurement(**words["clean"])
        stages = tuple(Stage(**{**one, "robust": Measurement(**one["robust"])}) for one in words["stages"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
    if len(fooled) != rows:
        return None
    robust = proportion(int((~fooled).sum()), rows, seed=clean.seed)
    return Attacked(clean, robust, stages, adversarial, fooled, tuple(words["skipped"]))
