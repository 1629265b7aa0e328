"""Makes a sketch of honest questions, and draws its limits from honest clients that are made up of them.

Half of the inputs say what is usual, the other half is sent past the very code that judges callers, as the questions
of made-up clients. Each asks about some labels more than others and about easy or hard inputs, and has a look of its
own (brightness, contrast, a blemish, a sensor's noise). The limit is the quantile of what all their windows show: by
exchangeability a window of another such client is above it with no more than that chance (conformal prediction, Vovk
et al. 2005). Real clients may differ more from each other than these; who differs more is noticed more often.
"""

import dataclasses

import numpy as np

from bartizan.core.errors import BadRequest
from bartizan.gateway.predict.accounts import BLOCK, Accounts, window_signs
from bartizan.gateway.predict.calibration import line
from bartizan.gateway.predict.sketch import KINDS, SIZES, WATCHED, WAVES, Limits, Sketch, doubt
from bartizan.gateway.predict.tensors import Array

FEWEST = 1000
"""Honest inputs below which no sketch is made."""
RATE = 0.003
"""Honest windows that are noticed."""
CLIENTS = 200
HELD = 500
"""Inputs that copies are judged by."""
_TAKES_TURNS = 0.5
"""Concentration of the labels a client asks about (Dirichlet): a few more than the others."""
_HARDER = 0.5
"""Deviation of how much clients lean to hard or easy inputs."""
_BRIGHT, _CONTRAST, _BLEMISH, _GRAIN = 0.1, 0.05, 0.05, 0.1
"""Looks of clients, in deviations of the inputs."""
_LEVEL = 256
"""Questions of each client by which directions are levelled."""
_RIDGE = 0.02
"""Share of the mean variance below which directions are not blown up."""


