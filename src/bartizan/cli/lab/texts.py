"""`bartizan lab attack TARGET --data texts.jsonl`: a classifier of texts, attacked word by word."""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bartizan.cli.lab.subject import Told
from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab

if TYPE_CHECKING:
    from bartizan.lab.evasion.text_trial import TextAttacked, TextProblem

_QUERIES = {"quick": 100, "standard": 300, "strongest": 1000}
"""Questions for each text."""


def takes(lab: Lab) -> bool:
    """Return whether the data are texts."""
    return Path(lab.data).suffix == ".jsonl"


def attacked(lab: Lab, reference: str, args: argparse.Namespace, told: Told, where: Path) -> Callable[[], None]:
    """Attack, write attack.json and attack.html, and return what prints the result."""
    from bartizan.lab.evasion.text_trial import as_json, as_page, attack_texts

    problem = opened(lab, reference, args)
    found = attack_texts(problem, told, curve=min(args.curve, len(problem.texts)))
    settings = {"suite": args.suite, "examples": len(problem.texts), "words": args.words, "data": lab.data}
    words = as_json(problem, found, settings)
    (where / "attack.json").write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    (where / "attack.html").write_text(as_page(problem, found), encoding="utf-8")
    return functools.partial(print, json.dumps(words)) if args.json else functools.partial(_show, problem, found, where)


def opened(lab: Lab, reference: str, args: argparse.Namespace) -> TextProblem:
    """Return the problem that the settings describe: target, texts, bound, search."""
    from bartizan.lab.evasion.text_trial import TextProblem
    from bartizan.lab.evasion.texts import TextBound, WordSearch
    from bartizan.lab.labelled import load_texts
    from bartizan.lab.target import Access
    from bartizan.lab.targets.opening import Described, open_target

    data = load_texts(Path(lab.data)).first(args.examples)
    target = open_target(reference, Described(classes=lab.classes or int(data.y.max()) + 1, texts=True))
    target.counter.limit = args.max_queries
    if target.access < Access.SCORES:
        raise BadSettings(f"{target.name} gives labels only", hint="The word search needs scores: return (n, classes).")
    if int(data.y.max()) >= target.classes:
        raise BadSettings(f"{lab.data} holds class {int(data.y.max())}, {target.name} knows 0..{target.classes - 1}")
    search = WordSearch(_QUERIES[args.suite], args.seed)
    return TextProblem(target, data.x, data.y, TextBound(args.words), search)


def _show(problem: TextProblem, found: TextAttacked, where: Path) -> None:
    console = Console()
    console.print(f"{problem.target.name}, {problem.bound}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"clean accuracy         {found.clean}", highlight=False)
    console.print(f"accuracy under attack  {found.robust}", highlight=False)
    for share, value in found.points:
        console.print(f"  {share:>4.0%} of the words    {value}", highlight=False)
    console.print(f"texts asked            {problem.target.queries:,}", highlight=False)
    console.print(f"wrote {where / 'attack.json'} and {where / 'attack.html'}", highlight=False)
