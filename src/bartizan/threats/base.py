"""What a threat is, what a claim is, and `prove()`: run the attack with the control off and on, compare with the bound.

A threat without a claim is a state of its own and is shown as such. Whatever cannot be measured is `UNTESTED` with the
reason, never a pass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from bartizan.core.errors import BartizanError
from bartizan.core.measures import Bound, Measurement
from bartizan.threats.bench import Bench


class State(Enum):
    """How a threat's row stands after a run."""

    HOLDS = "holds"
    FAILED = "failed"
    UNTESTED = "untested"
    NO_CLAIM = "no claim yet"


@dataclass(frozen=True)
class Transcript:
    """One attack word for word: what was sent, what came back, and why the oracle decided as it did."""

    case: str
    technique: str
    control: str
    """`off` or `on`: whether the control stood between attacker and target."""
    turns: tuple[tuple[str, str], ...]
    """(role, text) in order, the target's answer last."""
    succeeded: bool
    why: str


@dataclass(frozen=True)
class Evidence:
    """What one run of a threat measured. Shares are in 0..1, latencies in milliseconds."""

    off: Measurement
    """Attack success without the control."""
    on: Measurement
    """Attack success with it, by an attacker who knows the control."""
    measured: Mapping[str, Measurement] = field(default_factory=dict)
    """Further figures by name: `benign blocked`, `added latency p50`, `added latency p95`, `reduction`, …"""
    baselines: Mapping[str, Measurement] = field(default_factory=dict)
    """The judge's verdict on bots that cannot be broken or cannot help; a judge that errs there is exposed."""
    families: Mapping[str, tuple[Measurement, Measurement]] = field(default_factory=dict)
    """Attack success (off, on) for each kind of attack."""
    stopped_by: Mapping[str, int] = field(default_factory=dict)
    """How many goals each control stopped that the attacker reached without it, by the name of its setting."""
    worst: tuple[Transcript, ...] = ()
    """The transcripts a reader should see first: what got through with the control on, then without it."""
    notes: tuple[str, ...] = ()
    """What a reader must know to read the figures rightly."""
    on_reference: bool | None = None
    """Whether a reference of ours was measured. A run leaves None where it cannot differ; `prove` then says it: only a
    threat that asks the chat endpoint measures what the user named there."""


@dataclass(frozen=True)
class Claim:
    """A sentence, the figure it speaks of, and the bound that figure's unlucky end must respect.

    `reference_only` marks claims about the reference target (for instance that the attack is real there); against a
    user's own target they are measured and shown but decide nothing.
    """

    text: str
    figure: Callable[[Evidence], Measurement | None]
    """None where the run could not measure it and says why in its notes: then nothing is claimed there."""
    bound: Bound
    reference_only: bool = False


@dataclass(frozen=True)
class Checked:
    """A claim after the run."""

    text: str
    measured: Measurement
    bound: Bound
    held: bool
    decides: bool


@dataclass(frozen=True)
class Threat:
    """One of the ten: who attacks, with what, what stands against it, what is claimed and what is left."""

    id: str
    name: str
    attacker: str
    attacks: tuple[str, ...]
    controls: tuple[str, ...]
    residual: str
    advice: tuple[str, ...]
    """What to do on Monday, most useful first."""
    run: Callable[[Bench], Evidence] | None = None
    claims: tuple[Claim, ...] = ()
    name_yours: str = ""
    """What to do before anything else as long as only a reference of ours was measured; empty where nothing can be."""
    asks_chat: bool = False
    """Whether its run talks to the chat endpoint: those that do share one endpoint, one gateway and one cap."""

    def __post_init__(self) -> None:
        """A threat that runs must claim something, and one that claims must run."""
        if (self.run is None) != (not self.claims):
            raise ValueError(f"{self.id}: expected a run with claims, or neither")


@dataclass(frozen=True)
class Row:
    """A threat's line in the report."""

    threat: Threat
    state: State
    why: str
    evidence: Evidence | None = None
    claims: tuple[Checked, ...] = ()

    def to_do(self) -> tuple[str, ...]:
        """Return what to do, most useful first: to name a target of one's own only where none was measured."""
        own = self.evidence is not None and self.evidence.on_reference is False
        return (
            self.threat.advice if own or not self.threat.name_yours else (self.threat.name_yours, *self.threat.advice)
        )


def prove(threat: Threat, bench: Bench) -> Row:
    """Run `threat` on `bench` and return its row. What fails to run becomes UNTESTED with the reason."""
    if threat.run is None:
        return Row(threat, State.NO_CLAIM, "nothing is claimed for this threat yet, so nothing was measured")
    try:
        evidence = threat.run(bench)
        if evidence.on_reference is None:
            evidence = replace(evidence, on_reference=bench.is_reference or not threat.asks_chat)
        checked = tuple(one for claim in threat.claims if (one := _check(claim, evidence)) is not None)
    except BartizanError as error:
        hint = error.hint()
        return Row(threat, State.UNTESTED, f"{error}{f' ({hint})' if hint else ''}")
    except Exception as error:  # noqa: BLE001 - one threat's bug must not cost the other nine their rows
        return Row(threat, State.UNTESTED, f"the proof itself failed: {type(error).__name__}: {error}")
    if not checked:
        return Row(threat, State.UNTESTED, "; ".join(evidence.notes) or "no claim could be measured", evidence)
    broken = [claim for claim in checked if claim.decides and not claim.held]
    if broken:
        return Row(threat, State.FAILED, "; ".join(_failure(claim) for claim in broken), evidence, checked)
    return Row(threat, State.HOLDS, "every claim held", evidence, checked)


def _check(claim: Claim, evidence: Evidence) -> Checked | None:
    measured = claim.figure(evidence)
    if measured is None:
        return None
    decides = bool(evidence.on_reference) or not claim.reference_only
    return Checked(claim.text, measured, claim.bound, claim.bound.holds(measured), decides)


def _failure(claim: Checked) -> str:
    return f"{claim.text} measured {claim.measured}, claimed {claim.bound}"
