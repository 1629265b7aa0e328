"""Makes a sketch of honest questions, and draws its limits from honest clients that are made up of them.

Half of the inputs say what is usual, the other half is sent past the very code that judges callers, as the questions
of made-up clients. Each asks about some labels more than others and about easy or hard inputs, and has a look of its
own (brightness, contrast, a sensor's noise). The limit is the quantile of what all their windows show: by
exchangeability a window of another such client is above it with no more than that chance (conformal prediction, Vovk
et al. 2005). Real clients may differ more from each other than these; who differs more is noticed more often.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bartizan.core.errors import BadRequest
from bartizan.gateway.predict.accounts import BLOCK, KIN_BLOCKS, Accounts, Scores, window_signs
from bartizan.gateway.predict.calibration import line
from bartizan.gateway.predict.sketch import KINDS, SIZES, WATCHED, WAVES, WIDTH, Limits, Sketch, doubt
from bartizan.gateway.predict.tensors import Array

FEWEST = 1000
"""Honest inputs below which no sketch is made."""
RATE = 0.003
"""Honest windows that are noticed."""
CLIENTS, FEWEST_CLIENTS = 300, 30
HELD = 500
"""Inputs that copies are judged by."""
_TAKES_TURNS = 0.5
"""Concentration of the labels a client asks about (Dirichlet): a few more than the others."""
_HARDER = 0.15
"""Deviation of how much clients lean to hard or easy inputs."""
_BRIGHT, _CONTRAST, _GRAIN = 0.02, 0.03, 0.02
"""Looks of clients, in shares of the range."""
_SIGNS = tuple(vars(Limits()))
_ASKED = 256
"""Inputs of each client that the model is asked about as the client sends them."""
_WAYS = 8
"""Directions in which clients differ most; more would be fitted to the clients that limits are drawn from."""
_FEW = 16
"""Values that a feature without a look has at most: a category has no brightness."""
_LEVEL = 256
"""Questions of each client by which directions are levelled."""
_STEADY = 3.0
"""How much more than by their size clients' differences count."""
_TAUGHT = 3.0
"""Ridge of the stand-in, as the exposure's middle one."""
_STRANGERS = 0.003
"""Honest inputs, with clients' looks, that are taken for strange by themselves."""
_LOOKS, _EACH = 100, 128
"""Clients, and inputs of each, by which that line is drawn."""
_RIDGE = 0.02
"""Share of the mean variance below which directions are not blown up."""


