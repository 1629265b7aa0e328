"""Can a budget be overspent, and can it be used? Schedules in simulated time, races over processes, peers, streams.

  python bench/bench_budget.py [--quick] [--only PART …] [--peer-python NAME=PATH …]

schedules: random interleavings of admissions, settlings (late, twice, never), renewals, sweeps and time over five
           scopes, checked after each step against books that are kept apart, and the room that is left at the end
replicas:  three processes on one Redis (Valkey), PostgreSQL or SQLite, killed and started again while they race, the
           servers too; what a provider would have billed is logged by the processes themselves
race:      1,000 calls at once on one cap, ours and peers' (litellm, aegis: each in a Python of its own)
streams:   streams cut at every event boundary and at random bytes, three wires, a biller with both habits
cost:      CPU of one reserve and settle over four scopes, per store
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import httptools
import uvloop
from rich.console import Console
from tests.doubles import servers
from tests.gateway.conftest import World

from bartizan import __version__
from bartizan.core.clock import SystemClock
from bartizan.core.errors import UpstreamFailed
from bartizan.core.measures import proportion
from bartizan.core.sections.limits import LimitRule, Limits
from bartizan.gateway.limits import prices
from bartizan.gateway.limits.files import Files
from bartizan.gateway.limits.limiter import Limiter
from bartizan.gateway.upstream import HttpUpstream
from bartizan.lab.biller import Biller
from bartizan.ledger.stores import accounts
from bartizan.ledger.stores.accounts import HELD, View
from bartizan.ledger.stores.base import NOTHING, Admitted, Amounts, Hold, Limit
from bartizan.ledger.stores.memory import MemoryStore
from bartizan.ledger.stores.opening import open_store
from bartizan.ledger.stores.postgres import PostgresStore
from bartizan.ledger.stores.redis import RedisStore
from bartizan.ledger.stores.sqlite import SqliteStore

SEED = 20261124
SCOPES = ("all", "organisation", "team", "user", "key")
DAY = 86_400_000
say = Console(stderr=True).print


# Schedules in simulated time


def schedule(seed):
    """Run one schedule; return (overspend, room that was left at the end and could not be used, holds left)."""
    draw = random.Random(seed)
    view, now = View(), 1_700_000_000_000
    limits = [Limit(scope, "budget", "money", draw.randint(1, 1000), 0) for scope in SCOPES]
    spent, held, over = [0] * len(SCOPES), {}, 0
    for number in range(draw.randint(6, 14)):
        act = draw.random()
        if act < 0.5:
            chosen = [index for index in range(len(SCOPES)) if draw.random() < 0.8]
            hold = Hold(f"{number}", tuple(limits[index] for index in chosen), Amounts(draw.randint(0, 400)))
            for row in [row for row in view.rows.values() if row.state == HELD and row.until_ms <= now]:
                accounts.expire(view, [row], now)
            fits = all(
                limits[index].cap - spent[index] - sum(h.amounts.money for h, _, on in held.values() if index in on)
                >= hold.amounts.money
                for index in chosen
            )
            admitted = isinstance(accounts.admit(view, hold, draw.choice((100, 1000, 9000)), now), Admitted)
            if admitted != fits:
                raise SystemExit(f"schedule {seed}: admitted {admitted} where room says {fits}")
            if admitted:
                held[hold.id] = (hold, hold.amounts.money, chosen)
        elif act < 0.8 and held:
            hold, most, chosen = held[draw.choice(list(held))]
            used = draw.randint(0, most)
            first = accounts.settle(view, hold, Amounts(used), now)
            if not first or accounts.settle(view, hold, Amounts(draw.randint(0, 400)), now):
                raise SystemExit(f"schedule {seed}: settled not exactly once")
            del held[hold.id]
            for index in chosen:
                spent[index] += used
        else:
            now += draw.choice((1, 50, 500, 5000))
        for limit in limits:
            found = view.accounts.get(limit.account)
            over = max(over, found.held + sum(found.spent.values()) - limit.cap if found else 0)
    now += 60_000
    accounts.expire(view, list(view.rows.values()), now)
    for _, most, chosen in held.values():
        for index in chosen:
            spent[index] += most
    left = min(limit.cap - paid for limit, paid in zip(limits, spent, strict=True))
    filled = isinstance(accounts.admit(view, Hold("fill", tuple(limits), Amounts(left)), 9, now), Admitted)
    holds = sum(a.held for a in view.accounts.values()) - (left * len(limits) if filled else 0)
    return over, 0 if filled else left, holds


def schedules(quick):
    """Run many schedules."""
    n = 20_000 if quick else 1_000_000
    began, over, unusable, holds = time.monotonic(), 0, 0, 0
    for seed in range(n):
        one = schedule(seed)
        over, unusable, holds = over + one[0], unusable + one[1], holds + one[2]
        if seed % 100_000 == 0:
            say(f"schedules: {seed} of {n}, {time.monotonic() - began:.0f} s")
    return {
        "schedules": n,
        "scopes": len(SCOPES),
        "overspent nano-dollars": over,
        "schedules overspent": str(proportion(0 if over == 0 else 1, n, seed=SEED)),
        "room left at the end that could not be used": unusable,
        "held 60 s after the end": holds,
        "seconds": round(time.monotonic() - began, 1),
    }


# Replicas: three processes, one store


def caps(number):
    """The limits of one race."""
    draw = random.Random(SEED * 7 + number)
    return tuple(
        Limit(f"r{number}/{scope}", "budget", "money", draw.randint(200, 1200), draw.choice((0, DAY)))
        for scope in SCOPES[:4]
    )


async def replica(where, name, start, n, calls):
    """Race in every schedule from `start`: reserve, spend what a provider would bill, settle. Facts go to the log."""
    store, log = _open(where), os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    draw, owed, number = random.Random(f"{name}{time.monotonic()}"), [], iter(range(start, n))

    async def call(race):
        hold = Hold(uuid.uuid4().hex, caps(race), Amounts(draw.randint(1, 300)))
        try:
            said = await store.admit(hold, 3_000)
        except UpstreamFailed:
            owed.append((hold, NOTHING))
            await asyncio.sleep(0.2)
            return
        if not isinstance(said, Admitted):
            return
        os.write(log, f"A {race} {hold.id} {hold.amounts.money}\n".encode())
        used = draw.randint(0, hold.amounts.money)
        await asyncio.sleep(draw.random() * 0.002)
        if draw.random() < 0.02:
            return  # forgotten: the lease will charge it
        os.write(log, f"S {race} {hold.id} {used}\n".encode())
        owed.append((hold, Amounts(used)))

    async def worker():
        for race in number:
            await asyncio.gather(*(call(race) for _ in range(calls)))
            await _pay(store, owed)
            if race % 50 == 0:
                os.write(log, f"P {race}\n".encode())

    await asyncio.gather(*(worker() for _ in range(24)))
    await _pay(store, owed)
    await store.close()


async def _pay(store, owed):
    """Settle what is owed, however long the store is away."""
    while owed:
        mine, owed[:] = list(owed), []
        for hold, used in mine:
            try:
                await store.settle(hold, used)
            except UpstreamFailed:
                owed.append((hold, used))
        if owed:
            await asyncio.sleep(0.3)


def _open(where):
    if where.startswith("redis"):
        return RedisStore(where)
    if where.startswith("postgres"):
        return PostgresStore(where)
    return SqliteStore(Path(where), SystemClock(), linger_s=0.005)


def _facts(folder):
    """Read what the replicas logged: per race what was admitted and what was really used."""
    admitted, used, progress = {}, {}, {}
    for path in folder.glob("replica-*.log"):
        for line in path.read_text().splitlines():
            word, *rest = line.split()
            if word == "P":
                progress[path.name] = max(progress.get(path.name, 0), int(rest[0]))
            elif len(rest) == 3:
                (admitted if word == "A" else used)[(int(rest[0]), rest[1])] = int(rest[2])
    return admitted, used, progress


def _start(where, folder, index, start, n, calls):
    command = [
        sys.executable,
        __file__,
        "--replica",
        where,
        str(folder / f"replica-{index}.log"),
        str(start),
        str(n),
        str(calls),
    ]
    return subprocess.Popen(command)


def race(kind, n, calls, kills, restarts):
    """Run the replicas against one kind of store, kill them and the server on the way; return what the books say."""
    draw, began = random.Random(SEED), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bartizan-race-") as temporary:
        folder = Path(temporary)
        server = Server(kind, folder)
        running = [_start(server.where, folder, index, 0, n, calls) for index in range(3)]
        killed = restarted = 0
        while not all(process.poll() == 0 for process in running):
            time.sleep(0.7 + draw.random())
            progress = _facts(folder)[2]
            for index, process in enumerate(running):
                name = f"replica-{index}.log"
                if process.poll() is None and killed < kills and draw.random() < 0.3 and progress.get(name):
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    killed += 1
                if process.poll() not in (None, 0):
                    if process.returncode != -signal.SIGKILL:
                        raise SystemExit(f"{name}: exit code {process.returncode}")
                    running[index] = _start(server.where, folder, index, max(progress.get(name, 0) - 50, 0), n, calls)
            if (
                restarted < restarts
                and draw.random() < 0.25
                and sum(progress.values()) > n * (restarted + 1) / (restarts + 1)
            ):
                server.restart()
                restarted += 1
                say(f"{kind}: server killed and started again ({restarted})")
        time.sleep(4)
        result = asyncio.run(_judge(server.where, folder, n))
        server.stop()
    return {
        **result,
        "replicas": 3,
        "replicas killed (kill -9)": killed,
        "server killed": restarted,
        "seconds": round(time.monotonic() - began, 1),
    }


async def _judge(where, folder, n):
    admitted, used, _ = _facts(folder)
    store = _open(where)
    await store.sweep()
    real = {}
    for key, most in admitted.items():
        real[key[0]] = real.get(key[0], 0) + used.get(key, most)
    over = lost = phantom = holds = unusable = capacity = 0
    for first in range(0, n, 50):
        races = range(first, min(first + 50, n))
        limits = [limit for number in races for limit in caps(number)]
        found = iter(await store.standings(limits))
        for number in races:
            standing = [next(found) for _ in range(4)]
            spent, billed = [one.spent for one in standing], real.get(number, 0)
            cap = min(limit.cap for limit in caps(number))
            over += max(billed - cap, 0)
            for limit, one in zip(caps(number), standing, strict=True):
                over += max(one.spent + one.held - limit.cap, 0)
            lost += max(billed - min(spent), 0)
            phantom += max(max(spent) - billed, 0)
            holds += sum(one.held for one in standing)
            left = cap - max(spent)
            said = await store.admit(Hold(uuid.uuid4().hex, caps(number), Amounts(left)), 60_000)
            unusable += 0 if isinstance(said, Admitted) else left
            capacity += cap
    await store.close()
    return {
        "schedules": n,
        "calls admitted": len(admitted),
        "overspent": over,
        "billed and not in the books": lost,
        "in the books and not billed (leases of the dead)": phantom,
        "share of all caps": round(phantom / capacity, 5),
        "held at the end": holds,
        "usable share of the caps": round(1 - (unusable + phantom) / capacity, 5),
    }


class Server:
    """A real server that can be killed and started again with its data."""

    def __init__(self, kind, folder):
        self.kind, self.folder, self.stop = kind, folder, lambda: None
        if kind == "redis":
            self._valkey(None)
        elif kind == "postgres":
            self.where = servers.postgres_server()
        else:
            self.where = str(folder / "limits.sqlite")

    def _valkey(self, port):
        options = {"appendonly": "yes", "appendfsync": "always"}
        self.valkey = servers.ValkeyServer(port=port, data_dir=self.folder / "valkey", config=options)
        self.valkey.start()
        self.where = self.valkey.connection_url
        self.stop = self.valkey.stop

    def restart(self):
        if self.kind == "redis":
            self.valkey._process.kill()
            self.valkey._process.wait()
            time.sleep(0.3)
            self._valkey(self.valkey.port)
        elif self.kind == "postgres":
            servers.restart_postgres()


# The race against peers


async def ours_at_once(calls, cap):
    """All calls at once on one cap, each taking a while at the provider."""
    store, limit = MemoryStore(SystemClock()), Limit("race", "budget", "money", cap * 100)

    async def call(number):
        hold = Hold(str(number), (limit,), Amounts(10))
        if not isinstance(await store.admit(hold, 60_000), Admitted):
            return 0
        await asyncio.sleep(0.01)
        await store.settle(hold, Amounts(10))
        return 10

    return sum(await asyncio.gather(*(call(number) for number in range(calls)))) / 100


LITELLM = """
import asyncio, json, os, sys, tempfile
os.chdir(tempfile.mkdtemp())
from litellm import BudgetManager
import importlib.metadata
from litellm.types.utils import ModelResponse, Usage
TOKENS = 166_667  # at its own price for this model: $0.1000002
manager = BudgetManager(project_name="bench")
manager.create_budget(total_budget=CAP, user="u")
spent = 0.0
async def call(n):
    global spent
    if manager.get_current_cost("u") >= manager.get_total_budget("u"):
        return
    await asyncio.sleep(0.01)
    spent += 0.1
    usage = Usage(prompt_tokens=0, completion_tokens=TOKENS, total_tokens=TOKENS)
    answer = ModelResponse(model="gpt-4o-mini", usage=usage)
    manager.update_cost(user="u", completion_obj=answer)
