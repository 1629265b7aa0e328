"""DP-SGD for any torch module: each record's gradient by `torch.func`, cut, summed and given noise.

Batches are Poisson samples, as the accountant assumes, and the sum is divided by the expected batch, which does not
depend on the data. A module whose answer for one record depends on the others in its batch has no gradient of one
record and is refused. The noise comes from torch's ordinary generator: enough for a study, not against an attacker who
can predict it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from bartizan.lab.membership.stacked import one_thread
from bartizan.lab.privacy.accountant import Mechanism, Spent, noise_for, spent

CHUNK = 256
"""Records whose gradients are held at once."""


@dataclass(frozen=True)
class PrivatePlan:
    """What may be spent and how it is spent."""

    epsilon: float
    """By the privacy loss distribution."""
    delta: float = 1e-5
    clip: float = 1.0
    """Longest gradient of one record (L2, over all parameters)."""
    epochs: int = 10
    batch: int = 256
    """Expected size of a batch."""
    learning_rate: float = 0.5
    momentum: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no plan."""
        if not self.clip > 0 or min(self.epochs, self.batch) < 1 or not self.learning_rate > 0:
            raise ValueError(f"{self}: expected clip > 0, epochs and batch >= 1, learning_rate > 0")


def train_privately(module: torch.nn.Module, x: np.ndarray, y: np.ndarray, plan: PrivatePlan) -> Spent:
    """Train `module` in place on `x` (n, …) float32 and labels `y` (n,), and return what was spent.

    Raises ValueError for a module with batch statistics, or for an epsilon that needs more noise than is sensible.
    """
    _check(module)
    rate = min(1.0, plan.batch / len(x))
    steps = plan.epochs * max(1, round(1 / rate))
    multiplier = noise_for(plan.epsilon, plan.delta, rate, steps)
    draw, torch_draw = np.random.default_rng(plan.seed), torch.Generator().manual_seed(plan.seed)
    inputs, labels = torch.from_numpy(np.asarray(x, np.float32)), torch.from_numpy(np.asarray(y, np.int64))
    trainable = {name: one for name, one in module.named_parameters() if one.requires_grad}
    optimizer = torch.optim.SGD(trainable.values(), lr=plan.learning_rate, momentum=plan.momentum)
    module.train()
    with one_thread():
        for _ in range(steps):
            rows = torch.from_numpy(np.flatnonzero(draw.random(len(x)) < rate))
            total = clipped_sum(module, inputs[rows], labels[rows], plan.clip)
            for name, parameter in trainable.items():
                noise = torch.randn(parameter.shape, generator=torch_draw) * multiplier * plan.clip
                parameter.grad = (total[name] + noise) / (rate * len(x))
            optimizer.step()
    module.eval()
    return spent(Mechanism(rate, multiplier, steps), plan.delta)


def clipped_sum(module: torch.nn.Module, x: Tensor, y: Tensor, clip: float) -> dict[str, Tensor]:
    """Return the sum over records of each one's cross-entropy gradient, cut to `clip`, by parameter.

    A record whose gradient is not finite counts as none.
    """
    state = {name: one.detach() for name, one in (*module.named_parameters(), *module.named_buffers())}
    own = {name: state[name] for name, one in module.named_parameters() if one.requires_grad}

    def loss(weights: dict[str, Tensor], record: Tensor, label: Tensor) -> Tensor:
        logits = functional_call(module, {**state, **weights}, (record[None],))
        return torch.nn.functional.cross_entropy(logits, label[None])

    each = vmap(grad(loss), in_dims=(None, 0, 0), randomness="different")
    total = {name: torch.zeros_like(one) for name, one in own.items()}
    for start in range(0, len(x), CHUNK):
        grads = each(own, x[start : start + CHUNK], y[start : start + CHUNK])
        length = sum(one.flatten(1).square().sum(dim=1) for one in grads.values()).sqrt()
        factor = torch.where(length.isfinite(), (clip / length.clamp_min(1e-12)).clamp_max(1.0), 0.0)
        for name, one in grads.items():
            total[name] += torch.tensordot(factor, one.nan_to_num(0.0, 0.0, 0.0), 1)
    return total


def _check(module: torch.nn.Module) -> None:
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            raise ValueError(
                f"{name or 'the module'} is {type(part).__name__}: its answer for one record depends on the others in "
                "the batch. Expected layers that see one record, such as GroupNorm or LayerNorm"
            )
