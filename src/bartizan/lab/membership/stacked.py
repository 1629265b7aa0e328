"""Trains many small networks in one program: the same architecture, each on its own subset, weights stacked in tensors.

The backward pass is written out, so a stack needs no autograd graph, and per-record gradient norms cost two row norms a
layer (Goodfellow 2015): the same code trains plainly and with DP-SGD. Models are worked on in groups whose weights and
Adam state stay in the CPU's cache. Dense networks only; convolutions go through `modules.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from bartizan.lab.privacy.relaxing import relaxed_delta

CACHE_BYTES = 16_000_000
"""What a group's weights, gradients and Adam moments may take: more than this and each step waits for memory."""


@dataclass(frozen=True)
class Noise:
    """DP-SGD: every record's gradient is cut to `clip` (L2), and the sum gets Gaussian noise of `multiplier * clip`."""

    clip: float
    multiplier: float

    def __post_init__(self) -> None:
        """Refuse what would not be a mechanism."""
        if not self.clip > 0 or not self.multiplier >= 0:
            raise ValueError(
                f"Noise(clip={self.clip}, multiplier={self.multiplier}): expected clip > 0, multiplier >= 0"
            )


@dataclass(frozen=True)
class Recipe:
    """How one network is trained. The same recipe for target and shadows is the strongest attacker's setting."""

    hidden: tuple[int, ...] = (256,)
    activation: Literal["tanh", "relu"] = "tanh"
    epochs: int = 30
    batch: int = 64
    learning_rate: float = 1e-3
    optimizer: Literal["adam", "sgd"] = "adam"
    momentum: float = 0.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    drop_at: int = 0
    """After this epoch the learning rate is a tenth; 0: never."""
    initial: Literal["torch", "glorot"] = "torch"
    """Weights start uniform within 1 / sqrt(inputs), or within Glorot's bound with zero biases."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the large products while training; weights and sums stay float32. Twice as fast where the CPU has BF16."""
    relax: float = 0.0
    """RelaxLoss: batches whose mean loss is below this are pushed back up (`privacy/relaxing.py`); 0: never."""
    noise: Noise | None = None
    """With noise, batches are Poisson samples of expected size `batch`, as the accountant assumes."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.relax < 0 or (self.relax and self.noise):
            raise ValueError(f"{self}: expected relax >= 0, and no noise with it: DP-SGD clips another gradient")
        if self.epochs < 1 or self.batch < 1 or not 0 <= self.label_smoothing < 1 or not self.learning_rate > 0:
            raise ValueError(f"{self}: expected epochs, batch >= 1, 0 <= label_smoothing < 1, learning_rate > 0")


@dataclass(frozen=True)
class Stack:
    """Trained networks: one weight tensor (models, in, out) and one bias (models, 1, out) for each layer."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    activation: str

    def __len__(self) -> int:
        """Return the number of networks."""
        return int(self.weights[0].shape[0])

    def logits(self, x: np.ndarray, rows: int = 1024) -> np.ndarray:
        """Return float32 logits (models, records, classes) of `x` (records, features)."""
        parts = []
        with torch.no_grad():
            for start in range(0, len(x), rows):
                block = torch.as_tensor(x[start : start + rows], dtype=torch.float32)
                value = block.expand(len(self), *block.shape)
                parts.append(_forward(value, self.weights, self.biases, self.activation)[-1].numpy())
        return np.concatenate(parts, axis=1)

    def one(self, index: int) -> "Stack":
        """Return the network at `index` as a stack of one."""
        cut = slice(index, index + 1)
        return Stack(tuple(w[cut] for w in self.weights), tuple(b[cut] for b in self.biases), self.activation)


def train(
    x: np.ndarray,
    y: np.ndarray,
    inside: np.ndarray,
    recipe: Recipe,
    seed: int,
    told: Callable[[float], None] = lambda share: None,
) -> Stack:
    """Train one network for each row of `inside` (models, records; bool) on the records it marks.

    `x` is (records, features) float, `y` (records,) int in 0..classes-1. Deterministic for a seed. Uses one thread:
    for networks this small, more threads spend their time waiting for each other. After each pass over the data, `told`
    hears which share of the work is done.
    """
    _check(x, y, inside)
    features = torch.as_tensor(x, dtype=getattr(torch, recipe.precision))
    labels = torch.as_tensor(y, dtype=torch.int64)
    widths = (x.shape[1], *recipe.hidden, int(y.max()) + 1)
    size = group_size(widths)
    groups = []
    with one_thread():
        for start in range(0, len(inside), size):
            draw = np.random.default_rng((seed, start))
            some = inside[start : start + size]
            passed = _passes(told, start / len(inside), len(some) / len(inside) / recipe.epochs)
            groups.append(_train_group((features, labels), some, widths, recipe, draw, passed))
    layers = len(widths) - 1
    weights = tuple(torch.cat([group.weights[layer] for group in groups]) for layer in range(layers))
    biases = tuple(torch.cat([group.biases[layer] for group in groups]) for layer in range(layers))
    return Stack(weights, biases, recipe.activation)


