"""The pages for what is spent and allowed, and for the kill switch."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bartizan.cli.budgets import drop, put
from bartizan.cli.kill import switches, turn
from bartizan.cli.spend import forecast, standings
from bartizan.core.sections import Settings
from bartizan.core.sections.limits import LimitRule
from bartizan.dashboard.panels import Action, Field, Item, Part
from bartizan.dashboard.people import Role
from bartizan.gateway.limits.files import rules_in
from bartizan.gateway.limits.money import dollars
from bartizan.ledger.stores.base import EVERYTHING
from bartizan.ledger.stores.opening import MEMORY

_SHARED = "Only a store that other processes see can be shown and switched here: name a file in limits.store."


@dataclass(frozen=True)
class Spend:
    """What every scope may use, has used and holds."""

    settings: Settings
    name: str = "limits"
    title: str = "Spend and limits"
    columns: tuple[str, ...] = ("scope", "allows", "spent", "held", "left", "cap reached in")
    actions: tuple[Action, ...] = (
        Action(
            "set",
            "Set a limit",
            Role.OPERATOR,
            (
                Field("scope", "Scope: all, key:ID, team:NAME, model:NAME, user:* …", "all"),
                Field("allow", "Allows: $50 per month, 60 requests per minute, 8 at once …"),
            ),
            new=True,
        ),
        Action("remove", "Remove this limit", Role.OPERATOR, danger=True),
    )

    @property
    def about(self) -> str:
        """Return what the page shows."""
        return _SHARED if self.settings.limits.store == MEMORY else "What each scope may use, has used and holds."

    def items(self) -> Sequence[Item]:
        """Return accounts that count, the fullest first, then limits that nobody has used yet."""
        running = set(rules_in(Path(self.settings.limits.rules_file)))
        found: list[tuple[float, Item]] = []
        used = set()
        rows = [] if self.settings.limits.store == MEMORY else asyncio.run(standings(self.settings.limits, ""))
        for row in rows:
            shown = dollars if row["unit"] == "money" else str
            share = (row["spent"] + row["held"]) / max(row["cap"], 1)
            amounts = tuple(shown(row[name]) for name in ("spent", "held", "left"))
            cells = (row["scope"], row["allows"], *amounts, forecast(row["cap_reached_in_s"]))
            used.add((row["scope"], row["allows"]))
            removable = LimitRule(row["scope"], row["allows"]) in running
            name = f"{row['scope']} {row['allows']}"
            found.append((share, Item(name, cells, "bad" if share >= 1 else "", ("remove",) if removable else ())))
        for rule in (*running, *self.settings.limits.rules):
            if (rule.scope, rule.allow) not in used:
                cells = (rule.scope, rule.allow, "", "", "", "")
                actions = ("remove",) if rule in running else ()
                found.append((-1.0, Item(f"{rule.scope} {rule.allow}", cells, "", actions)))
        unique = {item.id: (share, item) for share, item in reversed(found)}
        return [item for _, item in sorted(unique.values(), key=lambda one: (-one[0], one[1].id))]

    def detail(self, item: str) -> Sequence[Part]:
        """Return nothing more."""
        return ()

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Set or remove a limit."""
        if action == "set":
            return put(self.settings, LimitRule(values["scope"], values["allow"]))
        scope, _, allow = item.partition(" ")
        return drop(self.settings, LimitRule(scope, allow))


@dataclass(frozen=True)
class Switches:
    """The kill switch: what is stopped."""

    settings: Settings
    name: str = "stopped"
    title: str = "Kill switch"
    columns: tuple[str, ...] = ("stopped", "why")
    actions: tuple[Action, ...] = (
        Action(
            "stop",
            "Stop something now",
            Role.OPERATOR,
            (Field("scope", "What: all, key:ID, model:NAME, tool:NAME, team:NAME, user:NAME", EVERYTHING),),
            new=True,
            danger=True,
        ),
        Action("lift", "Let it go again", Role.OPERATOR),
    )

    @property
    def about(self) -> str:
        """Return what the page shows."""
        return _SHARED if self.settings.limits.store == MEMORY else "What no request may use until somebody lifts it."

    def items(self) -> Sequence[Item]:
        """Return what is stopped."""
        if self.settings.limits.store == MEMORY:
            return []
        stopped = asyncio.run(switches(self.settings.limits))
        return [Item(scope, (scope, why), "bad", ("lift",)) for scope, why in sorted(stopped.items())]

    def detail(self, item: str) -> Sequence[Part]:
        """Return nothing more."""
        return ()

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Stop something or let it go again."""
        reason = f"{values['why']} ({who})"
        if action == "stop":
            return turn(self.settings, values["scope"], reason, reason)
        return turn(self.settings, item, "", reason)