@dataclass(frozen=True)
class Honest:
    """Honest inputs (n, D), what the model says of them, and the range of each feature (infinite: taken from x)."""

    x: Array
    labels: Array
    scores: Array | None
    """Probabilities (n, classes), where the model gives any."""
    bounds: tuple[Array, Array]
    ask: Callable[[Array], Array | None] = lambda x: None
    """Inputs (n, D) to the model's probabilities: it is asked how unsure clients' looks make it."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.x)

    @cached_property
    def unsure(self) -> Array:
        """Return how unsure each answer is (n,)."""
        return doubt(self.scores, len(self))

    @cached_property
    def width(self) -> Array:
        """Return the range of each feature (D,); 0 for features of few values, which have no look."""
        some = self.x[:2000]
        low, high = (
            np.where(np.isfinite(bound), bound, np.quantile(some, at, axis=0))
            for bound, at in zip(self.bounds, (0.002, 0.998), strict=True)
        )
        every = len(np.unique(some[:200])) > _FEW  # of images, corners that are always empty count too
        smooth = [every or len(np.unique(column)) > _FEW for column in some.T]
        return np.where(smooth, high - low, 0).astype(np.float32)

    def part(self, rows: Array) -> "Honest":
        """Return some of them."""
        scores = None if self.scores is None else self.scores[rows]
        return dataclasses.replace(self, x=self.x[rows], labels=self.labels[rows], scores=scores)

    def seen_by(self, rows: Array, draw: np.random.Generator) -> Array:
        """Return the inputs of some rows as a client with a look of its own sends them."""
        x = self.x[rows]
        middle = self.x[:2000].mean(axis=0)
        moved = middle + (x - middle) * (1 + _CONTRAST * draw.normal())
        moved += self.width * _BRIGHT * draw.normal()
        moved += self.width * _GRAIN * draw.uniform() * draw.standard_normal(x.shape, dtype=np.float32)
        return np.clip(np.where(self.width > 0, moved, x), *self.bounds).astype(np.float32)


def sketched(honest: Honest, *, seed: int, rate: float = RATE, clients: int = CLIENTS) -> Sketch:
    """Return the sketch of honest inputs.

    `seed` chooses the cosines: keep it secret. `clients` (`FEWEST_CLIENTS` or more) are made up. Raises BadRequest for
    fewer than `FEWEST` inputs.
    """
    count = len(honest)
    if count < FEWEST:
        raise BadRequest(f"{count} honest inputs: expected {FEWEST} or more", hint="10,000 or more draw good limits.")
    draw = np.random.default_rng((seed, 1))
    order = draw.permutation(count)
    usual, later = honest.part(order[: count // 2]), honest.part(order[count // 2 :])
    made = _described(usual, seed, draw)
    made = _levelled(made, _clients(made, usual, (3 * clients, _LEVEL), draw), usual)
    held = later.part(np.arange(min(HELD, len(later))))
    made = dataclasses.replace(made, held=made.place(held.x), held_labels=held.labels.astype(np.int64))
    made = _with_stand_in(made, usual, later)
    made = dataclasses.replace(made, strange=_strange(made, later, draw))
    blocks = _clients(made, later, (clients, SIZES[-1]), draw)
    made = dataclasses.replace(made, lean=_lean(blocks))
    blocks[..., WAVES:] -= blocks[..., :WAVES] @ made.lean
    made = dataclasses.replace(made, scales=_scales(blocks), chance=_chance(blocks))
    seen = _seen(made, blocks)
    limits = Limits(*(line(_usual_worst(seen, sign), rate / len(_SIGNS)) for sign in _SIGNS))
    facts = {"inputs": count, "rate": rate, "clients": clients, "doubt": honest.scores is not None}
    return dataclasses.replace(made, limits=limits, facts=facts)


def _described(honest: Honest, seed: int, draw: np.random.Generator) -> Sketch:
    x, labels, unsure = honest.x, honest.labels, honest.unsure
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
        stand_in=empty,
        hards=empty,
        lean=np.zeros((WAVES, 2), np.float32),
        doubt_spread=0.0,
        hard_spread=0.0,
        chance=1.0,
        scales=empty,
        held=empty,
        held_labels=empty,
    )
    units = made.units(x)
    pairs = draw.integers(0, len(units), (2, 2000))
    made = dataclasses.replace(
        made, reach=max(float(np.median(np.linalg.norm(units[pairs[0]] - units[pairs[1]], axis=1))), 1e-6)
    )
    waves = made.cosines(units)
    made = dataclasses.replace(made, mean=waves.mean(axis=0).astype(np.float32), whiten=np.eye(WAVES, dtype=np.float32))
    places, count = waves - made.mean, int(min(labels.max() + 1, KINDS))
    kinds, doubts = np.zeros((count, WAVES), np.float32), np.full(count, unsure.mean(), np.float32)
    for kind in range(count):
        mine = labels % count == kind
        if mine.any():
            kinds[kind], doubts[kind] = places[mine].mean(axis=0), unsure[mine].mean()
    spread = float(np.sqrt(np.mean((unsure - doubts[labels % count]) ** 2)))
    spread = 0.0 if honest.scores is None else max(spread, 1e-6)
    return dataclasses.replace(made, kinds=kinds, doubts=doubts, doubt_spread=spread)


def _levelled(made: Sketch, blocks: Array, honest: Honest) -> Sketch:
    """Scale directions so that honest inputs of one label, and honest clients, vary alike in each.

    What clients differ by counts for less: a window's mean varies by the inputs' variance and by the clients'.
    """
    alone = made.unexpected(made.place(honest.x), honest.labels, honest.unsure)[:, :WAVES]
    means = blocks[..., :WAVES].sum(axis=1) / np.sqrt(_LEVEL) * _STEADY
    inputs, clients = np.cov(alone.T), means.T @ means / len(means)
    values, vectors = np.linalg.eigh(inputs + clients)
    whiten = (vectors / np.sqrt(np.maximum(values, 0) + _RIDGE * np.trace(inputs) / WAVES + 1e-9)) @ vectors.T
    kinds = (made.kinds @ whiten).astype(np.float32)
    return dataclasses.replace(made, whiten=whiten.astype(np.float32), kinds=kinds)


def _with_stand_in(made: Sketch, learn: Honest, later: Honest) -> Sketch:
    """Teach a ridge regression what the model says of honest inputs; how hard others are says what is usual."""
    count = len(made.kinds)
    if count < 2:
        empty = np.zeros((WAVES + 1, count), np.float32)
        return dataclasses.replace(made, stand_in=empty, hards=np.zeros(count, np.float32))
    rows = np.column_stack([made.place(learn.x), np.ones(len(learn), np.float32)])
    said = np.eye(count, dtype=np.float32)[learn.labels % count]
    taught = np.linalg.solve(rows.T @ rows + _TAUGHT * np.eye(WAVES + 1, dtype=np.float32), rows.T @ said)
    made = dataclasses.replace(made, stand_in=taught.astype(np.float32))
    kinds = later.labels % count
    hard = made.hardness(made.place(later.x), kinds)
    many = np.bincount(kinds, minlength=count)
    means = np.where(many, np.bincount(kinds, hard, count) / np.maximum(many, 1), hard.mean()).astype(np.float32)
    spread = max(float(np.sqrt(np.mean((hard - means[kinds]) ** 2))), 1e-6)
    return dataclasses.replace(made, hards=means, hard_spread=spread)


def _clients(made: Sketch, honest: Honest, count: tuple[int, int], draw: np.random.Generator) -> Array:
    """Return for `count` (clients, questions of each) made-up questions as sums (clients, blocks, WIDTH).

    There are far fewer inputs than questions, so one client asks the same again and two ask the same, as real ones do
    not: their windows would stray further and be more alike than real ones. So what an input is beyond the mean of its
    label, for this client, is taken times a number drawn anew for each question (the wild bootstrap, Mammen 1993).
    """
    honest = honest.part(np.argsort(honest.labels % len(made.kinds), kind="stable"))
    labels, unsure = honest.labels % len(made.kinds), honest.unsure
    plain = made.unexpected(made.place(honest.x), labels, unsure)
    begins = np.flatnonzero(np.diff(labels, prepend=-1))
    hard = (np.argsort(np.argsort(unsure)) / len(unsure) - 0.5) * 2
    usual, out = np.zeros((len(made.kinds), WIDTH), np.float32), []
    for _ in range(count[0]):
        liked = draw.dirichlet(np.full(len(made.kinds), _TAKES_TURNS))
        weight = (liked[labels] + 1e-6) * np.exp(_HARDER * draw.normal() * hard)
        share = (weight / weight.sum()).astype(np.float32)[:, None]
        usual[labels[begins]] = np.add.reduceat(plain * share, begins) / np.add.reduceat(share, begins)
        rows = draw.choice(len(honest), count[1], p=weight / weight.sum())
        seen = honest.seen_by(rows, draw)
        said = honest.ask(seen[:_ASKED]) if count[1] > _LEVEL else None
        less_sure = 0.0 if said is None else float(np.mean(doubt(said, len(said)) - unsure[rows[:_ASKED]]))
        look = made.unexpected(made.place(seen), labels[rows], unsure[rows] + less_sure) - plain[rows]
        mean = usual[labels[rows]]
        unexpected = mean + look + _again(draw, count[1])[:, None] * (plain[rows] - mean)
        out.append(unexpected.reshape(-1, BLOCK, WIDTH).sum(axis=1))
    return np.stack(out)


def _again(draw: np.random.Generator, count: int) -> Array:
    """Return numbers (count,) of mean 0 whose squares and cubes have mean 1: two values (Mammen 1993)."""
    root = np.sqrt(5.0)
    few = draw.random(count) < (root + 1) / (2 * root)
    return np.asarray(np.where(few, (1 - root) / 2, (1 + root) / 2), np.float32)


def _strange(made: Sketch, honest: Honest, draw: np.random.Generator) -> float:
    found = []
    for _ in range(_LOOKS):
        rows = draw.integers(0, len(honest), _EACH)
        found.append(made.distance(made.place(honest.seen_by(rows, draw)), honest.labels[rows]))
    return float(line(np.concatenate(found), _STRANGERS))


def _lean(blocks: Array) -> Array:
    """Return how clients' mean doubt and hardness go with the directions in which their means differ most."""
    means = blocks.sum(axis=1)
    ways = np.linalg.svd(means[:, :WAVES], full_matrices=False)[2][:_WAYS].T
    along = np.linalg.lstsq(means[:, :WAVES] @ ways, means[:, WAVES:], rcond=None)[0]
    return np.asarray(ways @ along, np.float32)


