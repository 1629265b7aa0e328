"""Draws the lines of a profile from honest inputs: where each sign is crossed by one honest input in so many.

Half of the inputs say what is usual, the other half is sent past it as traffic when the history is full of the first,
in an order drawn at random, with the repeats that honest clients have: the same bytes again, and the same thing once or
twice more with the noise of a sensor; then the halves change places. A line is the traffic's quantile where there is
enough of it; beyond that the tail is continued exponentially, with the upper 95 % end of its mean, and no line lies
below the largest value seen. The rate is shared among the signs.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from bartizan.core.errors import BadRequest
from bartizan.gateway.predict.profile import Lines, Profile
from bartizan.gateway.predict.provenance import NEIGHBOURS, SIGNS, History, Signs
from bartizan.gateway.predict.tensors import Array

FEWEST = 200
"""Honest inputs below which no line is drawn."""
RATE = 1e-4
"""False alarms an honest input, all signs together."""
REPEATED, TAKEN_AGAIN, NOISE = 0.03, 0.01, 0.02
"""Share of inputs that come again as they are, and with noise of this share of the range."""
_TAIL = 0.005
"""The share of the values above which the tail is continued."""
_SURE = 1.645
"""Deviations that the mean of the tail is raised by: an exponential's deviation is its mean."""


def calibrated(
    x: Array, bounds: tuple[Array, Array], *, seed: int, rate: float = RATE, history: int = 16384
) -> Profile:
    """Return the profile of honest inputs x (n, D) float32 within `bounds`. Raises BadRequest for fewer than `FEWEST`.

    `seed` also chooses the directions of search and, for large inputs, which features are watched: keep it secret.
    """
    if len(x) < FEWEST:
        raise BadRequest(f"{len(x)} honest inputs: expected {FEWEST} or more", hint="10,000 or more draw good lines.")
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(x))
    halves = x[order[: len(x) // 2]], x[order[len(x) // 2 :]]
    profile, other = (Profile.of(half, bounds, seed) for half in halves)
    seen = [*_sent(profile, *halves, history, draw), *_sent(other, *halves[::-1], history, draw)]
    lines = Lines(**{name: line([getattr(one, name) for one in seen], rate / len(SIGNS)) for name in SIGNS})
    facts = {**_facts(seen), "inputs": len(x), "rate": rate, "history": history}
    return dataclasses.replace(profile, lines=lines, facts=facts)


def _sent(profile: Profile, usual: Array, later: Array, history: int, draw: np.random.Generator) -> list[Signs]:
    """Return what later inputs show when the usual ones have gone before."""
    past = History(profile, history)
    past.remember(usual)
    return [past.see(one, "") for one in traffic(later, (profile.low, profile.high), profile.chosen, draw)]


def traffic(x: Array, bounds: tuple[Array, Array], chosen: Array, draw: np.random.Generator) -> list[Array]:
    """Return inputs (D,) in order, with the repeats of honest clients. `bounds` (d,) of the features `chosen`."""
    low, high = np.full(x.shape[1], -np.inf, np.float32), np.full(x.shape[1], np.inf, np.float32)
    low[chosen], high[chosen] = bounds
    width = np.where(np.isfinite(high - low), high - low, x.std(axis=0)).astype(np.float32)
    out: list[Array] = []
    for one in x:
        out.append(one)
        if draw.random() < REPEATED:
            out.append(one)
        if draw.random() < TAKEN_AGAIN:
            for _ in range(draw.integers(1, 3)):
                noise = draw.normal(0, NOISE, one.shape).astype(np.float32) * width
                out.append(np.clip(one + noise, low, high))
    return out


def line(values: Sequence[float] | Array, rate: float) -> float:
    """Return the value that one in 1/`rate` is above."""
    found = np.sort(np.asarray(values))
    if len(found) * rate >= 5:
        return float(np.quantile(found, 1 - rate))
    count = max(20, int(_TAIL * len(found)))
    begins = float(found[-count - 1])
    mean = float((found[-count:] - begins).mean() * (1 + _SURE / np.sqrt(count)))
    return max(begins + mean * float(np.log(count / (rate * len(found)))), float(found[-1]))


def _facts(seen: list[Signs]) -> dict[str, Any]:
    middle = {name: float(np.median([getattr(one, name) for one in seen])) for name in SIGNS}
    return {"traffic": len(seen), "neighbours": NEIGHBOURS, "medians": middle}