def sketched(
    x: Array, labels: Array, scores: Array | None, *, seed: int, rate: float = RATE, clients: int = CLIENTS
) -> Sketch:
    """Return the sketch of honest inputs x (n, D) and what the model says of them: labels (n,), probabilities or None.

    `seed` chooses the cosines: keep it secret. `clients` are made up. Raises BadRequest for fewer than `FEWEST` inputs.
    """
    if len(x) < FEWEST:
        raise BadRequest(f"{len(x)} honest inputs: expected {FEWEST} or more", hint="10,000 or more draw good limits.")
    draw = np.random.default_rng((seed, 1))
    order = draw.permutation(len(x))
    usual, later = order[: len(x) // 2], order[len(x) // 2 :]
    unsure = doubt(scores, len(x))
    made = _described(x[usual], labels[usual], unsure[usual], seed, draw)
    if scores is None:
        made = dataclasses.replace(made, doubt_spread=0.0)
    made = _levelled(
        made, _clients(made, (x[usual], labels[usual], unsure[usual]), (clients, _LEVEL), draw), x[usual], labels[usual]
    )
    held = later[:HELD]
    made = dataclasses.replace(made, held=made.place(x[held]), held_labels=labels[held].astype(np.int64))
    blocks = _clients(made, (x[later], labels[later], unsure[later]), (clients, SIZES[-1]), draw)
    made = dataclasses.replace(made, scales=_scales(blocks))
    own, kin = _seen(made, blocks)
    limits = Limits(line(own, rate / 2), line(kin, rate / 2))
    facts = {"inputs": len(x), "rate": rate, "windows": len(own), "doubt": scores is not None}
    return dataclasses.replace(made, limits=limits, facts=facts)


def _described(x: Array, labels: Array, unsure: Array, seed: int, draw: np.random.Generator) -> Sketch:
    every = np.arange(x.shape[1])
    chosen = every if len(every) <= WATCHED else np.sort(draw.choice(every, WATCHED, replace=False))
    empty = np.zeros(0, np.float32)
    made = Sketch(
        size=x.shape[1],
        seed=seed,
        reach=1.0,
        chosen=chosen.astype(np.int64),
        centre=x.mean(axis=0).astype(np.float32),
        spread=x.std(axis=0).astype(np.float32),
        mean=empty,
        whiten=empty,
        kinds=empty,
        doubts=empty,
        doubt_spread=0.0,
        scales=empty,
        held=empty,
        held_labels=empty,
    )
    units = made.units(x)
    pairs = draw.integers(0, len(units), (2, 2000))
    made = dataclasses.replace(made, reach=float(np.median(np.linalg.norm(units[pairs[0]] - units[pairs[1]], axis=1))))
    waves = made.cosines(units)
    made = dataclasses.replace(made, mean=waves.mean(axis=0).astype(np.float32), whiten=np.eye(WAVES, dtype=np.float32))
    places, count = waves - made.mean, int(min(labels.max() + 1, KINDS))
    kinds, doubts = np.zeros((count, WAVES), np.float32), np.full(count, unsure.mean(), np.float32)
    for kind in range(count):
        mine = labels % count == kind
        if mine.any():
            kinds[kind], doubts[kind] = places[mine].mean(axis=0), unsure[mine].mean()
    spread = float(np.sqrt(np.mean((unsure - doubts[labels % count]) ** 2)))
    return dataclasses.replace(made, kinds=kinds, doubts=doubts, doubt_spread=max(spread, 1e-6))


def _levelled(made: Sketch, blocks: Array, x: Array, labels: Array) -> Sketch:
    """Scale directions so that honest inputs of one label, and honest clients, vary alike in each.

    What clients differ by counts for less: a window's mean varies by the inputs' variance and by the clients'.
    """
    alone = made.unexpected(made.place(x), labels, np.zeros(len(x)))[:, :WAVES]
    means = blocks[..., :WAVES].sum(axis=1) / np.sqrt(_LEVEL)
    inputs, clients = np.cov(alone.T), means.T @ means / len(means)
    values, vectors = np.linalg.eigh(inputs + clients)
    whiten = (vectors / np.sqrt(np.maximum(values, 0) + _RIDGE * np.trace(inputs) / WAVES)) @ vectors.T
    kinds = (made.kinds @ whiten).astype(np.float32)
    return dataclasses.replace(made, whiten=whiten.astype(np.float32), kinds=kinds)


def _clients(
    made: Sketch, honest: tuple[Array, Array, Array], count: tuple[int, int], draw: np.random.Generator
) -> Array:
    """Return for `count` (clients, questions of each) made-up questions as sums (clients, blocks, WAVES + 1)."""
    x, labels, unsure = honest
    units = made.units(x)
    smooth = np.asarray([len(np.unique(column)) > 16 for column in units[:2000].T])
    hard = (np.argsort(np.argsort(unsure)) / len(unsure) - 0.5) * 2
    out = []
    for _ in range(count[0]):
        liked = draw.dirichlet(np.full(len(made.kinds), _TAKES_TURNS))
        weight = (liked[labels % len(made.kinds)] + 1e-6) * np.exp(_HARDER * draw.normal() * hard)
        rows = draw.choice(len(x), count[1], p=weight / weight.sum())
        seen = look(units[rows], draw, smooth)
        places = (made.cosines(seen) - made.mean) @ made.whiten
        unexpected = made.unexpected(places, labels[rows], unsure[rows])
        out.append(unexpected.reshape(-1, BLOCK, WAVES + 1).sum(axis=1))
    return np.stack(out)


def look(units: Array, draw: np.random.Generator, smooth: Array) -> Array:
    """Return inputs in deviations (n, d) as a client of its own look sends them; features not `smooth` stay."""
    moved = units * (1 + _CONTRAST * draw.normal()) + _BRIGHT * draw.normal()
    moved += _BLEMISH * draw.normal(size=units.shape[1])
    moved += _GRAIN * draw.uniform() * draw.normal(size=units.shape)
    return np.where(smooth, moved, units).astype(np.float32)


def _scales(blocks: Array) -> Array:
    out = np.zeros((len(SIZES), 2, 2), np.float32)
    for number, size in enumerate(SIZES):
        windows = blocks.reshape(-1, size // BLOCK, WAVES + 1).sum(axis=1)
        signs = window_signs(windows, np.full(len(windows), size))
        middle = np.median(signs, axis=0)
        out[number, :, 0] = middle
        out[number, :, 1] = np.maximum(np.quantile(signs, 0.99, axis=0) - middle, 1e-6)
    return out


def _seen(made: Sketch, blocks: Array) -> tuple[Array, Array]:
    """Return what every block of every client shows, as its own and among its kin, the clients taking turns."""
    past = Accounts(made)
    found = [past.judged(str(one), blocks[one, turn]) for turn in range(blocks.shape[1]) for one in range(len(blocks))]
    return np.asarray([one.own for one in found]), np.asarray([one.kin for one in found])
