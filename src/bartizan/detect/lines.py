"""Texts as lines of JSON: {"id", "text", "role"} in, {"id", "verdict", "score", "findings"} out.

A conversation is {"id", "turns": [{"role", "text"}, …]}; its answer has no score, and its findings name the turn,
from 1.

The role says who could have chosen the text: user (the default), tool, or anything else (document, web, …), which
counts as anybody. A line that is not of the form gets an answer with `error` and does not stop the others.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from bartizan.core.findings import Severity
from bartizan.core.messages import Message, Prompt, Role, Text, Trust
from bartizan.core.verdicts import Block
from bartizan.detect.judge import Judge, Judgement
from bartizan.detect.screen import InputScreen

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


def judged(
    lines: Iterable[str | bytes], judge: Judge, screen: Callable[[], InputScreen] = InputScreen
) -> Iterator[dict[str, Any]]:
    """Yield one answer for each line that is not blank, in order, holding one line at a time.

    Texts go to `judge`, conversations to the `screen`, which is opened when the first one comes.
    """
    opened = cache(screen)
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _answer(line, number, judge, opened)


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


def _answer(line: str | bytes, number: int, judge: Judge, screen: Callable[[], InputScreen]) -> dict[str, Any]:
    try:
        case = json.loads(line)
    except ValueError as error:
        return {"id": None, "error": f"line {number}: not JSON: {error}"}
    if isinstance(case, dict) and "turns" in case:
        return _conversation(case, number, screen)
    if not isinstance(case, dict) or not isinstance(case.get("text"), str):
        return {"id": None, "error": f'line {number}: expected an object with "text", a string'}
    name = case.get("id", number)
    role = case.get("role") or "user"
    if not isinstance(name, str | int) or not isinstance(role, str):
        return {"id": None, "error": f'line {number}: expected "id" as a string or number and "role" as a string'}
    return answered(judge.judge(Text(case["text"], trust_of(role))), name)


def _conversation(case: dict[str, Any], number: int, screen: Callable[[], InputScreen]) -> dict[str, Any]:
    name, turns = case.get("id", number), case["turns"]
    try:
        messages = tuple(Message.of(Role(one["role"]), _text(one), f"turn {at}") for at, one in enumerate(turns, 1))
    except (TypeError, ValueError, KeyError):
        messages = ()
    if not messages or not isinstance(name, str | int):
        roles = ", ".join(role.value for role in Role)
        why = f'expected "turns" as a list of objects with "text" and "role", one of {roles}'
        return {"id": None, "error": f"line {number}: {why}"}
    seen = screen().screen(Prompt("", messages))
    blocked = isinstance(seen.verdict, Block)
    return {
        "id": name,
        "verdict": "block" if blocked else "allow",
        "reason": seen.verdict.why,
        "findings": [
            {
                "detector": one.rule,
                "turn": int(one.where.removeprefix("turn ")) if one.where.startswith("turn ") else None,
                "span": [one.span.start, one.span.end] if one.span else None,
                "reason": one.why,
            }
            for one in seen.findings
        ],
    }


def _text(turn: dict[str, Any]) -> str:
    if not isinstance(turn["text"], str):
        raise TypeError("text: expected a string")
    return turn["text"]