async def main():
    await asyncio.gather(*(call(n) for n in range(CALLS)))
    before = spent
    for n in range(20):
        await call(n)
asyncio.run(main())
recorded = round(manager.get_current_cost("u"), 6)
print(json.dumps({"spent": round(spent, 6), "recorded": recorded, "version": importlib.metadata.version("litellm")}))
"""


AEGIS = """
import asyncio, json, importlib.metadata
from aegis_core.pipeline.state import RunState
from aegis_pack_budgets import BudgetGuard, BudgetLedger, BudgetRecordNode
guard = BudgetGuard(BudgetLedger(default_cap=float(CAP)))
recorder = BudgetRecordNode(guard)
spent = 0.0
async def call(n):
    global spent
    state = RunState(run_id=str(n), route="r", messages=[], principal="u")
    if not (await guard.scan(state)).is_allow:
        return
    await asyncio.sleep(0.01)
    spent += 0.1
    state.usage.cost = 0.1
    await recorder.run(state)
async def main():
    await asyncio.gather(*(call(n) for n in range(CALLS)))
    for n in range(20):
        await call(n)
asyncio.run(main())
recorded = round(guard.standing("u")[0], 6)
version = importlib.metadata.version("aegis-gateway-pack-budgets")
print(json.dumps({"spent": round(spent, 6), "recorded": recorded, "version": version}))
"""
PEERS = {"litellm BudgetManager": LITELLM, "aegis-gateway budgets": AEGIS}


def peers(pythons):
    """1,000 calls of $0.10 at once on a cap of $5, as each tool's own documentation says to use it."""
    calls, cap = 1000, 5
    results = {"calls": calls, "cost of a call": 0.1, "cap": cap}
    ours = asyncio.run(ours_at_once(calls, cap))
    results["bartizan"] = {"spent": ours, "overspent": max(ours - cap, 0), "utilisation": min(ours / cap, 1.0)}
    for name, code in PEERS.items():
        python = pythons.get(name.split()[0].partition("-")[0], "")
        results[name] = raced(python, code.replace("CAP", str(cap)).replace("CALLS", str(calls)), cap)
    return results


