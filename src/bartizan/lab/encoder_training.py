"""Trains the encoder: the first layers of a sentence encoder, with two answers, on windows of texts.

Numbers in, weights out; knows nothing of files. Begins with the tensors of MiniLM by their published names; its word
pieces stay as they are, so that words which training never shows keep their place among the others. Seeded: on one
machine with one number of threads the same windows give the same weights.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bartizan.lab.detector_training import MARKS, Sample
from bartizan.lab.examples import UNASKED

Array = NDArray[np.float32]
SPAN, HEADS, SPECIAL = 126, 12, 16
"""As where the encoder runs: tokens of a window, heads of attention, numbers before the first word piece."""
_PREFIX = "encoder.layer"


@dataclass(frozen=True)
class EncoderPlan:
    """How long and how hard to train."""

    layers: int = 3
    passes: float = 1.0
    rate: float = 3e-4
    tokens_a_batch: int = 2_600
    energy: float = 0.02
    """Weight of the penalty on innocent windows that score above `margin`: the tail decides at 0.1 %."""
    margin: float = -4.0
    sure: float = 0.98
    """What a certain answer counts as: some labels are wrong, and a score without bounds has no use."""
    drop: float = 0.1
    seed: int = 1


class _Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attend, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm, self.last = nn.LayerNorm(width, 1e-12), nn.LayerNorm(width, 1e-12)

    def forward(self, seen: Tensor, real: Tensor, drop: float) -> Tensor:
        """Return (windows, places, width) of the same; `real` says which places are no padding."""
        texts, places, width = seen.shape
        asked = self.attend(seen).view(texts, places, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(asked[0], asked[1], asked[2], attn_mask=real[:, None, None])
        joined = self.join(mixed.transpose(1, 2).reshape(texts, places, width))
        seen = self.norm(seen + functional.dropout(joined, drop, self.training))
        wide = self.widen(seen)
        wide = wide * torch.sigmoid(1.702 * wide)
        return cast(Tensor, self.last(seen + functional.dropout(self.narrow(wide), drop, self.training)))


class EncoderNetwork(nn.Module):
    """Two answers about each window of a batch."""

    def __init__(self, pieces: Array, others: Array, places: Array, ends: Array, layers: int) -> None:
        """Begin with vectors of the pieces, smaller ones of all other tokens, of the places, and the end marks."""
        super().__init__()
        width = pieces.shape[1]
        self.pieces = nn.Embedding(len(pieces), width, _weight=torch.from_numpy(pieces.copy()), _freeze=True)
        self.others = nn.Embedding(len(others), others.shape[1], _weight=torch.from_numpy(others.copy()))
        self.lift = nn.Linear(others.shape[1], width)
        nn.init.normal_(self.lift.weight, std=0.02)
        self.ends = nn.Parameter(torch.from_numpy(ends.copy()))
        self.places = nn.Parameter(torch.from_numpy(places.copy()))
        self.marks = nn.Embedding(MARKS, width)
        nn.init.zeros_(self.marks.weight)
        self.first = nn.LayerNorm(width, 1e-12)
        self.layers = nn.ModuleList(_Layer(width) for _ in range(layers))
        self.answers = nn.Linear(2 * width, 2)
        nn.init.normal_(self.answers.weight, std=0.02)
        nn.init.constant_(self.answers.bias, -1.0)

    def begin(self, tensors: Mapping[str, Array]) -> None:
        """Copy MiniLM's layers in."""
        begun = {f"first.{part}": tensors[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")}
        names = {
            "join": "attention.output.dense",
            "norm": "attention.output.LayerNorm",
            "widen": "intermediate.dense",
            "narrow": "output.dense",
            "last": "output.LayerNorm",
        }
        for at in range(len(self.layers)):
            for part in ("weight", "bias"):
                asked = [tensors[f"{_PREFIX}.{at}.attention.self.{one}.{part}"] for one in ("query", "key", "value")]
                begun[f"layers.{at}.attend.{part}"] = np.concatenate(asked)
                for ours, theirs in names.items():
                    begun[f"layers.{at}.{ours}.{part}"] = tensors[f"{_PREFIX}.{at}.{theirs}.{part}"]
        self.load_state_dict({name: torch.from_numpy(one.copy()) for name, one in begun.items()}, strict=False)

    def go_on(self, weights: Mapping[str, Array]) -> None:
        """Take the weights of an earlier lesson, by their names."""
        self.load_state_dict({name: torch.from_numpy(one.copy()) for name, one in weights.items()})

    def forward(self, ids: Tensor, marks: Tensor, lengths: Tensor, drop: float = 0.0) -> Tensor:
        """Return (windows, 2) log odds. Padding has the number -1."""
        return cast(Tensor, self.answers(self.pooled(ids, marks, lengths, drop)).float())

    def pooled(self, ids: Tensor, marks: Tensor, lengths: Tensor, drop: float = 0.0) -> Tensor:
        """Return (windows, 2 * width): mean and maximum of the last layer."""
        windows, most = ids.shape
        known = self.pieces.num_embeddings
        piece = (ids >= SPECIAL) & (ids < SPECIAL + known)
        other = torch.where(ids >= SPECIAL, ids - known, ids).masked_fill(piece | (ids < 0), 0)
        vectors = self.pieces((ids - SPECIAL).masked_fill(~piece, 0))
        seen = torch.where(piece.unsqueeze(2), vectors, self.lift(self.others(other))) + self.marks(marks)
        blank = seen.new_zeros(windows, 1, seen.shape[2])
        seen = torch.cat((self.ends[0].expand_as(blank), seen, blank), 1)
        places = torch.arange(most + 2)
        seen = torch.where((places == (lengths + 1).unsqueeze(1)).unsqueeze(2), self.ends[1], seen)
        seen = functional.dropout(self.first(seen + self.places[: most + 2]), drop, self.training)
        real = places <= (lengths + 1).unsqueeze(1)
        for layer in self.layers:
            seen = layer(seen, real, drop)
        seen = seen.float()
        there = real.unsqueeze(2)
        mean = (seen * there).sum(1) / there.sum(1)
        return torch.cat((mean, seen.masked_fill(~there, -1e4).amax(1)), 1)


def begun(pieces: Array, others: Array, tensors: Mapping[str, Array], ends: Array, layers: int) -> EncoderNetwork:
    """Return a network that begins with the first layers of MiniLM, by the published names of its tensors."""
    places = tensors["embeddings.position_embeddings.weight"][: SPAN + 2]
    places = places + tensors["embeddings.token_type_embeddings.weight"][0]
    network = EncoderNetwork(pieces, others, places, ends, layers)
    network.begin(tensors)
    return network


def resumed(
    weights: Mapping[str, Array], tensors: Mapping[str, Array] | None = None, layers: int = 0
) -> EncoderNetwork:
    """Return a network that goes on from the weights of an earlier training, by their names.

    With MiniLM's `tensors` it is as deep as `layers` says if it was not: what comes behind its own begins as there.
    """
    known = sum(name.endswith("attend.bias") for name in weights)
    network = EncoderNetwork(
        weights["pieces.weight"], weights["others.weight"], weights["places"], weights["ends"], max(known, layers)
    )
    if tensors is not None:
        network.begin(tensors)
    grown = tuple(f"layers.{at}." for at in range(known, layers))
    new = {name: one.numpy() for name, one in network.state_dict().items() if name.startswith(grown)}
    network.go_on({**new, **weights})  # strictly: of what was taught nothing may be missing
    return network


def loss_of(answers: Tensor, truth: Tensor, weight: Tensor, plan: EncoderPlan) -> Tensor:
    """Return the mean cross-entropy of what is asked, and the energy penalty on innocent windows."""
    asked = (truth != UNASKED).float() * weight.unsqueeze(1)
    target = truth.clamp(min=0).float()
    unsure = (1 - plan.sure) / 4
    entropy = functional.binary_cross_entropy_with_logits(answers, target * plan.sure + unsure, reduction="none")
    tail = (1 - target) * functional.relu(answers - plan.margin).square()
    return ((entropy + plan.energy * tail) * asked).sum() / asked.sum().clamp(min=1.0)


def train_encoder(
    network: EncoderNetwork, windows: Sequence[Sample], plan: EncoderPlan, say: Callable[[str], None] = lambda _: None
) -> dict[str, Array]:
    """Return the weights by name after training on the windows, each of at most `SPAN` tokens."""
    torch.manual_seed(plan.seed)
    draw = np.random.default_rng(plan.seed)
    fresh = [one for name, one in network.named_parameters() if name.startswith(("answers", "lift", "marks"))]
    given = [
        one
        for name, one in network.named_parameters()
        if one.requires_grad and not name.startswith(("answers", "lift", "marks"))
    ]
    groups: list[dict[str, Any]] = [{"params": given}, {"params": fresh, "lr": 5 * plan.rate}]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate, weight_decay=1e-2)
    batches = _batches(windows, plan, draw)
    total = max(1, int(len(batches) * plan.passes))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 100) * max(0.02, 1 - step / total)
    )
    network.train()
    running = 0.0
    for step in range(total):
        if step and step % len(batches) == 0:
            batches = _batches(windows, plan, draw)
        part = [windows[at] for at in batches[step % len(batches)]]
        ids, marks, lengths = stacked(part)
        truth = torch.tensor([(one.attack, one.planted) for one in part])
        weight = torch.tensor([one.weight for one in part], dtype=torch.float32)
        with _narrow():
            answers = network(ids, marks, lengths, plan.drop)
        loss = loss_of(answers.float(), truth, weight, plan)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        running = 0.98 * running + 0.02 * float(loss.detach())
        if step % 100 == 0:
            say(f"encoder, step {step} of {total}: loss {running / (1 - 0.98 ** (step + 1)):.4f}")
    return {name: one.detach().numpy() for name, one in network.state_dict().items()}


