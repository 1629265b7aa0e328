"""`bartizan policy explain | test`: why is a call decided so, and is it decided as somebody expects?"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bartizan.cli.base import CANNOT, FAILED, OK
from bartizan.core.display import visible
from bartizan.core.errors import BadRequest, BadSettings
from bartizan.policy.cedar import Rules
from bartizan.policy.explain import lines
from bartizan.policy.lines import decide_calls, explain_calls
from bartizan.policy.manifest import Manifest

VERDICTS = ("allow", "rewrite", "ask", "block")


def arguments(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the two words."""
    explain = what.add_parser("explain", help="Say which rule, licence or value decided each call.")
    explain.add_argument("--json", action="store_true", help="as lines of JSON")
    explain.set_defaults(act=_explain)
    test = what.add_parser("test", help="Compare the decisions on a file of cases with what each expects.")
    test.set_defaults(act=_test)
    for parser in (explain, test):
        parser.add_argument("file", nargs="?", type=Path, help="lines of JSON; standard input when missing")
        parser.add_argument("--manifest", type=Path, help="JSON file that describes the tools")
        parser.add_argument("--rules", type=Path, help="the operator's rules, in Cedar")


def _explain(args: argparse.Namespace) -> int:
    manifest, rules = _given(args)
    bad = 0
    for number, case in cases(args.file):
        if isinstance(case, str):
            bad += 1
            print(f"line {number}: {case}", file=sys.stderr)
            continue
        try:
            explained = explain_calls(case, manifest, rules)
        except (BadRequest, BadSettings) as error:
            bad += 1
            print(f"line {number}: {error}", file=sys.stderr)
            continue
        for one in explained:
            if args.json:
                print(json.dumps({"line": number, **asdict(one)}, ensure_ascii=False))
            else:
                print("\n".join(visible(line) for line in lines(one)))
    return CANNOT if bad else OK


def _test(args: argparse.Namespace) -> int:
    """Print what differs; 1 when something does, 2 when a case cannot be read or none is there."""
    manifest, rules = _given(args)
    good = wrong = bad = 0
    for number, case in cases(args.file):
        try:
            if isinstance(case, str):
                raise BadRequest(case)
            name = str(case.get("name") or f"line {number}")
            differing = list(_differing(expected(case), decide_calls(case, manifest, rules=rules)))
        except (BadRequest, BadSettings) as error:
            bad += 1
            print(f"cannot test line {number}: {visible(str(error))}")
            continue
        good, wrong = good + (not differing), wrong + bool(differing)
        for line in differing:
            print(visible(f"FAILED {name}: {line}"))
    print(f"{good} as expected, {wrong} not, {bad} that could not be tested")
    if bad or not good + wrong:
        return CANNOT
    return FAILED if wrong else OK


def expected(case: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the verdict and the reason (empty: any) that a case expects of each call. Raises BadRequest."""
    given = case.get("expect")
    listed = given if isinstance(given, list) else [given]
    found = []
    for one in listed:
        verdict, _, reason = one.partition(" ") if isinstance(one, str) else ("", "", "")
        if verdict not in VERDICTS:
            raise BadRequest(
                f'expect = {str(given)[:80]}: expected "VERDICT" or "VERDICT REASON" for each call, with a verdict of '
                f"{', '.join(VERDICTS)}"
            )
        found.append((verdict, reason))
    return found


def _differing(wanted: list[tuple[str, str]], got: list[dict[str, Any]]) -> Iterator[str]:
    if len(wanted) != len(got):
        yield f"{len(got)} calls, {len(wanted)} expected"
        return
    for (verdict, reason), decision in zip(wanted, got, strict=True):
        if decision["verdict"] != verdict or (reason and decision["reason"] != reason):
            said = f"{decision['verdict']} {decision['reason']}: {decision['why']}"
            yield f"{decision['tool']}: expected {verdict} {reason}".rstrip() + f", got {said}"


def cases(file: Path | None) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield each line's number and its case, or why it is none. Raises BadSettings when there is no such file."""
    try:
        opened = file.open(encoding="utf-8") if file else sys.stdin
    except OSError as error:
        raise BadSettings(f"{file}: cannot be read: {error.strerror}") from error
    with opened:
        for number, line in enumerate(opened, 1):
            if not line.strip():
                continue
            try:
                case = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, f"not JSON: {error}"
                continue
            yield number, case if isinstance(case, dict) else "expected an object with messages"


def _given(args: argparse.Namespace) -> tuple[Manifest | None, Rules | None]:
    try:
        manifest = Manifest.parse(args.manifest.read_bytes()) if args.manifest else None
        return manifest, Rules(args.rules.read_text(encoding="utf-8")) if args.rules else None
    except (OSError, UnicodeDecodeError) as error:
        name = getattr(error, "filename", None) or args.rules
        raise BadSettings(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
