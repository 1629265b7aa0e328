"""The assessment for a terminal: the ten rows as a table, then what decided and what to do."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bartizan.core.display import visible
from bartizan.core.measures import Measurement
from bartizan.threats.assessment import COULD_NOT_TEST, FAILED, Assessment
from bartizan.threats.base import Row, State

_COLOURS = {State.HOLDS: "green", State.FAILED: "red", State.UNTESTED: "yellow", State.NO_CLAIM: "dim"}


def render(run: Assessment) -> RenderableType:
    """Return the table and the sentences under it. Hostile text is never interpreted as markup."""
    parts: list[RenderableType] = [_table(run), Text(verdict(run), style="bold")]
    for row in run.rows:
        parts += _details(row)
    for one in run.outside:
        place = one.threat or "no threat of ours"
        parts.append(Text(visible(f"outside: {one.tool}, {place}: {share(one.success)} ({one.attacks})")))
    parts.append(Text(run.about()))
    parts.append(
        Text(f"{run.requests} of at most {run.max_requests} requests, {run.duration_s:.0f} s, seed {run.seed}.")
    )
    return Group(*parts)


def verdict(run: Assessment) -> str:
    """Return the outcome of the run in one sentence."""
    states = [row.state for row in run.rows]
    silent = states.count(State.NO_CLAIM)
    tail = f" {silent} of {len(states)} threats have no claim yet." if silent else ""
    if run.exit_code() == FAILED:
        broken = ", ".join(row.threat.id for row in run.rows if row.state is State.FAILED)
        return f"A claim failed: {broken}.{tail}"
    if run.exit_code() == COULD_NOT_TEST:
        return f"Could not test everything that is claimed.{tail}"
    return f"Every claim held.{tail}"


def share(one: Measurement | None) -> str:
    """Return a share with its interval, short."""
    return "–" if one is None else f"{one.value:.0%} [{one.low:.0%}–{one.high:.0%}] n={one.n}"


def milliseconds(one: Measurement | None) -> str:
    """Return a latency."""
    return "–" if one is None else f"{one.value:.1f}"


def _table(run: Assessment) -> Table:
    title = visible(f"Bartizan {run.version}: {run.subject.model} at {run.subject.url}")
    table = Table(title=Text(title), title_justify="left", pad_edge=False)
    for name in ("", "threat", "state"):
        table.add_column(name, overflow="fold")
    for name in ("attack success off", "on", "benign blocked", "added ms p50 / p95"):
        table.add_column(name, justify="right", overflow="fold")
    for row in run.rows:
        evidence = row.evidence
        measured = evidence.measured if evidence else {}
        table.add_row(
            row.threat.id,
            row.threat.name,
            Text(row.state.value, style=_COLOURS[row.state]),
            share(evidence.off if evidence else None),
            share(evidence.on if evidence else None),
            share(measured.get("benign blocked")),
            f"{milliseconds(measured.get('added latency p50'))} / {milliseconds(measured.get('added latency p95'))}",
        )
    return table


def _details(row: Row) -> list[RenderableType]:
    if row.state is State.NO_CLAIM:
        return []
    lines = [Text(f"\n{row.threat.id} {row.threat.name}: {visible(row.why)}", style=_COLOURS[row.state])]
    for claim in row.claims:
        mark = "held" if claim.held else ("BROKEN" if claim.decides else "not met (decides nothing on your own target)")
        lines.append(Text(f"  {mark:>6}  {claim.text} {claim.measured}, bound {claim.bound}"))
    for family, (off, on) in (row.evidence.families if row.evidence else {}).items():
        lines.append(Text(f"          {family}: off {share(off)}, on {share(on)}"))
    if row.evidence and row.evidence.stopped_by:
        stopped = ", ".join(f"{name} {count}" for name, count in row.evidence.stopped_by.items())
        lines.append(Text(f"          stopped by: {stopped}"))
    lines += [Text(f"  to do   {advice}") for advice in row.to_do()]
    return list(lines)
