"""One assessment from start to finish: proofs, ledger, result. Prints nothing and exits nowhere."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bartizan import __version__
from bartizan.core.clock import Clock
from bartizan.core.sections import Settings
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.opening import where
from bartizan.threats import outside
from bartizan.threats.assessment import Assessment, Sealed, Subject
from bartizan.threats.base import Row, Threat
from bartizan.threats.lanes import Runner
from bartizan.threats.reports.text import share
from bartizan.threats.resume import NAME, Partial, fingerprint
from bartizan.threats.stage import subject_of

Progress = Callable[[str, int, int], None]


def assess(
    configured: Settings,
    threats: Sequence[Threat],
    ledger: Ledger,
    clock: Clock,
    progress: Progress,
    *,
    resume: bool = False,
) -> Assessment:
    """Prove `threats` on what the settings name and record every attempt, row and the outcome in `ledger`.

    Finished rows are kept in `assess.output` until the run ends; `resume` takes them over. Raises UpstreamFailed when
    the endpoint lists no model; an endpoint that fails later makes its rows UNTESTED.
    """
    begun_ns, started = clock.monotonic_ns(), _utc(clock)
    shown = outside.read(configured.assess.evidence)
    subject = subject_of(configured)
    path = Path(configured.assess.output) / NAME
    plan = fingerprint(configured, threats)
    partial = Partial.resumed(path, plan) if resume else Partial(path, plan)
    left = [threat for threat in threats if threat.id not in partial.rows]
    first = ledger.append("assessment-started", _what(configured, subject, threats, sorted(partial.rows)))
    runner = Runner(configured, clock, progress, spent=partial.spent)
    for row in runner.rows(left):
        ledger.append("row", _row_record(row))
        partial.add(row, runner.spent)
        progress(f"{row.threat.id} {row.threat.name}: {row.state.value}", len(partial.rows), len(threats))
    rows = tuple(partial.rows[threat.id] for threat in threats)
    states = {row.threat.id: row.state.value for row in rows}
    last = ledger.append("assessment-ended", {"states": states, "requests": runner.spent})
    note = str(ledger.checkpoint())
    partial.finished()
    return Assessment(
        subject=subject,
        rows=rows,
        version=__version__,
        seed=configured.assess.seed,
        started=started,
        duration_s=(clock.monotonic_ns() - begun_ns) / 1e9,
        requests=runner.spent,
        max_requests=configured.assess.cap(),
        sealed=Sealed(first.seq, last.seq, note, where(configured.ledger)),
        profile=configured.assess.profile,
        settings=controls(configured),
        outside=shown,
    )


def controls(configured: Settings) -> dict[str, str]:
    """Return every setting that can change what an attacker wins, by its name in `bartizan.toml`.

    Where things listen and what is assessed is left out; no setting holds a secret, only the name of one.
    """
    sections = msgspec.to_builtins(configured)
    names = {"gateway.host", "gateway.port", "gateway.upstreams", "gateway.request_log", "gateway.drain_s"}
    flat = {
        f"{section}.{key}": msgspec.json.encode(value).decode()
        for section, keys in sections.items()
        if section not in ("assess", "ledger")
        for key, value in keys.items()
    }
    return {name: value for name, value in flat.items() if name not in names}


def _what(
    configured: Settings, subject: Subject, threats: Sequence[Threat], taken_over: Sequence[str]
) -> dict[str, Any]:
    return {
        "target": subject.url,
        "model": subject.model,
        "reference": subject.is_reference,
        "threats": [threat.id for threat in threats],
        "taken_over": list(taken_over),
        "profile": configured.assess.profile,
        "seed": configured.assess.seed,
        "max_requests": configured.assess.cap(),
        "version": __version__,
    }


def _row_record(row: Row) -> Mapping[str, Any]:
    claims = [
        {"claim": one.text, "bound": str(one.bound), "measured": str(one.measured), "held": one.held}
        for one in row.claims
    ]
    figures = {"off": row.evidence.off, "on": row.evidence.on} if row.evidence else {}
    shown = {side: share(one) for side, one in figures.items()}
    about = {"threat": row.threat.id, "name": row.threat.name, "state": row.state.value, "why": row.why}
    return {**about, **shown, "claims": claims}


def _utc(clock: Clock) -> str:
    moment = datetime.datetime.fromtimestamp(clock.wall_ns() / 1e9, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
