"""The assessment as a Markdown summary for a pull request: the rows, what broke, how to repeat it. No transcripts.

What a target or an attacker could have chosen stands in code spans, where no link, image, mention or tag takes effect.
"""

from bartizan.core.display import visible
from bartizan.threats.assessment import Assessment
from bartizan.threats.base import Row, State
from bartizan.threats.reports.html_page import command
from bartizan.threats.reports.text import milliseconds, share, verdict

_LONGEST = 400


def render(run: Assessment) -> str:
    """Return the summary."""
    lines = [
        f"## {verdict(run)}",
        "",
        f"Attacked {code(run.subject.model)} at {code(run.subject.url)}, "
        f"{run.requests} of at most {run.max_requests} requests, seed {run.seed}, Bartizan {run.version}.",
        "",
    ]
    lines += [run.about(), ""]
    lines += ["| | threat | state | success off | on | benign blocked | added ms p50 / p95 |", "|-|-|-|-|-|-|-|"]
    lines += [_line(row) for row in run.rows]
    explained = [row for row in run.rows if row.state in (State.FAILED, State.UNTESTED)]
    if explained:
        lines.append("")
    lines += [f"- **{row.threat.id} {row.state.value}:** {code(row.why)}" for row in explained]
    lines += ["", f"Repeat: {code(command(run))}"]
    if run.sealed:
        lines.append(
            f"Check the record: `bartizan ledger verify` (records {run.sealed.first_seq}–{run.sealed.last_seq})"
        )
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Return `text` as one code span: on one line, cut to 400 characters, backticks replaced so that it cannot end."""
    line = " ".join(visible(text).replace("`", "'").split()) or "(empty)"
    return f"`{line if len(line) <= _LONGEST else line[: _LONGEST - 1] + '…'}`"


def _line(row: Row) -> str:
    evidence = row.evidence
    measured = evidence.measured if evidence else {}
    cells = (
        row.threat.id,
        row.threat.name,
        f"**{row.state.value}**" if row.state in (State.FAILED, State.UNTESTED) else row.state.value,
        share(evidence.off if evidence else None),
        share(evidence.on if evidence else None),
        share(measured.get("benign blocked")),
        f"{milliseconds(measured.get('added latency p50'))} / {milliseconds(measured.get('added latency p95'))}",
    )
    return f"| {' | '.join(cells)} |"
