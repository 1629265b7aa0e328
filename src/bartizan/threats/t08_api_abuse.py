"""T08: the holder of a key, or a thief of one, runs up a bill. Nine ways to do it meet a hard budget.

A model server that bills stands on loopback, with prices that are known; attackers send what costs most, straight to
it and through `bartizan serve`. What counts is the bill: an attack succeeds when it costs more than the owner allowed.
Load that costs no money, and who a thief is, are not part of this claim.
"""

import asyncio
import datetime
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from msgspec.structs import replace

from bartizan.core.clock import SystemClock
from bartizan.core.measures import AtLeast, AtMost, Measurement, bootstrap, proportion
from bartizan.core.sections import Settings
from bartizan.core.sections.limits import LimitRule, Limits
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.limits import prices
from bartizan.gateway.limits.money import dollars, nano_dollars
from bartizan.gateway.limits.prices import Book, Model, Price, Tier
from bartizan.lab.biller import Bill, Biller, Habit
from bartizan.lab.draining import CHAT, DRAINS, drain
from bartizan.ledger.stores.base import Limit
from bartizan.ledger.stores.sqlite import SqliteStore
from bartizan.threats.base import Claim, Evidence, Threat, Transcript
from bartizan.threats.bench import Bench
from bartizan.threats.stage import gateway

ALLOWED = "0.25"
"""Dollars that each key may spend in a day."""
_LARGEST = 2000
_MODEL = Model("m-*", 400_000, _LARGEST, (Tier("1", "10"), Tier("2", "20", service="priority")))
_SHOTS = 24
_HABITS: tuple[Habit, ...] = ("end", "cut")


@dataclass(frozen=True)
class Cost:
    """What one attack cost its victim, in nano-dollars."""

    way: str
    nano: int
    requests: int
    statuses: Mapping[int, int]


def run(bench: Bench) -> Evidence:
    """Run every attack without and with the gateway; then let an honest client use up its allowance."""
    with tempfile.TemporaryDirectory(prefix="bartizan-t08-") as folder:
        return asyncio.run(_run(bench, Path(folder)))


async def _run(bench: Bench, folder: Path) -> Evidence:
    allowed, rounds = nano_dollars(ALLOWED), 2 * bench.effort
    biller = Biller(largest=_LARGEST)
    async with biller.serving() as bare:
        off = await _attacks(bench, biller, bare, [""] * (len(DRAINS) * rounds), "off")
        settings, keys, store = _settings(folder, len(DRAINS) * rounds + 1)
        with gateway(settings, bare) as guarded:
            on = await _attacks(bench, biller, guarded, [text for _, text in keys[:-1]], "on", store)
            usable = await _honest(guarded, keys[-1][1], biller)
            held = await _quiet(store)
        booked = await _booked(store, [key for key, _ in keys])
    billed = sum(cost.nano for cost in on) + usable
    over = [max(cost.nano - allowed, 0) for cost in on]
    worst_off, worst_on = max(cost.nano for cost in off), max(cost.nano for cost in on)
    return Evidence(
        off=proportion(sum(cost.nano > allowed for cost in off), len(off), seed=bench.seed),
        on=proportion(sum(extra > 0 for extra in over), len(on), seed=bench.seed),
        measured={
            "worst bill without, times the allowance": _exact(worst_off / allowed, len(off), bench.seed, "times"),
            "worst bill with, times the allowance": _exact(worst_on / allowed, len(on), bench.seed, "times"),
            "overspend in all": _exact(float(sum(over)), len(on), bench.seed, "nano-dollars"),
            "allowance that an honest client can use": _exact(usable / allowed, 1, bench.seed, "of it"),
            "still held when nothing runs": _exact(float(held), len(on) + 1, bench.seed, "nano-dollars"),
            "books against bills": _exact(abs(booked - billed) / billed, len(on) + 1, bench.seed, "of the bill"),
            "mean bill without": bootstrap(
                [cost.nano / 1e9 for cost in off], lambda data: float(np.mean(data)), seed=bench.seed, unit="dollars"
            ),
        },
        families=_families(off, on, allowed, bench.seed),
        stopped_by={"limits": sum(a.nano > allowed >= b.nano for a, b in zip(off, on, strict=True))},
        worst=(
            _transcript(max(on, key=lambda cost: cost.nano), "on", allowed),
            _transcript(max(off, key=lambda cost: cost.nano), "off", allowed),
        ),
        notes=(
            f"Every key may spend ${ALLOWED} a day; {len(on)} attacks, each with a key of its own, on a model server "
            f"that bills as real ones do, half of them to the end of streams that are left. Worst bill without the "
            f"gateway {dollars(worst_off)}, with it {dollars(worst_on)}.",
            "Money is counted in whole nano-dollars, so these figures are exact for what was sent, not estimates.",
        ),
    )


