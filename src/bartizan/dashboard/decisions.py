"""Takes a decision: may this person, is a reason given, must a second person agree; then the record, then the act.

What is decided is in the ledger before it happens, with who and why; what then failed is a record too.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bartizan.core.clock import Clock
from bartizan.core.errors import BadRequest, BartizanError, Refused
from bartizan.dashboard.panels import Action, Item, Panel
from bartizan.dashboard.people import Person
from bartizan.ledger.log import Entry, Ledger

FIRST_HOLDS_S = 86400
"""How long the first of two agreements stands."""
_LOOK_BACK = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision."""

    said: str
    waits: bool = False
    """Whether it waits for a second person."""


class _Recent(NamedTuple):
    """The last decisions and the last first agreements, the latest first."""

    decided: Sequence[Entry]
    first: Sequence[Entry]


_NOTHING = _Recent((), ())


class Decisions:
    """Decides over panels, with the ledger as the only memory."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        """Record in `ledger`."""
        self._ledger, self._clock = ledger, clock

    def decide(self, panel: Panel, action_name: str, item_id: str, who: Person, values: Mapping[str, str]) -> Decided:
        """Do `action_name` for `who`. Raises Refused when that person may not, BadRequest when it makes no sense."""
        action, item = _found(panel, action_name, item_id)
        why = values.get("why", "").strip()
        if who.rank() < action.role:
            raise Refused(f"{action.label}: needs the role {action.role.name.lower()}, {who.name} is {who.role}")
        if item and item.asked_by == who.name:
            raise Refused(f"{action.label}: {who.name} asked for it, so somebody else must decide")
        if not why:
            raise BadRequest(f"{action.label}: expected a reason; it goes into the record")
        for field in action.fields:
            given = values.get(field.name, "")
            if (field.required and not given) or (field.choices and given and given not in field.choices):
                raise BadRequest(f"{action.label}: {field.label} = {given!r}: expected {_expected(field.choices)}")
        body = {"panel": panel.name, "action": action.name, "item": item_id, "who": who.name, "why": why}
        body["what"] = _digest(item)
        first = ""
        if action.two_people and item and item.critical:
            first = self._first(body, self._recent())
            if first == who.name:
                raise Refused(f"{action.label}: {who.name} agreed already, a second person must")
            if not first:
                self._ledger.append("decision-first", body)
                return Decided(f"{action.label}: recorded; it happens once a second person agrees", waits=True)
        self._ledger.append("decision", {**body, "first": first})
        try:
            return Decided(panel.act(action.name, item_id, who.name, {**values, "why": why}))
        except BartizanError as error:
            self._ledger.append("decision-failed", {**body, "error": str(error)})
            raise

    def waiting(self, panel: Panel, items: Sequence[Item]) -> dict[tuple[str, str], str]:
        """Return who agreed first to what of `items`, as (item, action), and has no second yet."""
        two = [action for action in panel.actions if action.two_people]
        asked = [(item, action) for item in items if item.critical for action in two if action.name in item.actions]
        recent = self._recent() if asked else _NOTHING
        found: dict[tuple[str, str], str] = {}
        for item, action in asked:
            body = {"panel": panel.name, "action": action.name, "item": item.id, "what": _digest(item)}
            if first := self._first(body, recent):
                found[(item.id, action.name)] = first
        return found

    def _recent(self) -> _Recent:
        return _Recent(self._ledger.latest("decision", _LOOK_BACK), self._ledger.latest("decision-first", _LOOK_BACK))

    def _first(self, body: Mapping[str, str], recent: _Recent) -> str:
        """Return who agreed to exactly this first, within the time that holds; what happened since uses it up."""
        same = ("panel", "action", "item", "what")
        done = [one for one in recent.decided if one.body]
        used = max(
            (one.record.seq for one in done if all((one.body or {}).get(k) == body[k] for k in same)), default=-1
        )
        for one in recent.first:
            old = self._clock.wall_ns() - one.record.time_ns > FIRST_HOLDS_S * 1e9
            if not old and one.record.seq > used and one.body and all(one.body.get(k) == body[k] for k in same):
                return str(one.body["who"])
        return ""


def _found(panel: Panel, action_name: str, item_id: str) -> tuple[Action, Item | None]:
    action = next((one for one in panel.actions if one.name == action_name), None)
    if action is None:
        raise BadRequest(f"{panel.title}: no action is called {action_name!r}")
    if not item_id:
        return action, None
    item = next((one for one in panel.items() if one.id == item_id), None)
    if item is None or action_name not in item.actions:
        raise BadRequest(f"{action.label}: not possible any more for {item_id!r}: somebody decided, or it changed")
    return action, item


def _digest(item: Item | None) -> str:
    """Return what exactly was agreed to, so that a second person cannot agree to something else.

    Made of what is shown of the thing, never of what was typed: a field may be a password.
    """
    return hashlib.sha256(repr(item.cells if item else ()).encode()).hexdigest()


def _expected(choices: tuple[str, ...]) -> str:
    return f"one of {', '.join(choices)}" if choices else "a value"