def fooling(network: EncoderNetwork, windows: Sequence[Sample], most: int, looked_at: int = 4) -> list[Sample]:
    """Return at most `most` innocent windows that the network scores highest, of the first `looked_at` times as many.

    What it takes for an attack though it is none teaches it more than anything drawn at random.
    """
    asked = windows[: looked_at * most]
    scores = np.full(len(asked), -30.0)
    by_length = sorted(range(len(asked)), key=lambda at: len(asked[at].ids))
    network.eval()
    with torch.inference_mode(), _narrow():
        for first in range(0, len(asked), 32):
            rows = by_length[first : first + 32]
            part = [asked[at] for at in rows]
            answers = network(*stacked(part))
            truth = torch.tensor([(one.attack, one.planted) for one in part])
            scores[rows] = answers.masked_fill(truth == UNASKED, -30.0).amax(1).numpy()
    order = sorted(range(len(asked)), key=lambda at: -scores[at])
    return [asked[at] for at in order[:most]]


def _narrow() -> AbstractContextManager[Any]:
    """Return bfloat16 where the processor multiplies in it: three times as slow where it must be put together."""
    able = torch.cpu.get_capabilities()
    return torch.autocast("cpu", torch.bfloat16, enabled=bool(able.get("avx512_bf16") or able.get("amx_bf16")))


def stacked(windows: Sequence[Sample]) -> tuple[Tensor, Tensor, Tensor]:
    """Return numbers, marks and lengths of one batch, padded."""
    most = max(len(one.ids) for one in windows)
    ids = np.full((len(windows), most), -1, np.int64)
    marks = np.zeros((len(windows), most), np.int64)
    for row, one in enumerate(windows):
        ids[row, : len(one.ids)] = one.ids
        marks[row, : len(one.ids)] = one.marks
    return torch.from_numpy(ids), torch.from_numpy(marks), torch.tensor([len(one.ids) for one in windows])


def _batches(windows: Sequence[Sample], plan: EncoderPlan, draw: np.random.Generator) -> list[list[int]]:
    """Return batches of windows of about one length, in random order."""
    lengths = np.array([len(one.ids) for one in windows])
    batches: list[list[int]] = [[]]
    for at in np.argsort(lengths + draw.uniform(-4, 4, len(windows))):
        if (len(batches[-1]) + 1) * (int(lengths[at]) + 2) > plan.tokens_a_batch:
            batches.append([])
        batches[-1].append(int(at))
    return [batches[at] for at in draw.permutation(len(batches))]
