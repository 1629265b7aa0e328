"""`bartizan lab attack TARGET --data rows.csv --schema FILE`: rows of a table, attacked within what a row may be."""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bartizan.cli.lab.subject import Told
from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab

if TYPE_CHECKING:
    from bartizan.lab.evasion.tabular_trial import RowProblem, RowsAttacked

_INFER = "infer"
_SEARCHES = {"quick": (2, 4), "standard": (3, 6), "strongest": (5, 12)}
"""Rounds over all columns, and values tried for each number."""


def takes(args: argparse.Namespace) -> bool:
    """Return whether the data are rows of a table: then a schema is named."""
    return args.schema is not None


def attacked(lab: Lab, reference: str, args: argparse.Namespace, told: Told, where: Path) -> Callable[[], None]:
    """Attack, write attack.json, attack.html and an inferred schema, and return what prints the result."""
    from bartizan.lab.evasion.tabular_trial import as_json, as_page, attack_rows

    problem = opened(lab, reference, args)
    wrote = [where / "attack.json", where / "attack.html"]
    if args.schema == _INFER:
        wrote.append(where / "schema.toml")
        wrote[-1].write_text(problem.columns.as_toml(), encoding="utf-8")
    found = attack_rows(problem, told, curve=min(args.curve, len(problem.x)))
    settings = {"suite": args.suite, "examples": len(problem.x), "schema": args.schema, "data": lab.data}
    words = as_json(problem, found, settings)
    wrote[0].write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    wrote[1].write_text(as_page(problem, found), encoding="utf-8")
    if args.json:
        return functools.partial(print, json.dumps(words))
    return functools.partial(_show, problem, found, wrote)


def opened(lab: Lab, reference: str, args: argparse.Namespace) -> RowProblem:
    """Return the problem that the settings describe: target, rows, what a row may be, search."""
    import numpy as np

    from bartizan.lab.evasion.tabular import TabularSearch
    from bartizan.lab.evasion.tabular_columns import inferred, read
    from bartizan.lab.evasion.tabular_trial import RowProblem
    from bartizan.lab.evasion.trial import described
    from bartizan.lab.labelled import column_names, load
    from bartizan.lab.target import Access
    from bartizan.lab.targets.opening import open_target

    path = Path(lab.data)
    whole = load(path)
    if whole.x.ndim != 2:
        raise BadSettings(f"{path.name} holds examples of shape {whole.x.shape[1:]}: expected rows of a table, (n, d)")
    names = column_names(path, whole.x.shape[1])
    # Ranges are those of all rows, not only of the attacked ones.
    columns = inferred(whole.x, names) if args.schema == _INFER else read(Path(args.schema), whole.x, names)
    data = whole.first(args.examples)
    target = open_target(reference, replace(described(lab, data), low=None, high=None))
    target.counter.limit = args.max_queries
    if target.access < Access.SCORES:
        raise BadSettings(f"{target.name} gives labels only", hint="The search needs scores: return (n, classes).")
    if int(data.y.max()) >= target.classes:
        raise BadSettings(f"{lab.data} holds class {int(data.y.max())}, {target.name} knows 0..{target.classes - 1}")
    x = np.asarray(target.spec.checked(data.x))
    return RowProblem(target, x, data.y, columns, TabularSearch(*_SEARCHES[args.suite]), args.seed)


def _show(problem: RowProblem, found: RowsAttacked, wrote: list[Path]) -> None:
    from bartizan.lab.evasion.tabular_trial import changed_most

    console, schema = Console(), problem.columns.schema
    table = Table(title="What a row may be", title_justify="left")
    for name in ("column", "values", "attacker"):
        table.add_column(name)
    for row in problem.columns.described():
        table.add_row(*row)
    console.print(table)
    console.print(
        f"{problem.target.name}, at most {schema.most_changed} changed, numbers by {schema.reach:.3g} of their range",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    console.print(f"clean accuracy         {found.clean}", highlight=False)
    console.print(f"accuracy under attack  {found.robust}", highlight=False)
    for one in found.stages:
        console.print(
            f"  {one.attack}: {one.fell} of {one.standing_before} fell, {one.queries:,} rows asked", highlight=False
        )
    for most, value in found.points:
        console.print(f"  at most {most:>2} changed     {value}", highlight=False)
    often = ", ".join(f"{name} ({count})" for name, count in changed_most(problem, found)[:5])
    console.print(f"changed most often     {often or 'nothing'}", markup=False, highlight=False, soft_wrap=True)
    for note in problem.target.notes:
        console.print(note, markup=False, highlight=False)
    console.print(f"wrote {', '.join(map(str, wrote))}", highlight=False, soft_wrap=True)
    if len(wrote) > 2:
        told = f"The schema is a guess: say in {wrote[2]} what nobody can change, and pass --schema {wrote[2]}."
        console.print(told, style="yellow", markup=False, soft_wrap=True)
