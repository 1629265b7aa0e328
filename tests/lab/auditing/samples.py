"""A small subject: a softmax of digits that learnt its members by heart, and a torch module of it."""

import numpy as np
import torch

from bartizan.lab.auditing.subject import Subject
from bartizan.lab.labelled import Labelled
from bartizan.lab.membership.stacked import Recipe
from bartizan.lab.reference_classifier import digits
from bartizan.lab.target import Access, Arrays, of_callable
from bartizan.lab.targets.torch_modules import of_module

LEARN, _ = digits(0)
RECIPE = Recipe(hidden=(16,), activation="relu", epochs=20, batch=16, learning_rate=1e-2)


def flat(start, stop):
    """Digits as lines."""
    part = LEARN.part(start, stop)
    return Labelled(part.x.reshape(len(part), -1), part.y)


def by_heart(x):
    """A model that is sure of its 100 members alone."""
    known = flat(0, 100)
    distances = ((x[:, None] - known.x[None]) ** 2).sum(axis=2)
    sure = np.where(distances.min(axis=1) < 1e-6, 0.999, 0.6)
    label = known.y[distances.argmin(axis=1)]
    return np.where(np.arange(10) == label[:, None], sure[:, None], ((1 - sure) / 9)[:, None])


def subject(access=Access.SCORES, **more):
    """The subject; the model gives scores or labels."""
    target = of_callable("by heart", by_heart, Arrays((64,), 0.0, 1.0), classes=10)
    given = {"models": 6, "seed": 1, "questions": 150, "price": 0.01, "steps": 15} | more
    return Subject(target.seen_with(access), flat(0, 100), flat(100, 500), RECIPE, **given)


def white_box():
    """The same data and a linear module with its weights, as images."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    x, y = torch.from_numpy(LEARN.x[:500]), torch.from_numpy(LEARN.y[:500])
    optimizer = torch.optim.Adam(module.parameters(), 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    target = of_module("linear", module, Arrays((1, 8, 8), 0.0, 1.0), classes=10)
    return Subject(target, LEARN.part(0, 100), LEARN.part(100, 500), RECIPE, models=6, seed=1, questions=150, steps=15)