def raced(python, code, cap):
    """What a peer in a Python of its own spent, or why it did not run."""
    if not python:
        return "not run: no --peer-python for it"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=300)
    try:
        said = json.loads(ran.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return f"failed: {ran.stderr.strip()[-300:]}"
    over = max(said["spent"] - cap, 0)
    return {**said, "overspent": round(over, 6), "utilisation": min(said["spent"] / cap, 1.0)}


# Streams that are cut


PATHS = {"/v1/chat/completions": "max_tokens", "/v1/messages": "max_tokens", "/v1/responses": "max_output_tokens"}
WORDS = 12


async def cut(host, port, path, cap, at):
    """Ask for a stream and cut the connection after `at` bytes of its body; return the body's event boundaries."""
    reader, writer = await asyncio.open_connection(host, port)
    document = {"model": "m", "messages": [{"role": "user", "content": "x"}], "input": "x", "stream": True, cap: WORDS}
    body = json.dumps(document).encode()
    writer.write(b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (path.encode(), len(body), body))
    got = Body()
    parser = httptools.HttpResponseParser(got)
    while not got.done and (at is None or len(got.data) < at):
        piece = await reader.read(1 if at is not None and at - len(got.data) < 64 else 512)
        if not piece:
            break
        parser.feed_data(piece)
    writer.transport.abort()
    return [place + 2 for place in range(len(got.data)) if got.data[place : place + 2] == b"\n\n"], len(got.data)


class Body:
    """What has come of a body."""

    def __init__(self):
        self.data, self.done = b"", False

    def on_body(self, data):
        self.data += data

    def on_message_complete(self):
        self.done = True


async def streams(n, on_abort):
    """Cut `n` streams; compare what was booked with what was billed, in all and stream by stream."""
    draw, results = random.Random(SEED), {}
    with tempfile.TemporaryDirectory(prefix="bartizan-cuts-") as temporary:
        folder = Path(temporary)
        model = prices.Model("m", 100_000, 1000, (prices.Tier("1", "10"),))
        prices.write(folder / "prices.json", prices.Book(datetime.datetime.now(datetime.UTC).date(), (model,)))
        settings = Limits(
            rules=(LimitRule("all", "$1000 per day"),),
            rules_file=str(folder / "limits.json"),
            prices_file=str(folder / "prices.json"),
            on_abort=on_abort,
        )
        for habit in ("end", "cut"):
            for path in PATHS:
                results[f"{path}, bills to the {habit}"] = await _cuts(settings, habit, path, n // 6 + 1, draw)
    return results


async def _cuts(settings, habit, path, n, draw):
    world, cap = World(), PATHS[path]
    clock, biller = SystemClock(), Biller(habit=habit)
    store = MemoryStore(clock)
    limiter = Limiter(settings, Files(settings, clock), store, clock)
    world.options, world.mode = {"limits": limiter, "wait_for_receipt": False}, "off"
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(biller.serving())
        world.upstream = HttpUpstream("biller", url)
        await stack.enter_async_context(limiter.running())
        base = await stack.enter_async_context(world.server())
        host, _, port = base.removeprefix("http://").partition(":")
        boundaries, size = await cut(host, int(port), path, cap, None)
        places = [0, *boundaries] + [draw.randint(0, size) for _ in range(n - len(boundaries) - 2)]
        todo = iter(places)

        async def client():
            for at in todo:
                await cut(host, int(port), path, cap, at)

        await asyncio.gather(*(client() for _ in range(16)))
        limit = limiter.rules.applied(()).limits[0]
        for _ in range(300):
            (found,) = await store.standings([limit])
            if found.held == 0 and len(biller.bills) == biller.seen:
                break
            await asyncio.sleep(0.05)
        await world.upstream.close()
    billed = sum(bill.input * 1000 + bill.output * 10_000 for bill in biller.bills)
    return {
        "streams": len(places) + 1,
        "event boundaries": len(boundaries),
        "billed": billed,
        "booked": found.spent,
        "difference": round(abs(found.spent - billed) / billed, 6),
        "held at the end": found.held,
        "whole answers billed": sum(bill.output == WORDS for bill in biller.bills),
    }


# What it costs


async def cost(store, n, at_once):
    """CPU microseconds of one reserve and settle over four scopes, of this process."""
    limits = tuple(Limit(f"money/budget/{DAY}/{scope}", "budget", "money", 2**50, DAY) for scope in SCOPES[:4])
    numbers, settling = iter(range(n)), []

    async def worker():
        for number in numbers:
            hold = Hold(f"{at_once}-{number}-{id(store)}", limits, Amounts(1000, 10, 10), ("key:a", "model:m"))
            await store.admit(hold, 60_000)
            settling.append(asyncio.ensure_future(store.settle(hold, Amounts(500, 5, 5))))

    began = time.process_time()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    await asyncio.gather(*settling)
    return round((time.process_time() - began) / n * 1e6, 1)


async def costs(quick):
    """Every store, one at a time and several at a time; the middle of three runs with the least and the most."""
    n, results = (300 if quick else 3000), {}
    with tempfile.TemporaryDirectory(prefix="bartizan-cost-") as folder:
        for name, where in (
            ("memory", "memory"),
            ("SQLite", f"{folder}/l.sqlite"),
            ("Redis (Valkey)", servers.valkey_server().connection_url),
            ("PostgreSQL", servers.postgres_server()),
        ):
            store = open_store(where, SystemClock())
            for at_once in (1, 8, 32):
                taken = sorted([await cost(store, n, at_once) for _ in range(3)])
                results[f"{name}, {at_once} at a time"] = {"us": taken[1], "least": taken[0], "most": taken[2]}
            await store.close()
    return results


def main():
    """Run the parts and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=["schedules", "replicas", "race", "streams", "cost"])
    parser.add_argument("--peer-python", nargs="*", default=[], metavar="NAME=PATH")
    parser.add_argument("--replica", nargs=5)
    args = parser.parse_args()
    if args.replica:
        where, name, start, n, calls = args.replica
        uvloop.run(replica(where, name, int(start), int(n), int(calls)))
        return
    path = Path(__file__).parent / "results/budget.json"
    found = json.loads(path.read_text()) if path.exists() and not args.quick else {}
    found |= {"version": __version__, "python": sys.version.split()[0], "seed": SEED}
    n = 300 if args.quick else 10_000
    parts = {
        "schedules": lambda: schedules(args.quick),
        "replicas": lambda: {
            "Redis (Valkey)": race("redis", n, 3, 10, 3),
            "PostgreSQL": race("postgres", n, 3, 10, 2),
            "SQLite": race("sqlite", n // 5, 3, 5, 0),
        },
        "race": lambda: peers(dict(one.split("=", 1) for one in args.peer_python)),
        "streams": lambda: {
            "drain": uvloop.run(streams(600 if args.quick else 10_000, "drain")),
            "cancel": uvloop.run(streams(300 if args.quick else 1_200, "cancel")),
        },
        "cost": lambda: {"CPU us per reserve and settle, 4 scopes": uvloop.run(costs(args.quick))},
    }
    for part in args.only:
        found[part] = parts[part]()
        say(part, found[part])
        if not args.quick:
            path.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