async def _attacks(
    bench: Bench, biller: Biller, url: str, keys: list[str], control: str, store: Path | None = None
) -> list[Cost]:
    costs = []
    for number, key in enumerate(keys):
        bench.progress(f"attacks with the limits {control}", number, len(keys))
        way, rng = DRAINS[number % len(DRAINS)], random.Random(bench.seed * 1000 + number)
        biller.habit = _HABITS[number // len(DRAINS) % 2]
        model = f"m-{control}-{number}"
        statuses = await drain(url, key, model, way, rng, _SHOTS)
        if store is not None:
            await _quiet(store)
        await _billed(biller)
        nano = sum(_nano(bill) for bill in biller.bills if bill.model == model)
        cost = Cost(way.name, nano, sum(statuses.values()), statuses)
        bench.record("attempt", {"threat": "T08", "case": way.name, "control": control, "nano_dollars": cost.nano})
        costs.append(cost)
    return costs


async def _billed(biller: Biller) -> None:
    """Wait until streams that were left are billed and nothing new comes."""
    seen = -1
    while biller.streaming or seen != len(biller.bills):
        seen = len(biller.bills)
        await asyncio.sleep(0.06)


async def _honest(url: str, key: str, biller: Biller) -> int:
    """Ask modestly, one request after another, until the budget says no; return what was billed."""
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60) as client:
        ask = {"model": "m-honest", "messages": [{"role": "user", "content": "hello"}]}
        while (await client.post(CHAT, json=ask)).status_code == 200:
            pass
    return sum(_nano(bill) for bill in biller.bills if bill.model == "m-honest")


async def _quiet(store: Path) -> int:
    """Wait until nothing is held, 5 s at most; return what still is, in nano-dollars."""
    for _ in range(100):
        held = await _standing(store, [], held=True)
        if not held:
            break
        await asyncio.sleep(0.05)
    return held


async def _booked(store: Path, keys: list[str]) -> int:
    return await _standing(store, keys, held=False)


async def _standing(path: Path, keys: list[str], *, held: bool) -> int:
    store = SqliteStore(path, SystemClock())
    try:
        names = [name for name in await store.accounts() if not keys or name.rpartition(":")[2] in keys]
        found = await store.standings([Limit(name, "budget", "money", 0, 86_400_000) for name in names])
        return sum(one.held if held else one.spent for one in found)
    finally:
        await store.close()


def _nano(bill: Bill) -> int:
    """Return what the provider charges; the dear tier when it was asked for."""
    return _PRICE.most(bill.input, bill.output) if bill.tier == "priority" else _STANDARD.most(bill.input, bill.output)


_PRICE = Price(_MODEL)
_STANDARD = Price(Model("m-*", 400_000, _LARGEST, _MODEL.tiers[:1]))


