"""The assessment as JSON: everything that was measured, for machines and for comparing runs. Format version 1."""

import json
from typing import Any

from bartizan.core.measures import Measurement
from bartizan.threats.assessment import Assessment
from bartizan.threats.base import Evidence, Row
from bartizan.threats.frameworks import MAPPING


def render(run: Assessment) -> str:
    """Return the document, ASCII only, so that hostile text in it can do nothing to a terminal."""
    return json.dumps(document(run), indent=2, ensure_ascii=True) + "\n"


def document(run: Assessment) -> dict[str, Any]:
    """Return the document as a dict."""
    return {
        "format": "bartizan-assessment/1",
        "bartizan": run.version,
        "started": run.started,
        "duration_s": round(run.duration_s, 3),
        "subject": {
            "url": run.subject.url,
            "model": run.subject.model,
            "reference": run.subject.is_reference,
            "description": run.subject.description,
        },
        "profile": run.profile,
        "seed": run.seed,
        "requests": run.requests,
        "max_requests": run.max_requests,
        "exit_code": run.exit_code(),
        "ledger": None
        if run.sealed is None
        else {
            "directory": run.sealed.directory,
            "first_seq": run.sealed.first_seq,
            "last_seq": run.sealed.last_seq,
            "checkpoint": run.sealed.checkpoint,
        },
        "settings": dict(run.settings),
        "outside": [
            {
                "tool": one.tool,
                "threat": one.threat,
                "source": one.source,
                "attacks": one.attacks,
                "success": _measurement(one.success),
            }
            for one in run.outside
        ],
        "rows": [_row(row) for row in run.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.threat.id,
        "name": row.threat.name,
        "state": row.state.value,
        "why": row.why,
        "attacker": row.threat.attacker,
        "attacks": list(row.threat.attacks),
        "controls": list(row.threat.controls),
        "residual": row.threat.residual,
        "advice": list(row.to_do()),
        "frameworks": [
            {"framework": one.framework, "edition": one.edition, "id": one.id} for one in MAPPING[row.threat.id]
        ],
        "claims": [
            {
                "claim": claim.text,
                "bound": str(claim.bound),
                "measured": _measurement(claim.measured),
                "held": claim.held,
                "decides": claim.decides,
            }
            for claim in row.claims
        ],
        "evidence": None if row.evidence is None else _evidence(row.evidence),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "attack_success_off": _measurement(evidence.off),
        "attack_success_on": _measurement(evidence.on),
        "measured": {name: _measurement(one) for name, one in evidence.measured.items()},
        "baselines": {name: _measurement(one) for name, one in evidence.baselines.items()},
        "families": {
            name: {"off": _measurement(off), "on": _measurement(on)} for name, (off, on) in evidence.families.items()
        },
        "stopped_by": dict(evidence.stopped_by),
        "transcripts": [
            {
                "case": one.case,
                "technique": one.technique,
                "control": one.control,
                "succeeded": one.succeeded,
                "why": one.why,
                "turns": [{"role": role, "text": text} for role, text in one.turns],
            }
            for one in evidence.worst
        ],
        "notes": list(evidence.notes),
    }


def _measurement(one: Measurement) -> dict[str, Any]:
    return {
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "seed": one.seed,
        "unit": one.unit,
        "method": one.method,
        "confidence": one.confidence,
    }
