"""`bartizan lab attack TARGET`: the strongest attacks that the target's access allows, measured by the judge.

Data in JSON lines are texts, attacked word by word (`cli/lab/texts.py`); with a schema they are rows of a table
(`cli/lab/rows.py`).

Writes attack.json and attack.html. Finished parts are kept under the output folder: the same command goes on where it
was stopped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from bartizan.cli.base import OK, Command, at_least
from bartizan.cli.lab import rows, texts
from bartizan.cli.lab.subject import GOES_ON, Told, add_subject, bar, folder, subject
from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab
from bartizan.lab.needs import need

if TYPE_CHECKING:
    from bartizan.lab.evasion.base import Problem
    from bartizan.lab.evasion.report import Report

_SUITES = ("strongest", "standard", "quick")
_CURVE = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help="model.onnx, model.skops, weights, an address, python:module:function",
    )
    add_subject(parser)
    parser.add_argument(
        "--examples", type=at_least(1), default=1000, metavar="N", help="how many test examples (default 1000)"
    )
    parser.add_argument("--suite", choices=_SUITES, default="strongest", help="standard is AutoAttack's own budget")
    parser.add_argument("--snr-db", type=float, metavar="DB", help="for sounds: L2 noise this far below the signal")
    parser.add_argument(
        "--words", type=float, default=0.2, metavar="X", help="for texts: share of the words that may change (0.2)"
    )
    parser.add_argument(
        "--schema", metavar="FILE", help="for rows of tables: what a row may be, .toml or .json; infer: from the data"
    )
    parser.add_argument(
        "--eot", type=int, default=1, metavar="N", help="passes averaged, for models that answer at random"
    )
    parser.add_argument("--max-queries", type=at_least(1), metavar="N", help="the model never gets more rows than this")
    parser.add_argument(
        "--curve", type=at_least(0), default=100, metavar="N", help="examples for the curve; 0: no curve"
    )


def _run(args: argparse.Namespace) -> int:
    need("torch")
    lab = subject(args)
    reference = args.target or lab.classifier
    if not reference:
        raise BadSettings("no target", hint="Name it: bartizan lab attack TARGET, or `classifier` in [lab].")
    where = folder(args.output)
    other = texts.attacked if texts.takes(lab) else rows.attacked if rows.takes(args) else None
    if other is not None:
        with bar(GOES_ON) as told:
            shown = other(lab, reference, args, told, where)
        shown()
        return OK
    with bar(GOES_ON) as told:
        report = measured(lab, reference, args, told, where / ".bartizan-lab")
    from bartizan.lab.evasion.report import as_json, as_page

    words = as_json(report)
    (where / "attack.json").write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    (where / "attack.html").write_text(as_page(report), encoding="utf-8")
    if args.json:
        print(json.dumps(words))
    else:
        _show(report, where)
    return OK


def measured(lab: Lab, reference: str, args: argparse.Namespace, told: Told, kept: Path) -> Report:
    """Open the target, run the suite in parts, look for masked gradients, draw the curve."""
    import torch

    from bartizan.lab.evasion.masking import masking_signs
    from bartizan.lab.evasion.parts import Kept, run_in_parts
    from bartizan.lab.evasion.report import Report
    from bartizan.lab.evasion.suite import QUICK, curve, suite_for

    problem = opened(lab, reference, args)
    attacks = suite_for(problem, args.suite)
    if not attacks:
        raise BadSettings(f"no attack for {problem.ball} with {problem.target.access.name} access")
    found = run_in_parts(problem, attacks, Kept(kept), told, 3 if args.eot > 1 else 1)
    few = problem.part(torch.arange(min(args.curve, len(problem.x))))
    light = [one for one in QUICK if one.needs <= problem.target.access] or list(attacks)
    usual = problem.ball.norm in ("Linf", "L2")
    points = curve(few, light if usual else attacks, _CURVE, told) if args.curve and args.snr_db is None else []
    signs = masking_signs(problem.part(torch.arange(min(40, len(problem.x)))))
    settings = {"suite": args.suite, "examples": len(problem.x), "eot": args.eot, "data": lab.data}
    return Report(problem, found, [(size, one.robust) for size, one in points], signs, (), settings)


def opened(lab: Lab, reference: str, args: argparse.Namespace) -> Problem:
    """Return the problem that the settings describe: target, data, bound."""
    import torch

    from bartizan.lab.evasion.balls import Ball
    from bartizan.lab.evasion.base import Problem
    from bartizan.lab.evasion.trial import described
    from bartizan.lab.labelled import load
    from bartizan.lab.targets.opening import open_target

    data = load(Path(lab.data), lab.low, lab.high).shaped(lab.shape).first(args.examples)
    target = open_target(reference, described(lab, data))
    target.counter.limit = args.max_queries
    x = torch.from_numpy(target.spec.checked(data.x))
    ball = Ball("L2", 0.0, args.snr_db) if args.snr_db is not None else Ball(lab.norm, lab.epsilon)
    if int(data.y.max()) >= target.classes:
        raise BadSettings(f"{lab.data} holds class {int(data.y.max())}, {target.name} knows 0..{target.classes - 1}")
    return Problem(target, ball, x, torch.from_numpy(data.y), args.seed, args.eot)


def _show(report: Report, where: Path) -> None:
    console, found = Console(), report.found
    table = Table(title=f"{report.problem.target.name} within {report.problem.ball}", title_justify="left")
    for name in ("attack", "standing before", "fell", "accuracy after it", "rows asked", "seconds"):
        table.add_column(name)
    for one in found.stages:
        row: tuple[Any, ...] = (one.attack, one.standing_before, one.fell, one.robust, one.queries)
        table.add_row(*map(str, row), f"{one.seconds:.1f}")
    console.print(table)
    console.print(f"clean accuracy         {found.clean}", highlight=False)
    console.print(f"accuracy under attack  {found.robust}", highlight=False)
    for sign in report.signs:
        console.print(f"masked gradients: {sign.name}: {sign.seen}. {sign.advice}", style="yellow", markup=False)
    for note in (
        *report.problem.target.notes,
        *(f"{name} was not run: it needs more access" for name in found.skipped),
    ):
        console.print(note, markup=False, highlight=False)
    console.print(f"wrote {where / 'attack.json'} and {where / 'attack.html'}", highlight=False)


COMMAND = Command(
    "attack", "Attack a classifier within a bound and report what still stands, with intervals.", _arguments, _run
)