def _passes(told: Callable[[float], None], before: float, each: float) -> Callable[[int], None]:
    return lambda passes: told(before + passes * each)


def group_size(widths: tuple[int, ...]) -> int:
    """Return how many networks of these layer widths are trained together."""
    parameters = sum(a * b + b for a, b in pairwise(widths))
    return max(1, CACHE_BYTES // (16 * parameters))


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold torch to one thread inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> None:
    if x.ndim != 2 or y.shape != (len(x),) or inside.ndim != 2 or inside.shape[1] != len(x) or inside.dtype != bool:
        raise ValueError(
            f"train: x {x.shape}, y {y.shape}, inside {inside.shape} {inside.dtype}: "
            "expected (n, d), (n,), (models, n) bool"
        )
    if not inside.any(axis=1).all():
        raise ValueError("train: a model has no record to train on")


def _train_group(
    data: tuple[Tensor, Tensor],
    inside: np.ndarray,
    widths: tuple[int, ...],
    recipe: Recipe,
    draw: np.random.Generator,
    passed: Callable[[int], None],
) -> Stack:
    x, y = data
    torch_draw = torch.Generator().manual_seed(int(draw.integers(2**62)))
    weights, biases = _initial(len(inside), widths, torch_draw, recipe.initial)
    parameters = [*weights, *biases]
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimizer = _optimizer(parameters, recipe)
    targets = _targets(y, widths[-1], recipe.label_smoothing)
    batches = _poisson(inside, recipe, draw) if recipe.noise else _shuffled(inside, recipe, draw)
    steps = max(1, -(-int(inside.sum(axis=1).max()) // recipe.batch))
    for step, (index, weight) in enumerate(batches):
        if recipe.drop_at and step == recipe.drop_at * steps:
            optimizer.param_groups[0]["lr"] = recipe.learning_rate / 10
        rows = torch.from_numpy(index)
        pull = partial(
            relaxed_delta,
            targets=targets[rows],
            weight=torch.from_numpy(weight),
            level=recipe.relax,
            epoch=step // steps,
        )
        _backward(x[rows], pull, (weights, biases), recipe.activation, recipe.noise)
        if recipe.noise:
            _add_noise(parameters, recipe.noise, recipe.batch, torch_draw)
        optimizer.step()
        if (step + 1) % steps == 0:
            passed((step + 1) // steps)
    return Stack(tuple(weights), tuple(biases), recipe.activation)


def _initial(
    models: int, widths: tuple[int, ...], draw: torch.Generator, kind: str
) -> tuple[list[Tensor], list[Tensor]]:
    """Draw weights as torch.nn.Linear does, uniform within 1 / sqrt(inputs), or as Glorot and Bengio (2010)."""
    weights, biases = [], []
    for fan_in, fan_out in pairwise(widths):
        glorot = kind == "glorot"
        bound = (6 / (fan_in + fan_out)) ** 0.5 if glorot else fan_in**-0.5
        weights.append((torch.rand(models, fan_in, fan_out, generator=draw) * 2 - 1) * bound)
        biases.append((torch.rand(models, 1, fan_out, generator=draw) * 2 - 1) * (0.0 if glorot else bound))
    return weights, biases


def _optimizer(parameters: list[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    return torch.optim.SGD(
        parameters, lr=recipe.learning_rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, foreach=True
    )


def _targets(y: Tensor, classes: int, smoothing: float) -> Tensor:
    hard = torch.nn.functional.one_hot(y, classes).float()
    return hard * (1 - smoothing) + smoothing / classes


def _shuffled(inside: np.ndarray, recipe: Recipe, draw: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (index, weight) of every step: each model passes over its own records in its own order."""
    members = [np.flatnonzero(row) for row in inside]
    longest = max(len(one) for one in members)
    for _ in range(recipe.epochs):
        order = np.stack([_padded(draw.permutation(one), longest) for one in members])
        real = np.stack([np.arange(longest) < len(one) for one in members])
        for start in range(0, longest, recipe.batch):
            cut = slice(start, start + recipe.batch)
            count = real[:, cut].sum(axis=1, keepdims=True)
            yield order[:, cut], (real[:, cut] / np.maximum(count, 1)).astype(np.float32)


def _padded(order: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([order, np.zeros(length - len(order), dtype=order.dtype)])


def _poisson(inside: np.ndarray, recipe: Recipe, draw: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (index, weight) of every step: each record joins independently with probability batch / members."""
    members = [np.flatnonzero(row) for row in inside]
    steps = recipe.epochs * max(1, round(np.mean([len(one) for one in members]) / recipe.batch))
    for _ in range(steps):
        taken = [one[draw.random(len(one)) < recipe.batch / len(one)] for one in members]
        longest = max(1, *(len(one) for one in taken))
        index = np.stack([_padded(one, longest) for one in taken])
        weight = np.stack([np.arange(longest) < len(one) for one in taken])
        yield index, weight.astype(np.float32)


def _forward(x: Tensor, weights: tuple[Tensor, ...], biases: tuple[Tensor, ...], activation: str) -> list[Tensor]:
    """Return the input and every layer's output; hidden ones after the activation, the last as logits."""
    values = [x]
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if values[-1].dtype == torch.bfloat16:
            value = torch.bmm(values[-1], weight.bfloat16()).float().add_(bias)
        else:
            value = torch.baddbmm(bias, values[-1], weight)
        if layer < len(weights) - 1:
            value = value.tanh_() if activation == "tanh" else value.relu_()
        values.append(value)
    return values


def _backward(
    x: Tensor,
    pull: Callable[[Tensor], Tensor],
    layers: tuple[list[Tensor], list[Tensor]],
    activation: str,
    noise: Noise | None,
) -> None:
    """Write a gradient into `.grad`, from what `pull` makes of the logits; with `noise`, each record's part clipped."""
    weights, biases = layers
    values = _forward(x, tuple(weights), tuple(biases), activation)
    deltas = [pull(values[-1])]
    for layer in range(len(weights) - 1, 0, -1):
        value = values[layer]
        slope = 1 - value * value if activation == "tanh" else (value > 0).float()
        deltas.append(torch.bmm(deltas[-1], weights[layer].transpose(1, 2)) * slope)
    deltas.reverse()
    if noise is not None:
        scale = clip_factors(values[:-1], deltas, noise.clip).unsqueeze(2)
        deltas = [one * scale for one in deltas]
    for value, one, w, b in zip(values, deltas, weights, biases, strict=False):
        if value.dtype == torch.bfloat16:
            grad_of(w).copy_(torch.bmm(value.transpose(1, 2), one.bfloat16()))
        else:
            torch.bmm(value.transpose(1, 2), one, out=grad_of(w))
        torch.sum(one, dim=1, keepdim=True, out=grad_of(b))


def clip_factors(values: list[Tensor], deltas: list[Tensor], clip: float) -> Tensor:
    """Return min(1, clip / norm) of every record's whole gradient, (models, batch).

    A dense layer's gradient for one record is the outer product of its input and its delta, so its squared norm is
    the product of theirs; the bias adds the delta's own.
    """
    squared = sum(
        (one.square().sum(dim=2) * (value.square().sum(dim=2) + 1) for value, one in zip(values, deltas, strict=True)),
        start=torch.zeros(deltas[0].shape[:2]),
    )
    return (clip / squared.sqrt().clamp_min(1e-12)).clamp_max(1.0)


def _add_noise(parameters: list[Tensor], noise: Noise, batch: int, draw: torch.Generator) -> None:
    """Add the Gaussian to the clipped sum and divide by the expected batch, which does not depend on the data."""
    deviation = noise.multiplier * noise.clip
    for parameter in parameters:
        grad_of(parameter).add_(torch.randn(parameter.shape, generator=draw), alpha=deviation).div_(batch)


def grad_of(parameter: Tensor) -> Tensor:
    """Return the gradient buffer, which a stack gives to every parameter before it trains."""
    grad = parameter.grad
    if grad is None:
        raise ValueError("a parameter has no gradient buffer: expected one of its own shape")
    return grad
