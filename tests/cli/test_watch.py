"""`bartizan watch` against a running gateway: a control that was switched off is found, recorded and told."""

import asyncio
import json

from msgspec.structs import replace
from tests.threats.servers import weak_model
from tests.threats.test_stage import configured

from bartizan.cli.main import main
from bartizan.cli.watch import Watching
from bartizan.core import settings
from bartizan.core.clock import StoppedClock, SystemClock
from bartizan.gateway.limits.money import NANO
from bartizan.ledger.log import Ledger
from bartizan.ledger.stores.base import Amounts, Hold, Limit
from bartizan.ledger.stores.opening import open_store
from bartizan.threats.stage import gateway


def watched(folder, monkeypatch, capsys, **gateway_settings):
    """Run one round against a gateway with these settings; return exit code, what was printed, events, records."""
    monkeypatch.chdir(folder)
    plan = configured(folder)
    leak = gateway_settings.pop("leak", "block")
    behind = replace(plan, gateway=replace(plan.gateway, **gateway_settings), output=replace(plan.output, leak=leak))
    with weak_model() as (url, _), gateway(behind, url) as front:
        watch = replace(plan.watch, gateway_url=front, attacks=3, ocsf_file="events.jsonl", state_file="watch.json")
        (folder / "bartizan.toml").write_text(settings.written(replace(plan, watch=watch)))
        main(["watch", "--once", "--no-canaries"])
        capsys.readouterr()
        code = main(["watch", "--once"])
    ledger = Ledger.open(
        folder / "ledger", origin=plan.ledger.origin, clock=StoppedClock(), checkpoint_file=folder / "c.txt"
    )
    found = {one.body["control"]: one.body["stopped"] for one in ledger.latest("canary", 9)}
    told = ledger.latest("alert", 9)
    ledger.close()
    events = (folder / "events.jsonl").read_text().splitlines() if (folder / "events.jsonl").exists() else []
    return code, capsys.readouterr().out, [json.loads(line) for line in events], found, told


def test_a_gateway_that_enforces_raises_nothing(tmp_path, monkeypatch, capsys):
    """Exit code 0, no alert; the weak model gives everything away, and the controls on answers catch it."""
    code, printed, events, found, _ = watched(tmp_path, monkeypatch, capsys)
    assert code == 0, printed
    assert found["gateway.input_screen"] is True
    assert found["output.leak"] is True
    assert events == []


def test_a_control_switched_off_in_the_running_gateway_is_found_and_told(tmp_path, monkeypatch, capsys):
    """Exit code 1, one alert as an event, one record of it."""
    code, printed, events, found, told = watched(tmp_path, monkeypatch, capsys, leak="off")
    assert code == 1
    assert "canary output.leak: NOT STOPPED" in printed
    assert found["output.leak"] is False
    assert "output.leak" in events[0]["message"]
    assert told[0].body["delivered"] == ["ocsf"]


def test_rounds_are_due_by_the_clock_and_old_records_raise_nothing(tmp_path, monkeypatch):
    """A first start does not tell of last year; a restart goes on where it stopped."""
    monkeypatch.chdir(tmp_path)
    clock = StoppedClock()
    ledger = Ledger.open(tmp_path / "l", origin="t", clock=clock)
    ledger.append("verified", {"intact": False})
    watch = Watching(settings.parse(""), ledger, clock)
    assert watch.look() == []
    ledger.append("verified", {"intact": False})
    assert [one.name for one in Watching(settings.parse(""), ledger, clock).look()] == ["the ledger is not intact"]
    assert watch.due()
    assert [one.failed for one in watch.attack()] == [True]
    assert not watch.due()
    clock.advance(86400)
    assert watch.due()
    ledger.close()


def test_a_budget_near_its_cap_is_recorded_and_told_once(tmp_path, monkeypatch):
    """Also over a restart of the watch; a store in the gateway's own memory is left alone."""
    monkeypatch.chdir(tmp_path)
    plan = settings.parse('[[limits.rules]]\nscope = "key:*"\nallow = "$5 per day"\n')
    asyncio.run(held("money/budget/86400000/key:a", 4 * NANO))
    ledger = Ledger.open(tmp_path / "l", origin="t", clock=StoppedClock())
    told = Watching(plan, ledger, StoppedClock()).look()
    assert [one.name for one in told] == ["a budget nears its cap"]
    assert "80% of $5 per day" in told[0].message
    assert "key:a" in told[0].message
    assert Watching(plan, ledger, StoppedClock()).look() == []
    in_memory = replace(plan, limits=replace(plan.limits, store="memory"))
    assert Watching(in_memory, ledger, StoppedClock()).look() == []
    ledger.close()


async def held(account, money):
    store = open_store("bartizan-data/limits.sqlite", SystemClock())
    await store.admit(Hold("h", (Limit(account, "budget", "money", 5 * NANO, 86_400_000),), Amounts(money)), 60_000)
    await store.close()


def test_a_broken_memory_is_said(tmp_path, monkeypatch, capsys):
    """Not taken for a first start."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bartizan-data").mkdir()
    (tmp_path / "bartizan-data/watch.json").write_text("{")
    assert main(["watch", "--once", "--no-canaries"]) == 2
    assert "Remove it" in capsys.readouterr().err
