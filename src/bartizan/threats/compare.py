"""Two runs side by side: which rows changed, which settings changed, and which control made the difference.

Pure: two reports in, a comparison out. A difference within the intervals is called noise, not a change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bartizan.threats.history import Document


@dataclass(frozen=True, slots=True)
class Change:
    """A threat whose row differs between two runs."""

    threat: str
    name: str
    before: str
    after: str
    """States and attack success with the control on."""
    direction: str
    """`better`, `worse`, or `different` when neither can be said."""
    controls: tuple[str, ...]
    """What made the difference, the most telling first; empty when the runs do not tell."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two runs."""

    settings: tuple[tuple[str, str, str], ...]
    """(name, before, after) of settings that differ; an absent value is `not set`."""
    circumstances: tuple[tuple[str, str, str], ...]
    """(what, before, after) of version, target, model, seed and profile: differences there weaken every conclusion."""
    changes: tuple[Change, ...]


_CIRCUMSTANCES = (("version", "bartizan"), ("seed", "seed"), ("profile", "profile"))
_WORST_LAST = {"holds": 0, "no claim yet": 1, "untested": 2, "failed": 3}


def compare(before: Document, after: Document) -> Comparison:
    """Return what differs between two reports."""
    settings = _differing(before.get("settings") or {}, after.get("settings") or {})
    around = [(what, str(before.get(key, "")), str(after.get(key, ""))) for what, key in _CIRCUMSTANCES]
    around += [(what, str(before["subject"].get(what)), str(after["subject"].get(what))) for what in ("url", "model")]
    rows = {row["id"]: row for row in before["rows"]}
    changes = [
        change
        for row in after["rows"]
        if row["id"] in rows and (change := _change(rows[row["id"]], row, {name for name, _, _ in settings}))
    ]
    return Comparison(settings, tuple(one for one in around if one[1] != one[2]), tuple(changes))


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    names = sorted({*before, *after})
    pairs = [(name, before.get(name, "not set"), after.get(name, "not set")) for name in names]
    return tuple(pair for pair in pairs if pair[1] != pair[2])


def _change(before: Mapping[str, Any], after: Mapping[str, Any], settings: set[str]) -> Change | None:
    old, new = before["evidence"] or {}, after["evidence"] or {}
    was, now = old.get("attack_success_on"), new.get("attack_success_on")
    apart = bool(was and now and (was["high"] < now["low"] or now["high"] < was["low"]))
    if before["state"] == after["state"] and not apart:
        return None
    worse = _WORST_LAST[after["state"]] - _WORST_LAST[before["state"]]
    if not worse and was and now:
        worse = 1 if now["value"] > was["value"] else -1
    direction = "worse" if worse > 0 else "better" if worse < 0 else "different"
    return Change(
        after["id"],
        after["name"],
        _told(before["state"], was),
        _told(after["state"], now),
        direction,
        _controls(old.get("stopped_by") or {}, new.get("stopped_by") or {}, settings),
    )


def _controls(before: Mapping[str, int], after: Mapping[str, int], settings: set[str]) -> tuple[str, ...]:
    """Return what stopped more or fewer attacks than before; those whose setting changed come first."""
    moved = [(name, before.get(name, 0), after.get(name, 0)) for name in {*before, *after}]
    moved = [one for one in moved if one[1] != one[2] and one[0] != "the target itself"]
    moved.sort(key=lambda one: (one[0] not in settings, -abs(one[2] - one[1]), one[0]))
    return tuple(
        f"{name} stopped {was} before and {now} now{', and its setting changed' if name in settings else ''}"
        for name, was, now in moved
    )


def _told(state: str, success: Mapping[str, Any] | None) -> str:
    if not success:
        return state
    return f"{state}, attacker wins {success['value']:.0%} [{success['low']:.0%}–{success['high']:.0%}]"
