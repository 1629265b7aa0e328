"""Writes THREATS.md from the register, so that it cannot say anything the code does not."""

from collections.abc import Sequence

from bartizan.threats.base import Threat
from bartizan.threats.frameworks import MAPPING

_HEAD = """# The ten threats

Written by `bartizan threats --write`; a test fails when it is stale. A threat without a claim is a state, and every
report shows it. Framework ids carry their edition; the mapping is ours, no official one exists.
"""


def markdown(threats: Sequence[Threat]) -> str:
    """Return the document."""
    lines = [_HEAD, "| id | threat | state |", "|---|---|---|"]
    lines += [f"| [{one.id}](#{_anchor(one)}) | {one.name} | {_state(one)} |" for one in threats]
    for one in threats:
        lines += ["", f"## {one.id} {one.name}", "", f"**Attacker:** {one.attacker}.", ""]
        lines += [f"**Attacks run by `bartizan assess`:** {', '.join(one.attacks) or 'none'}.", ""]
        lines += [f"**Controls:** {', '.join(one.controls) or 'none'}.", ""]
        if one.claims:
            lines += ["| claim | bound |", "|---|---|"]
            lines += [
                f"| {claim.text}{' (reference target only)' if claim.reference_only else ''} | {claim.bound} |"
                for claim in one.claims
            ]
            lines.append("")
        lines += [f"**What is left:** {one.residual}", "", "**What to do:**", ""]
        lines += [f"- {advice}" for advice in (one.name_yours, *one.advice) if advice]
        lines += ["", f"**Frameworks:** {' · '.join(str(entry) for entry in MAPPING[one.id])}"]
    return "\n".join(lines) + "\n"


def _state(threat: Threat) -> str:
    return f"{len(threat.claims)} claims, measured by every `bartizan assess`" if threat.claims else "no claim yet"


def _anchor(threat: Threat) -> str:
    return f"{threat.id} {threat.name}".lower().replace(" ", "-")
