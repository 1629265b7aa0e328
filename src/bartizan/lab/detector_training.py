"""Trains the text classifier: word vectors, a few dilated convolutions over them, two answers at every place.

Numbers in, weights out; knows nothing of files. A text's answer is the (soft) largest over its places, so the shipped
network may read a text of any length and says where it saw something. Training is seeded; on one machine with one
number of threads the same rows give the same weights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bartizan.lab.examples import UNASKED

Array = NDArray[np.float32]
MARKS = 6
SHARPNESS = 2.0
"""Of the soft maximum: the larger, the more one place decides for the whole text."""


@dataclass(frozen=True)
class Shape:
    """The size of the network."""

    width: int = 64
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    around: int = 32
    """Places on each side whose mean is shown to the last layer."""
    hidden: int = 64


@dataclass(frozen=True)
class Sample:
    """One text as numbers with its two answers (1, 0 or UNASKED) and its weight."""

    ids: NDArray[np.int32]
    marks: NDArray[np.int8]
    attack: int
    planted: int
    weight: float = 1.0


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    passes: float = 2.0
    rate: float = 8e-3
    tokens_a_batch: int = 4_000
    most_tokens: int = 256
    energy: float = 0.01
    """Weight of the penalty on innocent texts that score above `margin`: the tail decides at 1 % false positives."""
    margin: float = -3.0
    seed: int = 1


class Network(nn.Module):
    """Scores every place of a batch of texts."""

    def __init__(self, shape: Shape, vectors: Array) -> None:
        """Begin with these word vectors (tokens, width)."""
        super().__init__()
        self.shape = shape
        width = shape.width
        self.vectors = nn.Embedding(len(vectors), width, _weight=torch.from_numpy(vectors.copy()))
        self.marks = nn.Embedding(MARKS, width)
        nn.init.normal_(self.marks.weight, std=0.05)
        self.steps = nn.ModuleList(nn.Linear(3 * width, 2 * width) for _ in shape.dilations)
        self.gains = nn.ParameterList(nn.Parameter(torch.ones(width)) for _ in shape.dilations)
        self.hidden = nn.Linear(2 * width, shape.hidden)
        self.answers = nn.Linear(shape.hidden, 2)
        nn.init.constant_(self.answers.bias, -3.0)

    def forward(self, ids: Tensor, marks: Tensor, drop: float = 0.0) -> Tensor:
        """Return (texts, places, 2) scores. Padding has the number -1."""
        real = (ids >= 0).unsqueeze(2).float()
        seen = functional.dropout(self.vectors(ids.clamp(min=0)) + self.marks(marks), drop, self.training) * real
        for step, gain, reach in zip(self.steps, self.gains, self.shape.dilations, strict=True):
            normal = seen * torch.rsqrt(seen.square().mean(2, keepdim=True) + 1e-5) * gain * real
            padded = functional.pad(normal, (0, 0, reach, reach))
            length = ids.shape[1]
            sides = [padded[:, side * reach : side * reach + length] for side in range(3)]
            value, gate = step(torch.cat(sides, 2)).chunk(2, 2)
            seen = (seen + functional.dropout(value * torch.sigmoid(gate), drop, self.training)) * real
        near = self._near(seen, real)
        if self.training:  # one text in four is judged by its words alone: innocent surroundings must not excuse them
            near = near * (torch.rand(len(ids), 1, 1) > 0.25).float()
        scores: Tensor = self.answers(torch.relu(self.hidden(torch.cat((seen, near), 2))))
        return scores

    def _near(self, seen: Tensor, real: Tensor) -> Tensor:
        reach = self.shape.around
        total = functional.pad(torch.cat((seen, real), 2).cumsum(1), (0, 0, reach + 1, 0))
        total = torch.cat((total, total[:, -1:].expand(-1, reach, -1)), 1)
        length = seen.shape[1]
        window = total[:, 2 * reach + 1 : 2 * reach + 1 + length] - total[:, :length]
        return window[:, :, :-1] / window[:, :, -1:].clamp(min=1.0)


def whole(scores: Tensor, ids: Tensor) -> Tensor:
    """Return (texts, 2): the soft maximum over the places of each text."""
    hidden = (ids < 0).unsqueeze(2)
    return torch.logsumexp((scores * SHARPNESS).masked_fill(hidden, -1e9), 1) / SHARPNESS


def loss_of(answers: Tensor, truth: Tensor, weight: Tensor, plan: Plan) -> Tensor:
    """Return the mean cross-entropy of what is asked, and the energy penalty on innocent texts."""
    asked = (truth != UNASKED).float() * weight.unsqueeze(1)
    target = truth.clamp(min=0).float()
    entropy = functional.binary_cross_entropy_with_logits(answers, target, reduction="none")
    tail = (1 - target) * functional.relu(answers - plan.margin).square()
    return ((entropy + plan.energy * tail) * asked).sum() / asked.sum().clamp(min=1.0)


def train(
    samples: Sequence[Sample],
    vectors: Array,
    shape: Shape,
    plan: Plan,
    say: Callable[[str], None] = lambda _: None,
    start: Mapping[str, Array] | None = None,
) -> dict[str, Array]:
    """Return the weights by name. Training begins with `vectors` (tokens, width), or goes on from `start`."""
    torch.manual_seed(plan.seed)
    draw = np.random.default_rng(plan.seed)
    network = Network(shape, vectors)
    if start is not None:
        network.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in start.items()})
    rare = [network.vectors.weight]
    dense = [one for name, one in network.named_parameters() if name != "vectors.weight"]
    groups = [{"params": dense, "weight_decay": 1e-2}, {"params": rare, "weight_decay": 0.0, "lr": plan.rate * 0.5}]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate)
    batches = _batches(samples, plan, draw)
    total = int(len(batches) * plan.passes)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 100) * max(0.02, 1 - step / max(1, total))
    )
    network.train()
    running = 0.0
    for step in range(total):
        if step and step % len(batches) == 0:
            batches = _batches(samples, plan, draw)
        ids, marks, truth, weight = _stacked([samples[at] for at in batches[step % len(batches)]], plan, draw)
        loss = loss_of(whole(network(ids, marks, 0.1), ids), truth, weight, plan)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        running = 0.98 * running + 0.02 * float(loss.detach())
        if step % 100 == 0:
            say(f"step {step} of {total}: loss {running / (1 - 0.98 ** (step + 1)):.4f}")
    return {name: one.detach().numpy() for name, one in network.state_dict().items()}


def _batches(samples: Sequence[Sample], plan: Plan, draw: np.random.Generator) -> list[list[int]]:
    """Return batches of texts of about one length, in random order."""
    lengths = np.array([min(len(one.ids), plan.most_tokens) for one in samples])
    order = np.argsort(lengths + draw.uniform(-4, 4, len(samples)))
    batches: list[list[int]] = [[]]
    for at in order:
        if (len(batches[-1]) + 1) * int(lengths[at]) > plan.tokens_a_batch:
            batches.append([])
        batches[-1].append(int(at))
    return [batches[at] for at in draw.permutation(len(batches))]


def _stacked(samples: Sequence[Sample], plan: Plan, draw: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return one batch; a text that is too long gives a part of itself, drawn at random."""
    most = min(plan.most_tokens, max(len(one.ids) for one in samples))
    ids = np.full((len(samples), most), -1, np.int64)
    marks = np.zeros((len(samples), most), np.int64)
    for row, one in enumerate(samples):
        first = int(draw.integers(0, len(one.ids) - most + 1)) if len(one.ids) > most and draw.random() < 0.5 else 0
        part = one.ids[first : first + most]
        ids[row, : len(part)] = part
        marks[row, : len(part)] = one.marks[first : first + most]
    truth = torch.tensor([(one.attack, one.planted) for one in samples])
    weight = torch.tensor([one.weight for one in samples], dtype=torch.float32)
    return torch.from_numpy(ids), torch.from_numpy(marks), truth, weight


Weights = Mapping[str, Array]
