"""The page for flagged texts: what the input screen flagged, for a reviewer to say what it really was."""

import contextlib
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bartizan.core.clock import Clock
from bartizan.core.sections import Settings
from bartizan.dashboard.panels import Action, Item, Part
from bartizan.dashboard.people import Role
from bartizan.ledger.flagged import FlaggedTexts, Kept

_SHOWN_LABELLED = 50
_CELL = 90


@dataclass(frozen=True)
class FlaggedPrompts:
    """What waits for a label first, the most frequent of it at the top; then what was labelled last."""

    settings: Settings
    clock: Clock
    name: str = "flagged"
    title: str = "Flagged texts"
    columns: tuple[str, ...] = ("text", "seen", "rules", "score", "verdict", "label", "last (UTC)")
    readers: Role = Role.REVIEWER
    actions: tuple[Action, ...] = (
        Action("attack", "It is an attack", Role.REVIEWER, usual="read it"),
        Action("innocent", "It is innocent", Role.REVIEWER, usual="read it"),
        Action("remove", "Throw it away", Role.REVIEWER, usual="not for training", danger=True),
    )

    @property
    def about(self) -> str:
        """Return what the page shows, or how to switch it on."""
        if not self.settings.flagged.file:
            return (
                "No text is kept. `[flagged] file` in bartizan.toml keeps what the input screen flags, for labelling."
            )
        days = self.settings.flagged.keep_days
        return f"Credentials are cut out, nobody's name is kept; what has no label after {days:g} days is removed."

    def items(self) -> Sequence[Item]:
        """Return the texts; none when none are kept."""
        with self._open() as texts:
            if texts is None:
                return []
            return [_item(one) for one in (*texts.waiting(), *texts.labelled(_SHOWN_LABELLED))]

    def detail(self, item: str) -> Sequence[Part]:
        """Return the text, and who could have chosen it."""
        with self._open() as texts:
            if texts is None:
                return ()
            one = texts.get(item)
        rows = [("who could have chosen it", one.trust), ("seen", f"{one.seen} times, first {_utc(one.first_ns)}")]
        if one.label:
            rows.append(("label", f"{one.label}, by {one.who}, {_utc(one.labelled_ns)}"))
        return (Part("Text", one.text), Part("About it", rows=tuple(rows)))

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Label a text, or throw it away."""
        del values
        with self._open() as texts:
            if texts is None:
                return "no text is kept"
            if action == "remove":
                texts.remove(item)
                return "thrown away"
            texts.label(item, action, who)
        return f"labelled: {action}. `bartizan flagged export` writes the labelled rows"

    @contextlib.contextmanager
    def _open(self) -> Iterator[FlaggedTexts | None]:
        if not self.settings.flagged.file:
            yield None
            return
        with contextlib.closing(FlaggedTexts(self.settings.flagged, self.clock)) as texts:
            yield texts


def _item(one: Kept) -> Item:
    text = " ".join(one.text.split())
    shown = text if len(text) <= _CELL else text[: _CELL - 1] + "…"
    score = "" if one.score is None else f"{one.score:.2f}"
    cells = (
        shown or "(no text)",
        str(one.seen),
        one.rules,
        score,
        one.verdict,
        one.label or "waits",
        _utc(one.last_ns),
    )
    actions = ("attack", "innocent", "remove")
    return Item(one.id, cells, "" if one.label else "warn", actions)


def _utc(ns: int) -> str:
    return f"{datetime.datetime.fromtimestamp(ns / 1e9, tz=datetime.UTC):%Y-%m-%d %H:%M}"
