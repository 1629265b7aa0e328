"""One assessment from start to finish: stage, proofs, ledger, result. Prints nothing and exits nowhere."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bartizan import __version__
from bartizan.core.clock import Clock
from bartizan.core.messages import Prompt
from bartizan.core.sections import Settings
from bartizan.core.verdicts import Verdict
from bartizan.detect.screen import InputScreen
from bartizan.ledger.log import Ledger
from bartizan.threats.assessment import Assessment, Sealed
from bartizan.threats.base import Row, Threat, prove
from bartizan.threats.bench import Bench
from bartizan.threats.stage import Stage, set_up

Progress = Callable[[str, int, int], None]


def assess(
    configured: Settings, threats: Sequence[Threat], ledger: Ledger, clock: Clock, progress: Progress
) -> Assessment:
    """Prove `threats` on what the settings name and record every attempt, row and the outcome in `ledger`.

    Raises UpstreamFailed when the target or the gateway cannot be reached at all; a target that fails later makes its
    row UNTESTED.
    """
    begun_ns, started = clock.monotonic_ns(), _utc(clock)
    first: list[int] = []

    def record(kind: str, body: Mapping[str, Any]) -> None:
        first.append(ledger.append(kind, body).seq)

    with set_up(configured) as stage:
        record("assessment-started", _what(configured, stage, threats))
        rows = []
        for threat in threats:
            bench = _bench(configured, stage, record, _titled(progress, threat))
            rows.append(prove(threat, bench))
            record("row", _row_record(rows[-1]))
    record(
        "assessment-ended", {"states": {row.threat.id: row.state.value for row in rows}, "requests": stage.budget.spent}
    )
    note = str(ledger.checkpoint())
    return Assessment(
        subject=stage.subject,
        rows=tuple(rows),
        version=__version__,
        seed=configured.assess.seed,
        started=started,
        duration_s=(clock.monotonic_ns() - begun_ns) / 1e9,
        requests=stage.budget.spent,
        max_requests=stage.budget.limit,
        sealed=Sealed(first[0], first[-1], note, configured.ledger.directory),
    )


def _bench(
    configured: Settings, stage: Stage, record: Callable[[str, Mapping[str, Any]], None], progress: Progress
) -> Bench:
    own_copy = InputScreen()

    def screen(prompt: Prompt) -> Verdict:
        return own_copy.screen(prompt).verdict

    return Bench(
        bare=stage.bare,
        guarded=stage.guarded,
        screen=screen,
        seed=configured.assess.seed,
        is_reference=stage.subject.is_reference,
        settings=configured,
        progress=progress,
        record=record,
    )


def _titled(progress: Progress, threat: Threat) -> Progress:
    return lambda what, done, total: progress(f"{threat.id} {threat.name}: {what}", done, total)


def _what(configured: Settings, stage: Stage, threats: Sequence[Threat]) -> dict[str, Any]:
    return {
        "target": stage.subject.url,
        "model": stage.subject.model,
        "reference": stage.subject.is_reference,
        "threats": [threat.id for threat in threats],
        "seed": configured.assess.seed,
        "max_requests": configured.assess.max_requests,
        "version": __version__,
    }


def _row_record(row: Row) -> dict[str, Any]:
    claims = [
        {"claim": one.text, "bound": str(one.bound), "measured": str(one.measured), "held": one.held}
        for one in row.claims
    ]
    return {"threat": row.threat.id, "state": row.state.value, "why": row.why, "claims": claims}


def _utc(clock: Clock) -> str:
    moment = datetime.datetime.fromtimestamp(clock.wall_ns() / 1e9, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
