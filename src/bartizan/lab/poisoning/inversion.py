"""Looks for a backdoor in a trained network: the smallest change that turns every example into one class.

A backdoor is a shortcut: into its target class a far smaller change leads than into the others (Neural Cleanse, Wang et
al., S&P 2019). Two kinds of change are sought by gradient for each class: a patch (a mask of places and what stands
there) and a shade added everywhere, each bounded by what the input may be. Needs some honest labelled examples, not the
training data. Not found: triggers that few source classes react to, and those that move the picture (warps), whose
change is not small anywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.core.errors import BadArtifact
from bartizan.lab.needs import need

Array = npt.NDArray[np.float32]
Told = Callable[[str, int, int], None]
STEPS, BATCH, TOGETHER, WON = 200, 32, 16, 0.9
"""Steps, examples a step, classes that are sought at once, and the share of examples that a change must turn."""
OUTLIER = 2.0
"""Deviations (of the median absolute deviation) below the median of all classes, in logarithms; as in the paper."""
SHARE = 0.6
"""And at most so much of the median: with few classes the deviation alone says little."""
_LEAST_CLASSES = 4
_RATE = 0.1


@dataclass(frozen=True)
class Trigger:
    """The smallest change found into `target`: input x becomes (1 - mask) * x + mask * pattern + shade, bounded.

    `size` is the mean of the mask (patch) or of the shade by the input's range; `wins` is the share of examples of
    other classes that it turns. `size` is infinite where no change turned enough of them.
    """

    kind: str
    target: int
    mask: Array
    pattern: Array
    shade: Array
    size: float
    wins: float

    def shown(self, x: Array, low: float, high: float) -> Array:
        """Return examples with the trigger on them."""
        return np.clip((1 - self.mask) * x + self.mask * self.pattern + self.shade, low, high).astype(np.float32)


@dataclass(frozen=True)
class Scan:
    """Every trigger that was sought, and those that are far smaller than the others of their kind."""

    triggers: tuple[Trigger, ...]
    suspects: tuple[Trigger, ...]


def scan(
    module: Any, data: tuple[Array, npt.NDArray[np.int64]], span: tuple[float, float], classes: int, told: Told
) -> Scan:
    """Return the triggers of a network from (n, …) to (n, classes). `data` are honest examples, `span` their bounds.

    Raises BadArtifact for fewer than four classes: nothing can stand out among them.
    """
    if classes < _LEAST_CLASSES:
        raise BadArtifact(f"{classes} classes: a backdoor is sought among {_LEAST_CLASSES} and more")
    found: list[Trigger] = []
    for kind in ("patch", "shade"):
        for start in range(0, classes, TOGETHER):
            told("triggers sought", len(found), 2 * classes)
            targets = range(start, min(start + TOGETHER, classes))
            found += inverted(module, data, span, targets, kind)
    told("triggers sought", len(found), 2 * classes)
    return Scan(tuple(found), tuple(one for kind in ("patch", "shade") for one in _small(found, kind)))


def _small(found: list[Trigger], kind: str) -> list[Trigger]:
    own = [one for one in found if one.kind == kind]
    sizes = np.log([min(max(one.size, 1e-6), 1e6) for one in own])
    middle = float(np.median(sizes))
    spread = 1.4826 * float(np.median(np.abs(sizes - middle))) + 0.05
    small = (sizes < middle - OUTLIER * spread) & (sizes < middle + np.log(SHARE))
    return [one for one, odd in zip(own, small, strict=True) if odd]


def inverted(
    module: Any,
    data: tuple[Array, npt.NDArray[np.int64]],
    span: tuple[float, float],
    targets: Sequence[int],
    kind: str,
) -> list[Trigger]:
    """Return the smallest change of a `kind` ("patch" or "shade") that turns examples to each of `targets`."""
    torch = need("torch")
    x, shape, count = torch.from_numpy(np.ascontiguousarray(data[0])), data[0].shape[1:], len(targets)
    places = (1, *shape[1:]) if len(shape) == 3 else shape
    patch, axes = kind == "patch", tuple(range(1, len(shape) + 1))
    first = torch.full((count, *places), -1.0) if patch else torch.zeros((count, *shape))
    second = torch.zeros((count, *shape))
    first.requires_grad_(), second.requires_grad_(patch)
    optimiser = torch.optim.Adam([first, second] if patch else [first], lr=_RATE)
    wanted = torch.tensor(list(targets)).repeat_interleave(BATCH)
    price, least = torch.full((count,), 1.0), torch.full((count,), float("inf"))
    best = [first.detach().clone(), second.detach().clone()]
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        seen = x[torch.randint(len(x), (BATCH,), generator=generator)]
        changed = _changed(torch, seen[None], first[:, None], second[:, None], span, patch)
        scores = module(changed.reshape(-1, *shape))
        size = torch.sigmoid(first).mean(axes) if patch else torch.tanh(first).abs().mean(axes)
        won = (scores.argmax(1) == wanted).float().reshape(count, BATCH).mean(1) >= WON
        better = won & (size.detach() < least)
        least = torch.where(better, size.detach(), least)
        for kept, now in zip(best, (first, second), strict=True):
            kept[better] = now.detach()[better]
        loss = torch.nn.functional.cross_entropy(scores, wanted, reduction="none").reshape(count, BATCH).mean(1)
        optimiser.zero_grad()
        (loss + price * size).sum().backward()
        optimiser.step()
        # The price of size rises while the change wins and falls while it does not, as in the paper.
        price = torch.where(won, (price * 1.1).clamp(max=1000.0), (price / 1.1).clamp(min=0.01))
    return [_found(module, data, span, one, kind, (best[0][at], best[1][at], float(least[at])))
            for at, one in enumerate(targets)]  # fmt: skip


def _found(
    module: Any,
    data: tuple[Array, npt.NDArray[np.int64]],
    span: tuple[float, float],
    target: int,
    kind: str,
    best: tuple[Any, Any, float],
) -> Trigger:
    torch = need("torch")
    first, second, size = best
    low, high = span
    mask, shade = torch.sigmoid(first), torch.tanh(first) * (high - low)
    pattern = torch.sigmoid(second) * (high - low) + low
    nothing = np.zeros(tuple(pattern.shape), np.float32)
    trigger = Trigger(
        kind,
        target,
        mask.numpy() if kind == "patch" else np.zeros((1,) * len(nothing.shape), np.float32),
        pattern.numpy(),
        nothing if kind == "patch" else shade.numpy(),
        size,
        0.0,
    )
    others = data[0][data[1] != target]
    with torch.no_grad():
        wins = (module(torch.from_numpy(trigger.shown(others, low, high))).argmax(1) == target).float().mean()
    return replace(trigger, wins=float(wins))


def _changed(torch: Any, x: Any, first: Any, second: Any, span: tuple[float, float], patch: bool) -> Any:
    low, high = span
    if patch:
        mask = torch.sigmoid(first)
        return (1 - mask) * x + mask * (torch.sigmoid(second) * (high - low) + low)
    return torch.clamp(x + torch.tanh(first) * (high - low), low, high)
