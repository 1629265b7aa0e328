"""Texts as lines of JSON: {"id", "text", "role"} in, {"id", "verdict", "score", "findings"} out.

A conversation is {"id", "turns": [{"role", "text"}, …]}; its answer has no score, and its findings name the turn,
from 1.

The role says who could have chosen the text: user (the default), tool, or anything else (document, web, …), which
counts as anybody. A line that is not of the form gets an answer with its `id`, where it has one, and `error`, and does
not stop the others.
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


_SHOWN = 40


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
    try:  # what RFC 8259 says: JSON is UTF-8; Python would guess other encodings from zero bytes
        case = json.loads(line.decode("utf-8-sig") if isinstance(line, bytes) else line)
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is 0x{error.object[error.start]:02x}, which is not UTF-8: write the file in UTF-8"
        return _refused(None, number, why)
    except ValueError as error:
        return _refused(None, number, f"not JSON: {error}: expected one object a line")
    except RecursionError:
        return _refused(None, number, "not JSON that can be read: nested too deep; expected one object a line")
    if not isinstance(case, dict):
        return _refused(None, number, f"{_shown(case)}: expected an object")
    name = case.get("id", number)
    if not isinstance(name, str | int):
        return _refused(None, number, f'"id" is {_shown(name)}: expected a string or a whole number')
    if "turns" in case:
        return _conversation(case["turns"], name, number, screen)
    if not isinstance(case.get("text"), str):
        why = (
            f'"text" is {_shown(case["text"])}: expected a string'
            if "text" in case
            else 'has neither "text" nor "turns"'
        )
        return _refused(name, number, why)
    role = case.get("role") or "user"
    if not isinstance(role, str):
        return _refused(name, number, f'"role" is {_shown(role)}: expected a string')
    return answered(judge.judge(Text(case["text"], trust_of(role))), name)


def _refused(name: str | int | None, number: int, why: str) -> dict[str, Any]:
    return {"id": name, "error": f"line {number}: {why}"}


def _shown(value: object) -> str:
    """Return a value as a short piece of JSON: an error names it, and a long one helps nobody."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return json.dumps(value[:_SHOWN]) + ("…" if len(value) > _SHOWN else "")
        case _:
            return json.dumps(value)[:_SHOWN]


def _conversation(turns: object, name: str | int, number: int, screen: Callable[[], InputScreen]) -> dict[str, Any]:
    if not isinstance(turns, list) or not turns:
        return _refused(name, number, f'"turns" is {_shown(turns)}: expected a list of at least one turn')
    messages = []
    for at, turn in enumerate(turns, 1):
        try:
            messages.append(Message.of(Role(turn["role"]), _text(turn), f"turn {at}"))
        except (TypeError, ValueError, KeyError):
            roles = ", ".join(role.value for role in Role)
            why = f'turn {at} of "turns": expected an object with "text", a string, and "role", one of {roles}'
            return _refused(name, number, why)
    seen = screen().screen(Prompt("", tuple(messages)))
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
