"""`bartizan spend`: what every account has spent and holds, its cap, and when that will be reached at this pace."""

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections.limits import Limits
from bartizan.gateway.limits.files import counting, rules_in
from bartizan.gateway.limits.money import dollars
from bartizan.gateway.limits.rules import Rules, limit_of, merged, words
from bartizan.ledger.stores.base import Limit, Standing, Store
from bartizan.ledger.stores.opening import MEMORY


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("scope", nargs="?", default="", help="only accounts of this scope, such as key:abc or all")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--watch", type=float, metavar="SECONDS", default=0.0, help="show again every so often")


def _run(args: argparse.Namespace) -> int:
    limits = configured(args).limits
    rows = asyncio.run(standings(limits, args.scope))
    if args.json:
        print(json.dumps(rows, indent=2))
        return OK
    console = Console()
    console.print(_table(rows) if rows else "nothing is counted yet")
    while args.watch > 0:
        time.sleep(args.watch)
        console.clear()
        console.print(_table(asyncio.run(standings(limits, args.scope))))
    return OK


def opened(limits: Limits) -> Store:
    """Return the store that a running gateway counts in. Raises BadSettings when no other process can see it."""
    if limits.store == MEMORY and not limits.store_env:
        raise BadSettings(
            "limits.store = memory: only the gateway itself knows what it counts", hint="Name a file in limits.store."
        )
    return counting(limits, SystemClock())


async def standings(limits: Limits, scope: str) -> list[dict[str, Any]]:
    """Return what every account of `scope` (empty: all) allows, has spent and holds."""
    rules = Rules(merged(limits.rules, rules_in(Path(limits.rules_file))))
    store = opened(limits)
    try:
        names = [name for name in await store.accounts() if scope in ("", name.split("/", 3)[-1])]
        counted = [limit for name in names if (limit := limit_of(name, rules)) and limit.kind != "rate"]
        return [_row(limit, found) for limit, found in zip(counted, await store.standings(counted), strict=True)]
    finally:
        await store.close()


def nearing(
    rows: Sequence[Mapping[str, Any]], shares: Sequence[float], before: Mapping[str, float]
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Return the budgets among `rows` that have passed one of `shares` since `before`, and what holds now.

    `before` and the second value say for each budget the highest share that it had passed. A budget whose window has
    slid on falls below again, and is told again when it rises.
    """
    told, now = [], {}
    for row in rows:
        if row["unit"] == "slots":
            continue
        used = (row["spent"] + row["held"]) / row["cap"] if row["cap"] else 1.0
        passed = max((share for share in shares if used >= share), default=0.0)
        name = f"{row['scope']} {row['allows']}"
        if passed > before.get(name, 0.0):
            why = f"{used:.0%} of {row['allows']} is spent or held"
            told.append({"scope": row["scope"], "allows": row["allows"], "share": passed, "why": why} | _counts(row))
        if passed:
            now[name] = passed
    return told, now


def _counts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("unit", "cap", "spent", "held", "cap_reached_in_s")}


def _row(limit: Limit, found: Standing) -> dict[str, Any]:
    left = limit.cap - found.spent - found.held
    seconds = left * found.recent_ms / found.recent / 1000 if found.recent and left > 0 else None
    return {
        "scope": limit.account.split("/", 3)[-1],
        "allows": words(limit),
        "unit": limit.unit,
        "cap": limit.cap,
        "spent": found.spent,
        "held": found.held,
        "left": max(left, 0),
        "cap_reached_in_s": 0 if left <= 0 else seconds,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(Column("scope", overflow="fold"), "allows", "spent", "held", "left", "used", "cap reached in")
    for row in sorted(rows, key=lambda row: -(row["spent"] + row["held"]) / max(row["cap"], 1)):
        shown = dollars if row["unit"] == "money" else str
        used = f"{(row['spent'] + row['held']) / row['cap']:.0%}" if row["cap"] else "100%"
        amounts = (shown(row["spent"]), shown(row["held"]), shown(row["left"]))
        table.add_row(row["scope"], row["allows"], *amounts, used, forecast(row["cap_reached_in_s"]))
    return table


def forecast(seconds: float | None) -> str:
    """Return a time to the cap in words; nothing recent gives no forecast."""
    if seconds is None:
        return "-"
    for word, width in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * width:
            return f"{seconds / width:.0f} {word}"
    return f"{seconds:.0f} s" if seconds else "now"


COMMAND = Command("spend", "Show what is spent, held and left.", _arguments, _run)
