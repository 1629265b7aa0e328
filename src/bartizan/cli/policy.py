"""`bartizan policy decide | draft | check | lint`: may these tool calls happen? Are these rules sound?"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bartizan.cli import policy_cases
from bartizan.cli.base import OK, Command
from bartizan.core.errors import BadRequest, BadSettings
from bartizan.policy.cedar import Rules
from bartizan.policy.cedar_lint import lint
from bartizan.policy.draft import draft, text_of, tools_in
from bartizan.policy.lines import decide_calls
from bartizan.policy.manifest import Manifest


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(metavar="WHAT", required=True)
    decide = what.add_parser("decide", help="Decide the tool calls of each line.")
    decide.add_argument("file", nargs="?", type=Path, help="lines of JSON; standard input when missing")
    decide.add_argument("--jsonl", action="store_true", help="write lines of JSON instead of text")
    decide.add_argument("--manifest", type=Path, help="JSON file that describes the tools")
    decide.add_argument("--rules", type=Path, help="the operator's rules, in Cedar")
    decide.set_defaults(act=_decide)
    policy_cases.arguments(what)
    begin = what.add_parser("draft", help="Write a manifest to begin with: what is inferred of each tool.")
    begin.add_argument(
        "file", nargs="?", type=Path, help="JSON with tools, or lines of it; standard input when missing"
    )
    begin.set_defaults(act=_draft)
    check = what.add_parser("check", help="Do these rules parse?")
    check.add_argument("rules", type=Path, help="the operator's rules, in Cedar")
    check.set_defaults(act=_check)
    lint_rules = what.add_parser(
        "lint", help="Find mistakes in rules: inverted tests, swapped fields, what never counts."
    )
    lint_rules.add_argument("rules", type=Path, help="the operator's rules, in Cedar")
    lint_rules.add_argument("--manifest", type=Path, required=True, help="JSON file that describes the tools")
    lint_rules.set_defaults(act=_lint)


def _run(args: argparse.Namespace) -> int:
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _rules_of(path: Path) -> Rules:
    try:
        return Rules(_text_of(path))
    except BadSettings as error:
        raise BadSettings(f"{path}: {error}", hint=error.hint()) from error


def _check(args: argparse.Namespace) -> int:
    """Parse the rules; what does not parse is an error with its reason."""
    _rules_of(args.rules)
    print(f"{args.rules}: the rules parse; what none of them permits is refused")
    return OK


def _draft(args: argparse.Namespace) -> int:
    """Print what is inferred of each tool, as a manifest."""
    try:
        print(text_of(draft(tools_in(_text_of(args.file) if args.file else sys.stdin.read()))))
    except BadRequest as error:
        raise BadSettings(f"{args.file or 'standard input'}: {error}") from error
    return OK


def _lint(args: argparse.Namespace) -> int:
    """Print each mistake; 1 when there is one."""
    mistakes = lint(_rules_of(args.rules).text, Manifest.parse(_text_of(args.manifest)))
    for mistake in mistakes:
        print(f"{mistake.kind:18} {mistake.rule}: {mistake.why}")
    if not mistakes:
        print("nothing looks wrong")
    return 1 if mistakes else OK


def _decide(args: argparse.Namespace) -> int:
    """Decide line after line. A line that is not of the form gets an error of its own, and the exit code 2."""
    try:
        manifest = Manifest.parse(args.manifest.read_bytes()) if args.manifest else None
        rules = _rules_of(args.rules) if args.rules else None
        lines = args.file.open(encoding="utf-8") if args.file else sys.stdin
    except OSError as error:
        raise BadSettings(f"{error.filename}: cannot be read: {error.strerror}") from error
    bad = 0
    with lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            answer = _decided(line, number, manifest, rules)
            bad += "error" in answer
            print(json.dumps(answer, ensure_ascii=False) if args.jsonl else _text(number, answer), flush=True)
    return 2 if bad else OK


def _decided(line: str, number: int, manifest: Manifest | None, rules: Rules | None) -> dict[str, Any]:
    try:
        case = json.loads(line)
        if not isinstance(case, dict):
            raise BadRequest("expected an object with messages")
        return {"decisions": decide_calls(case, manifest, rules=rules)}
    except (ValueError, RecursionError) as error:
        return {"error": f"line {number}: not JSON: {error}"}
    except (BadRequest, BadSettings) as error:
        return {"error": f"line {number}: {error}"}


def _text(number: int, answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"error    {answer['error']}"
    return "\n".join(
        f"{decision['verdict']:8} line {number}: {decision['tool']}: {decision['why']} ({decision['reason']})"
        for decision in answer["decisions"]
    )


COMMAND = Command("policy", "Decide tool calls by where their values came from.", _arguments, _run)