def _scales(blocks: Array) -> Array:
    out = np.zeros((len(SIZES), 3, 2), np.float32)
    for number, size in enumerate(SIZES):
        windows = blocks.reshape(-1, size // BLOCK, WIDTH).sum(axis=1)
        signs = window_signs(windows, np.full(len(windows), size))
        middle = np.median(signs, axis=0)
        out[number, :, 0] = middle
        out[number, :, 1] = np.maximum(np.quantile(signs, 0.99, axis=0) - middle, 1e-6)
    return out


def _chance(blocks: Array) -> float:
    windows = blocks[:, : KIN_BLOCKS // 2, :WAVES].sum(axis=1) / np.sqrt(KIN_BLOCKS // 2 * BLOCK)
    return max(float(np.std((windows @ windows.T)[np.triu_indices(len(windows), 1)])), 1e-9)


def _seen(made: Sketch, blocks: Array) -> list[list[Scores]]:
    """Return what every block of every client shows, the clients taking turns."""
    past = Accounts(made)
    turns = [[past.judged(str(one), block) for one, block in enumerate(turn)] for turn in np.moveaxis(blocks, 1, 0)]
    return [list(client) for client in zip(*turns, strict=True)]


def _usual_worst(seen: list[list[Scores]], sign: str) -> list[float]:
    """Return what one window in twenty of each client is above.

    Windows of one client are alike: a client who is unlike the others is noticed in all of them or in none. So the tail
    that limits are drawn in is that of clients.
    """
    return [float(np.quantile([getattr(one, sign) for one in client], 0.95)) for client in seen]
