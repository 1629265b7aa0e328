"""One assessment: the ten rows, what was attacked, and how the run stands as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bartizan.threats.base import Row, State
from bartizan.threats.outside import Outside

HOLDS = 0
FAILED = 1
COULD_NOT_TEST = 2


@dataclass(frozen=True)
class Subject:
    """What was attacked."""

    url: str
    model: str
    is_reference: bool
    description: str


@dataclass(frozen=True)
class Sealed:
    """Where the record of this run stands in the ledger."""

    first_seq: int
    last_seq: int
    checkpoint: str
    """The signed note, as written outside the database."""
    directory: str


@dataclass(frozen=True)
class Assessment:
    """A finished run. Times are UTC in RFC 3339 form, durations in seconds."""

    subject: Subject
    rows: tuple[Row, ...]
    version: str
    seed: int
    started: str
    duration_s: float
    requests: int
    max_requests: int
    sealed: Sealed | None = None
    profile: str = "quick"
    settings: Mapping[str, str] = field(default_factory=dict)
    """The controls as they were set, by the name of their setting, so that two runs can be compared."""
    outside: tuple[Outside, ...] = ()
    """What other tools measured; shown, decides nothing."""

    def about(self) -> str:
        """Return which rows measured something of the user's own, and of what the others speak."""
        own = [row.threat.id for row in self.rows if row.evidence and row.evidence.on_reference is False]
        if own:
            said = f"Measured on what you named: {', '.join(own)}. Each other row measures a control itself, or a"
            return f"{said} reference of ours; its notes say which."
        if not self.subject.is_reference:
            return (
                f"Nothing was measured on {self.subject.url}: these rows ask it nothing, or got no answer; their notes "
                "say which."
            )
        return (
            "Nothing of yours was measured: these figures speak of references of ours, real but weak, and say "
            "nothing about your model. Your own: bartizan assess --target URL --model NAME"
        )

    def exit_code(self) -> int:
        """Return 0 if every claim held, 1 if one failed, 2 if something that is claimed could not be tested."""
        states = {row.state for row in self.rows}
        if State.FAILED in states:
            return FAILED
        if State.UNTESTED in states or State.HOLDS not in states:
            return COULD_NOT_TEST
        return HOLDS