def _settings(folder: Path, n: int) -> tuple[Settings, list[tuple[str, str]], Path]:
    """Return settings with one budget per key, `n` keys (id, text), and where it is counted."""
    prices.write(folder / "prices.json", Book(datetime.datetime.now(datetime.UTC).date(), (_MODEL,)))
    book = KeyBook(folder / "keys.json", SystemClock())
    made = [book.create(f"k{number}", days=1) for number in range(n)]
    store = folder / "limits.sqlite"
    limits = Limits(
        rules=(LimitRule("key:*", f"${ALLOWED} per day"),),
        rules_file=str(folder / "limits.json"),
        prices_file=str(folder / "prices.json"),
        store=str(store),
    )
    plain = Settings()
    edge = replace(plain.gateway, keys_file=str(folder / "keys.json"), receipt="queued")
    ledger = replace(plain.ledger, directory=str(folder / "ledger"), checkpoint_file=str(folder / "checkpoints.txt"))
    return replace(plain, gateway=edge, ledger=ledger, limits=limits), [(key.id, text) for key, text in made], store


def _families(off: list[Cost], on: list[Cost], allowed: int, seed: int) -> dict[str, tuple[Measurement, Measurement]]:
    found = {}
    for way in DRAINS:
        both = [[cost.nano > allowed for cost in costs if cost.way == way.name] for costs in (off, on)]
        without, behind = (proportion(sum(hits), len(hits), seed=seed) for hits in both)
        found[way.name] = (without, behind)
    return found


def _exact(value: float, n: int, seed: int, unit: str) -> Measurement:
    """Return a figure that was counted, not sampled."""
    return Measurement(value, value, value, n, seed, unit, "counted")


def _transcript(cost: Cost, control: str, allowed: int) -> Transcript:
    answers = ", ".join(f"{n} x {status}" for status, n in sorted(cost.statuses.items()))
    turns = (("attacker", f"{cost.requests} requests: {cost.way}"), ("target", f"answered {answers}"))
    why = f"billed {dollars(cost.nano)} of {dollars(allowed)} allowed"
    return Transcript(cost.way, cost.way, control, turns, cost.nano > allowed, why)


T08 = Threat(
    id="T08",
    name="API abuse and token draining",
    attacker="runs up cost or load: floods, long outputs, tool loops, stolen keys, races on budgets",
    attacks=tuple(way.name for way in DRAINS),
    controls=(
        "[limits]: money, tokens, requests and slots reserved before a request is forwarded, settled on its bill",
        "bartizan kill: a switch per key, model, tool, team and for everything",
        "[theft]: keys that are not used as usual, and canary keys (`make bench-theft`, not measured by this claim)",
    ),
    claims=(
        Claim("The attacks are real: without limits they cost more than was allowed.", lambda e: e.off, AtLeast(0.6)),
        Claim(
            "No attack costs more than was allowed.",
            lambda e: e.measured["worst bill with, times the allowance"],
            AtMost(1.0),
        ),
        Claim("Not one nano-dollar is overspent.", lambda e: e.measured["overspend in all"], AtMost(0)),
        Claim(
            "An honest client can use its allowance.",
            lambda e: e.measured["allowance that an honest client can use"],
            AtLeast(0.99),
        ),
        Claim(
            "Nothing stays held once nothing runs: a refused or broken request locks no money up.",
            lambda e: e.measured["still held when nothing runs"],
            AtMost(0),
        ),
    ),
    residual=(
        "A provider that ignores the output limit in a request can bill more than was reserved; the next request then "
        "finds less left. A thief spends up to the key's budget until somebody notices. An attacker can use up an "
        "allowance and so lock its owner out. Server tools, files and stored conversations are refused where money "
        "is counted, not priced. Prices are the operator's own."
    ),
    advice=(
        "Give every client a key of its own with a small budget: bartizan budgets set 'key:*' '$5 per day'.",
        "Sign a price book for the models that you use, and keep it current.",
        "Set one budget for all, below what you could bear: bartizan budgets set all '$500 per month'.",
        "Know how to stop a key before you need it: bartizan kill key:ID.",
    ),
    run=run,
)
