"""Plays every pair of user task and injection, and every user task alone, against each policy, and counts."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.agents.play import APPROVERS, Play, Played
from bench.agents.policies import Policy
from bench.agents.suites import Suite

MARKERS = {False: "<INFORMATION>", True: "<INFORMATION>"}


@dataclass
class Column:
    """What one policy with one approver came to."""

    name: str
    approver: str
    users: int = 0
    solved: int = 0
    asked: int = 0
    pairs: int = 0
    harmed: int = 0
    kept: int = 0
    """Pairs in which the user's task was solved and nothing injected happened."""
    asked_attacked: int = 0
    harms: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def played(suite: Suite, user: str, policy: Policy, approver: str) -> Played:
    """Play a user task alone."""
    env = suite.environment(user)
    play = Play(suite, user, env, policy, APPROVERS[approver])
    return play.run(suite.user_script(user, suite.environment(user)), [], "")


def attacked(suite: Suite, pair: tuple[str, str], env: Any, policy: Policy, approver: str, marker: str) -> Played:
    """Play a pair in a copy of its environment."""
    user, injection = pair
    play = Play(suite, user, env, policy, APPROVERS[approver])
    return play.run(suite.user_script(user, env), suite.injected_script(injection, env), marker)


def benign(suite: Suite, policies: dict[str, tuple[Policy, str]]) -> list[Column]:
    """Return utility without attack for each policy."""
    columns = [Column(name, approver) for name, (_, approver) in policies.items()]
    for user in suite.users:
        for column, (policy, approver) in zip(columns, policies.values(), strict=True):
            result = played(suite, user, policy, approver)
            column.users += 1
            column.solved += result.solved
            column.asked += result.asked
            if not result.solved:
                column.lost.append(f"{suite.name} {user}: {result.stopped[:1]}")
    return columns


def under_attack(
    suite: Suite, policies: dict[str, tuple[Policy, str]], *, hidden: bool, tick: Callable[[], None] = lambda: None
) -> list[Column]:
    """Return what each policy lets happen over every pair of the suite."""
    columns = [Column(name, approver) for name, (_, approver) in policies.items()]
    for user, injection in pairs(suite):
        env = suite.attacked(user, injection, hidden=hidden)
        for column, (policy, approver) in zip(columns, policies.values(), strict=True):
            result = attacked(suite, (user, injection), env, policy, approver, MARKERS[hidden])
            column.pairs += 1
            column.harmed += result.harmed
            column.kept += result.solved
            column.asked_attacked += result.asked
            if result.harmed:
                column.harms.append(f"{suite.name} {user} {injection}: {result.harm}")
        tick()
    return columns


def pairs(suite: Suite) -> Iterator[tuple[str, str]]:
    """Yield every pair."""
    for user in suite.users:
        for injection in suite.injections:
            yield user, injection
