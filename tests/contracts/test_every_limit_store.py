"""What every store of limits must do, whatever it keeps them in."""

import asyncio
import random
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.doubles.servers import postgres_server, valkey_server

from bartizan.core.clock import StoppedClock
from bartizan.ledger.stores.base import NOTHING, Admitted, Amounts, Denied, Hold, Limit
from bartizan.ledger.stores.memory import MemoryStore
from bartizan.ledger.stores.postgres import PostgresStore
from bartizan.ledger.stores.redis import RedisStore
from bartizan.ledger.stores.sqlite import SqliteStore

TOTAL = Limit("money/key:a", "budget", "money", 1000)
MINUTE = Limit("money60/key:a", "budget", "money", 1000, 60_000)
RATE = Limit("requests/key:a", "rate", "requests", 6, 60_000, 2)
SLOTS = Limit("slots/key:a", "slots", "slots", 2)
LEASE = 30_000


def memory(tmp_path, clock):
    return MemoryStore(clock)


def sqlite(tmp_path, clock):
    return SqliteStore(tmp_path / "limits.sqlite", clock)


def redis(tmp_path, clock):
    return RedisStore(valkey_server().connection_url, clock, prefix=f"{{{uuid.uuid4().hex}}}")


def postgres(tmp_path, clock):
    return PostgresStore(postgres_server(), clock, space=f"t{uuid.uuid4().hex}")


STORES = [memory, sqlite, redis, postgres]


@pytest.fixture(params=STORES, ids=lambda make: make.__name__)
def make(request):
    """A function that makes one kind of store."""
    return request.param


@pytest.fixture
def clock():
    """Time stands still until told."""
    return StoppedClock()


@pytest.fixture
async def store(make, tmp_path, clock):
    """One store, closed at the end."""
    opened = make(tmp_path, clock)
    yield opened
    await opened.close()


def hold(number, *limits, money=100):
    return Hold(f"h{number}", limits, Amounts(money, 10, 10, 1), ("key:a",))


async def standing(store, limit):
    (found,) = await store.standings([limit])
    return found.spent, found.held


async def test_a_budget_is_held_and_then_charged_what_was_used(store):
    """Held before, spent after."""
    asked = hold(1, TOTAL, money=600)
    said = await store.admit(asked, LEASE)
    assert isinstance(said, Admitted)
    assert said.left[0].left == 400
    assert await standing(store, TOTAL) == (0, 600)
    assert await store.settle(asked, Amounts(250, 1, 1, 1))
    assert await standing(store, TOTAL) == (250, 0)


async def test_what_does_not_fit_is_denied_and_takes_nothing_from_any_limit(store):
    """Also nothing from the limits that would have allowed it."""
    await store.admit(hold(1, TOTAL, money=950), LEASE)
    said = await store.admit(hold(2, SLOTS, RATE, TOTAL), LEASE)
    assert isinstance(said, Denied)
    assert (said.kind, said.left, said.retry_ms) == ("budget", 50, None)
    assert await standing(store, SLOTS) == (0, 0)
    for number in (3, 4):
        assert isinstance(await store.admit(hold(number, RATE), LEASE), Admitted)


async def test_settling_twice_changes_nothing(store):
    """The second time says so."""
    asked = hold(1, TOTAL, RATE)
    await store.admit(asked, LEASE)
    assert await store.settle(asked, Amounts(70, 1, 1, 1))
    assert not await store.settle(asked, Amounts(70, 1, 1, 1))
    assert not await store.settle(asked, NOTHING)
    assert await standing(store, TOTAL) == (70, 0)


async def test_a_hold_that_the_store_has_lost_is_charged_all_the_same(store):
    """As after a failover that lost the last moment."""
    assert await store.settle(hold(1, TOTAL), Amounts(70, 1, 1, 1))
    assert await standing(store, TOTAL) == (70, 0)
    assert not await store.settle(hold(1, TOTAL), Amounts(70, 1, 1, 1))


async def test_a_dead_holder_is_charged_what_it_held(store, clock):
    """Not released for free, not held for ever; a late settling corrects it."""
    asked = hold(1, TOTAL, SLOTS)
    await store.admit(asked, LEASE)
    clock.advance(29)
    assert await store.sweep() == 0
    clock.advance(2)
    assert await store.sweep() == 1
    assert await standing(store, TOTAL) == (100, 0)
    assert await standing(store, SLOTS) == (0, 0)
    assert await store.settle(asked, Amounts(30, 1, 1, 1))
    assert await standing(store, TOTAL) == (30, 0)


async def test_an_admission_sweeps_first(store, clock):
    """Slots of the dead are free without anybody sweeping."""
    for number in (1, 2):
        await store.admit(hold(number, SLOTS), LEASE)
    denied = await store.admit(hold(3, SLOTS), LEASE)
    assert (denied.kind, denied.retry_ms) == ("slots", 1000)
    clock.advance(31)
    assert isinstance(await store.admit(hold(4, SLOTS), LEASE), Admitted)


async def test_a_renewed_lease_lives_on(store, clock):
    """And the store says which are gone."""
    await store.admit(hold(1, TOTAL), LEASE)
    clock.advance(20)
    assert await store.renew(["h1", "unknown"], LEASE) == ["unknown"]
    clock.advance(20)
    assert await store.sweep() == 0
    assert await standing(store, TOTAL) == (0, 100)


async def test_a_rate_is_exact(store, clock):
    """Two at once, then one every ten seconds; the wait it tells is the wait it takes."""
    for number in (1, 2):
        assert isinstance(await store.admit(hold(number, RATE), LEASE), Admitted)
    denied = await store.admit(hold(3, RATE), LEASE)
    assert (denied.kind, denied.retry_ms) == ("rate", 10_000)
    clock.advance(9.999)
    assert isinstance(await store.admit(hold(4, RATE), LEASE), Denied)
    clock.advance(0.001)
    assert isinstance(await store.admit(hold(5, RATE), LEASE), Admitted)


