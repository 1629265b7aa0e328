"""Texts as lines of JSON: {"id", "text", "role"} in, {"id", "verdict", "score", "findings"} out.

The role says who could have chosen the text: user (the default), tool, or anything else (document, web, …), which
counts as anybody. A line that is not of the form gets an answer with `error` and does not stop the others.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bartizan.core.findings import Severity
from bartizan.core.messages import Text, Trust
from bartizan.core.verdicts import Block
from bartizan.detect.judge import Judge, Judgement

_TRUST = {
    "user": Trust.USER,
    "system": Trust.USER,
    "developer": Trust.USER,
    "tool": Trust.TOOL,
    "function": Trust.TOOL,
    "assistant": Trust.TOOL,
}
"""Text that claims to be the operator's is judged like a user's: whoever asks has a reason to doubt it."""


def trust_of(role: str) -> Trust:
    """Return whose text a role stands for; a role that we do not know is anybody's."""
    return _TRUST.get(role.lower(), Trust.WEB)


def judged(lines: Iterable[str | bytes], judge: Judge) -> Iterator[dict[str, Any]]:
    """Yield one answer for each line that is not blank, in order, holding one line at a time."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _answer(line, number, judge)


def answered(judgement: Judgement, name: str | int) -> dict[str, Any]:
    """Return a judgement as the JSON object that stands for it."""
    return {
        "id": name,
        "verdict": "block" if isinstance(judgement.verdict, Block) else "allow",
        "score": round(judgement.score, 6),
        "findings": [
            {
                "detector": one.rule,
                "span": [one.span.start, one.span.end] if one.span else None,
                "reason": one.why,
            }
            for one in judgement.findings
            if one.severity > Severity.INFO
        ],
    }


def _answer(line: str | bytes, number: int, judge: Judge) -> dict[str, Any]:
    try:
        case = json.loads(line)
    except ValueError as error:
        return {"id": None, "error": f"line {number}: not JSON: {error}"}
    if not isinstance(case, dict) or not isinstance(case.get("text"), str):
        return {"id": None, "error": f'line {number}: expected an object with "text", a string'}
    name = case.get("id", number)
    role = case.get("role") or "user"
    if not isinstance(name, str | int) or not isinstance(role, str):
        return {"id": None, "error": f'line {number}: expected "id" as a string or number and "role" as a string'}
    return answered(judge.judge(Text(case["text"], trust_of(role))), name)
