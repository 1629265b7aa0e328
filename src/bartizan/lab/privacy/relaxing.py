"""RelaxLoss (Chen, Yu and Fritz, ICLR 2022): training that stops pulling where the loss is low already. No guarantee.

Members are told by losses lower than others'. Batches whose mean loss is under a level are pushed back up in even
epochs; in odd ones records answered wrongly are flattened to what is said of their class, and all others pushed up.
It is regularisation, like stopping early or smoothing labels: it may hide members from the attacks it was measured
with, and it bounds no attack. What does is DP training.
"""

import torch
from torch import Tensor
from torch.nn import functional


def relaxed_loss(logits: Tensor, labels: Tensor, level: float, epoch: int) -> Tensor:
    """Return the loss to descend (a scalar) for `logits` (n, classes) and `labels` (n,), in an epoch counted from 0.

    `level` is the mean cross-entropy to stay at: from 0 (plain training) to ln(classes) (nothing learnt).
    """
    each = functional.cross_entropy(logits, labels, reduction="none")
    if level <= 0 or each.mean() >= level:
        return each.mean()
    if epoch % 2 == 0:
        return level - each.mean()
    hard = functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    flat, wrong = _flattened(logits.detach(), hard)
    return (wrong * functional.cross_entropy(logits, flat, reduction="none") - each).mean()


def relaxed_delta(logits: Tensor, targets: Tensor, weight: Tensor, level: float, epoch: int) -> Tensor:
    """Return the gradient of `relaxed_loss` at the logits (models, n, classes), for a stack of models at once.

    `targets` has the shape of the logits; `weight` (models, n) sums to 1 for each model.
    """
    plain = torch.softmax(logits, dim=2) - targets
    if level <= 0:
        return plain * weight.unsqueeze(2)
    each = -(torch.log_softmax(logits, dim=2) * targets).sum(dim=2)
    low = (each * weight).sum(dim=1) < level
    pushed = -plain
    if epoch % 2:
        flat, wrong = _flattened(logits, targets)
        pushed = pushed + wrong.unsqueeze(2) * (torch.softmax(logits, dim=2) - flat)
    return torch.where(low[:, None, None], pushed, plain) * weight.unsqueeze(2)


def _flattened(logits: Tensor, hard: Tensor) -> tuple[Tensor, Tensor]:
    """Return each record's chance of its class with the rest spread evenly, and 1 where another class is likelier."""
    chance = (torch.softmax(logits, dim=-1) * hard).sum(dim=-1, keepdim=True)
    flat = hard * chance + (1 - hard) * (1 - chance) / (logits.shape[-1] - 1)
    return flat, (logits.argmax(dim=-1) != hard.argmax(dim=-1)).to(logits.dtype)