async def test_a_token_rate_gives_back_what_was_not_used(store):
    """Reserved 60, used 10."""
    tokens = Limit("out/key:a", "rate", "output", 60, 60_000)
    asked = Hold("a", (tokens,), Amounts(0, 0, 60, 1))
    assert isinstance(await store.admit(asked, LEASE), Admitted)
    assert isinstance(await store.admit(Hold("b", (tokens,), Amounts(0, 0, 1, 1)), LEASE), Denied)
    await store.settle(asked, Amounts(0, 0, 10, 1))
    assert isinstance(await store.admit(Hold("c", (tokens,), Amounts(0, 0, 50, 1)), LEASE), Admitted)


async def test_a_wish_larger_than_the_burst_never_fits(store):
    """Waiting would not help, so no wait is told."""
    tokens = Limit("out/key:a", "rate", "output", 60, 60_000)
    denied = await store.admit(Hold("a", (tokens,), Amounts(0, 0, 61, 1)), LEASE)
    assert denied.retry_ms is None


async def test_spending_leaves_a_sliding_window_only_when_all_of_it_is_old(store, clock):
    """A full window later, give or take one part of sixty, late rather than early."""
    asked = hold(1, MINUTE, money=1000)
    await store.admit(asked, LEASE)
    await store.settle(asked, asked.amounts)
    clock.advance(60)
    assert isinstance(await store.admit(hold(2, MINUTE), LEASE), Denied)
    clock.advance(1)
    assert isinstance(await store.admit(hold(3, MINUTE), LEASE), Admitted)


async def test_a_switch_stops_a_scope_and_everybody(store):
    """At once, and until it is let go."""
    for scope in ("key:a", "all"):
        await store.switch(scope, "stolen")
        assert await store.switches() == {scope: "stolen"}
        denied = await store.admit(hold(1, TOTAL), LEASE)
        assert (denied.kind, denied.what) == ("off", scope)
        await store.switch(scope, "")
    assert isinstance(await store.admit(hold(1, TOTAL), LEASE), Admitted)
    assert await store.accounts() == [TOTAL.account]


async def test_a_thousand_at_once_cannot_spend_more_than_the_cap(store):
    """The race that other gateways lose twenty times over."""
    cap = Limit("race", "budget", "money", 500)

    async def call(number):
        asked = Hold(f"r{number}", (cap,), Amounts(10))
        if isinstance(await store.admit(asked, LEASE), Denied):
            return 0
        await asyncio.sleep(0)
        await store.settle(asked, Amounts(10))
        return 10

    assert sum(await asyncio.gather(*(call(number) for number in range(1000)))) == 500
    assert await standing(store, cap) == (500, 0)


@pytest.mark.parametrize("make", [memory, sqlite])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), cap=st.integers(1, 5000))
def test_schedules_of_every_kind_keep_the_invariant(make, tmp_path, seed, cap):
    """Admissions, settlings (twice, late, never), renewals, sweeps and time, in any order."""

    async def run():
        clock = StoppedClock()
        opened = make(tmp_path / uuid.uuid4().hex, clock)
        try:
            await schedule(opened, clock, random.Random(seed), cap, steps=60)
        finally:
            await opened.close()

    asyncio.run(run())


@pytest.mark.parametrize("make", [redis, postgres])
async def test_servers_answer_exactly_what_memory_answers(make, tmp_path):
    """The same schedules against both, step by step: every answer and every standing is equal."""
    clock = StoppedClock()
    opened = make(tmp_path, clock)
    try:
        for seed in range(6):
            await schedule(Twice(MemoryStore(clock), opened), clock, random.Random(seed), 40 + seed * 700, steps=50)
    finally:
        await opened.close()


class Twice:
    """Two stores that must give the same answers."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def __getattr__(self, name):
        async def both(*given):
            answer = await getattr(self.first, name)(*given)
            assert await getattr(self.second, name)(*given) == answer
            return answer

        return both


async def schedule(store, clock, rng, cap, steps):
    """Run one schedule and check, after each step, against books that are kept apart."""
    name = f"s{rng.random()}"
    limits = (
        Limit(name + "t", "budget", "money", cap),
        Limit(name + "w", "budget", "money", cap, 10_000),
        Limit(name + "r", "rate", "money", cap * 3, 7_000, cap),
        Limit(name + "s", "slots", "slots", 4),
    )
    budgets = limits[:2]
    held, spent = {}, []
    for number in range(steps):
        act = rng.choice(("admit", "admit", "settle", "settle", "again", "wait", "renew"))
        if act == "admit":
            asked = Hold(f"{name}-{number}", limits, Amounts(rng.randint(0, cap // 2)))
            if isinstance(await store.admit(asked, 5_000), Admitted):
                held[asked.id] = asked
        elif act in ("settle", "again") and held:
            asked = held[rng.choice(list(held))]
            used = rng.randint(0, asked.amounts.money)
            if await store.settle(asked, Amounts(used)):
                spent.append((clock.ns, used))
        elif act == "wait":
            clock.advance(rng.choice((0.1, 1, 6, 11)))
        elif act == "renew" and held:
            await store.renew(list(held), 5_000)
        for found in await store.standings(list(budgets)):
            assert found.held >= 0
            assert 0 <= found.spent + found.held <= cap
        recent = sum(used for at, used in spent if clock.ns - at <= 10_000_000_000)
        assert recent <= cap
    clock.advance(60)
    await store.sweep()
    assert all(found.held == 0 for found in await store.standings(list(limits)))
