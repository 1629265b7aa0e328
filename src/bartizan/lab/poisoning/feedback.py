"""Poisoned feedback: a crowd of accounts that votes bad items up, and honest votes to plant it into.

The honest accounts have tastes (they vote on some kinds of items only), are more or less lenient, and vote most when an
item is new. They are drawn, not recorded: figures on them speak of such a crowd only.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
DAY = 86_400.0
KINDS = 6


@dataclass(frozen=True)
class Feedback:
    """Votes, one a row: which account, which item, up (1) or down (0), when (seconds), and which are a crowd's."""

    accounts: Ints
    items: Ints
    votes: Ints
    times: npt.NDArray[np.float64]
    poison: npt.NDArray[np.bool_]
    targets: Ints
    """The items that the crowd votes up."""

    def verdicts(self, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return for each target whether most of the votes `kept` are up; none at all is no."""
        up = [self.votes[kept & (self.items == one)] for one in self.targets.tolist()]
        return np.array([len(one) > 0 and one.mean() > 0.5 for one in up], bool)


def honest_feedback(accounts: int, items: int, votes: int, rng: Rng) -> Feedback:
    """Return about `votes` honest votes within 90 days."""
    kind, quality = rng.integers(0, KINDS, items), rng.normal(0.3, 1.2, items)
    popular, released = rng.pareto(1.5, items) + 0.2, rng.uniform(0, 60 * DAY, items)
    lenient, eager = rng.normal(0, 0.6, accounts), rng.lognormal(0, 0.8, accounts)
    likes = rng.random((accounts, KINDS)) < 0.35
    wanted = rng.poisson(votes * eager / eager.sum())
    who, what = [], []
    for one, count in enumerate(wanted.tolist()):
        weight = popular * np.where(likes[one, kind], 8.0, 1.0)
        chosen = rng.choice(items, min(count, items // 2), replace=False, p=weight / weight.sum())
        who.append(np.full(len(chosen), one))
        what.append(chosen)
    own, item = np.concatenate(who).astype(np.int64), np.concatenate(what).astype(np.int64)
    up = rng.random(len(own)) < 1 / (1 + np.exp(-quality[item] - lenient[own]))
    times = released[item] + np.minimum(rng.exponential(6 * DAY, len(own)), 30 * DAY)
    return Feedback(own, item, up.astype(np.int64), times, np.zeros(len(own), bool), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Crowd:
    """New accounts that vote disliked items up; each votes on `aims` of the `targets`, within `days` (0: in an hour).

    `honest` votes for each of those, as the majority of its item has it, make the account look like others.
    """

    name: str
    accounts: int = 40
    targets: int = 6
    aims: int = 6
    days: float = 0.0
    honest: float = 0.0

    def poison(self, given: Feedback, rng: Rng) -> Feedback:
        """Return a copy with the votes of the crowd. The targets have ten votes and more, most of them down."""
        counts = np.bincount(given.items)
        share = np.bincount(given.items, given.votes) / np.maximum(counts, 1)
        disliked = np.flatnonzero(
            (counts >= 10) & (counts <= 1.5 * np.median(counts[counts > 0]) + 10) & (share < 0.45)
        )
        targets = rng.permutation(disliked)[: self.targets].astype(np.int64)
        others = np.setdiff1d(np.flatnonzero(counts > 0), targets)
        start = float(rng.uniform(np.quantile(given.times, 0.3), np.quantile(given.times, 0.6)))
        span = self.days * DAY or 3600.0
        who, what, up = [], [], []
        for number in range(self.accounts):
            aimed = rng.permutation(targets)[: self.aims]
            size = min(round(self.honest * len(aimed)), len(others))
            hidden = rng.choice(others, size, replace=False, p=counts[others] / counts[others].sum())
            who.append(np.full(len(aimed) + size, int(given.accounts.max()) + 1 + number))
            what.append(np.concatenate([aimed, hidden]))
            up.append(np.concatenate([np.ones(len(aimed), np.int64), (share[hidden] > 0.5).astype(np.int64)]))
        planted = [np.concatenate(one).astype(np.int64) for one in (who, what, up)]
        order = rng.permutation(len(given.items) + len(planted[0]))
        whole = [
            np.concatenate([old, new])[order]
            for old, new in zip((given.accounts, given.items, given.votes), planted, strict=True)
        ]
        times = np.concatenate([given.times, start + rng.uniform(0, span, len(planted[0]))])[order]
        poison = np.repeat([False, True], [len(given.items), len(planted[0])])[order]
        return Feedback(whole[0], whole[1], whole[2], times, poison, targets)


FEEDBACK_ATTACKS = (
    Crowd("crowd within an hour"),
    Crowd("crowd over a month", days=30),
    Crowd("crowd over a month, as many honest votes", days=30, honest=1.0),
    Crowd("crowd over a month, three honest votes for each", days=30, honest=3.0),
    Crowd("crowd on three of twelve items each", accounts=80, targets=12, aims=3, days=30, honest=1.0),
    Crowd("crowd on one item each, three honest votes", accounts=160, targets=6, aims=1, days=30, honest=3.0),
)
"""The last two know the check: accounts share few votes, or none but those that honest ones share too."""
