"""`bartizan watch`: sends canary attacks through the running gateway and tells people what the ledger says."""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.cli.spend import nearing, standings
from bartizan.core import settings as files
from bartizan.core.clock import Clock, SystemClock
from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.core.files import write_private
from bartizan.core.sections import Settings
from bartizan.lab.chat import HttpChat, RequestBudget
from bartizan.ledger.alerts import RECORD, STANDARD, Raised, Watcher
from bartizan.ledger.delivery import deliver, ways
from bartizan.ledger.log import Ledger
from bartizan.ledger.stores.opening import MEMORY
from bartizan.ledger.tables.opening import where
from bartizan.threats.canary import Canaried, canaries

_PIECE = 1000


class State(msgspec.Struct):
    """How far the records were looked at, when each alert was last told, when canaries were last sent."""

    seq: int = 0
    told_ns: dict[str, int] = {}
    round_ns: int = 0
    rounds: int = 0
    near: dict[str, float] = {}
    """The share of its cap that each budget had passed."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--once", action="store_true", help="one round of canaries and alerts, then end")
    parser.add_argument("--no-canaries", action="store_true", help="only alerts")


def _run(args: argparse.Namespace) -> int:
    settings, clock = configured(args), SystemClock()
    with _ledger(settings, clock) as ledger:
        watch = Watching(settings, ledger, clock)
        if args.once:
            bad = [] if args.no_canaries else watch.attack()
            watch.look()
            return FAILED if bad else OK
        print(f"bartizan: watching {where(settings.ledger)} (Ctrl-C stops it)", flush=True)
        while True:
            if not args.no_canaries and watch.due():
                watch.attack()
            watch.look()
            time.sleep(settings.watch.look_s)


class Watching:
    """The two jobs, with their memory in one file."""

    def __init__(self, settings: Settings, ledger: Ledger, clock: Clock) -> None:
        """Watch `ledger`. Records from before the first start raise no alerts. Raises BadSettings."""
        self._settings, self._ledger, self._clock = settings, ledger, clock
        plan = settings.watch
        self._path = Path(plan.state_file)
        self._state = self._read() or State(seq=ledger.size())
        self._watcher = Watcher(plan.alerts or STANDARD, plan.quiet_s, self._state.told_ns)
        self._ways = ways(plan)

    def due(self) -> bool:
        """Return whether it is time for another round of canaries."""
        return self._clock.wall_ns() - self._state.round_ns >= self._settings.watch.period_s * 1e9

    def attack(self) -> list[Canaried]:
        """Send one round of canaries, record what became of each, and return those that were not stopped."""
        plan = self._settings.watch
        self._state.round_ns, self._state.rounds = self._clock.wall_ns(), self._state.rounds + 1
        bad = []
        for one in self._round(plan.seed + self._state.rounds):
            body = {"control": one.control, "sent": one.sent, "stopped": one.stopped, "why": one.why}
            self._ledger.append("canary", {**body, "failed": one.failed, "period_s": plan.period_s})
            word = {True: "stopped", False: "NOT STOPPED", None: "open"}[one.stopped]
            print(f"canary {one.control}: {word}: {one.why}", flush=True)
            bad += [one] if one.stopped is False else []
        self._write()
        return bad

    def look(self) -> list[Raised]:
        """Look at budgets and at the records since the last time, tell people, record what was told, and return it."""
        self._budgets()
        raised: list[Raised] = []
        while entries := self._ledger.entries(self._state.seq, _PIECE):
            raised += self._watcher.see(entries)
            self._state.seq = entries[-1].record.seq + 1
        for one in raised:
            done, failed = deliver(one, self._ways)
            body = {"name": one.name, "message": one.message, "seqs": list(one.seqs), "severity": one.severity}
            self._ledger.append(RECORD, {**body, "delivered": done, "undelivered": failed})
            print(f"alert: {one.message}{f' (not delivered: {failed})' if failed else ''}", flush=True)
        self._write()
        return raised

    def _budgets(self) -> None:
        limits, shares = self._settings.limits, self._settings.watch.budget_shares
        if not shares or (limits.store == MEMORY and not limits.store_env):
            return  # what only the gateway's own memory counts cannot be seen from here
        try:
            rows = asyncio.run(standings(limits, ""))
        except UpstreamFailed as error:
            print(f"budgets are not watched: {error}", flush=True)
            return
        told, self._state.near = nearing(rows, shares, self._state.near)
        for body in told:
            self._ledger.append("budget-near", body)

    def _round(self, seed: int) -> Iterator[Canaried]:
        plan, edge = self._settings.watch, self._settings.gateway
        url = plan.gateway_url or f"http://{edge.host}:{edge.port}"
        key = files.secret(plan.key_env, "", "watch.key_env") if plan.key_env else ""
        budget = RequestBudget(plan.attacks + 10)
        with closing(HttpChat(url, plan.model, budget, api_key=key)) as asking:
            try:
                model = plan.model or asking.models()[0]
            except UpstreamFailed as error:
                yield Canaried("gateway", 0, False, str(error), True)
                return
        with closing(HttpChat(url, model, budget, api_key=key)) as chat:
            yield from canaries(chat, seed, plan.attacks, self._settings.detect)

    def _read(self) -> State | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise BadSettings(
                f"{self._path}: cannot be read: {error}", hint="Remove it: watching then begins at the newest record."
            ) from error

    def _write(self) -> None:
        self._state.told_ns = self._watcher.told_ns
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self._path, json.dumps(msgspec.to_builtins(self._state)).encode())


@contextmanager
def _ledger(settings: Settings, clock: Clock) -> Iterator[Ledger]:
    with closing(Ledger.configured(settings.ledger, clock)) as ledger:
        yield ledger
        ledger.checkpoint()


COMMAND = Command("watch", "Attack the live gateway a little, and tell people what happens.", _arguments, _run)
