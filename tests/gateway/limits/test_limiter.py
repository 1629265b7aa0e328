"""The reservation in the path of a request: held before, settled after, whatever happens between."""

import asyncio
import contextlib
import datetime
import json
from types import SimpleNamespace

import httpx
import pytest
from tests.gateway.conftest import chat

from bartizan.core.clock import SystemClock
from bartizan.core.errors import UpstreamFailed
from bartizan.core.sections.limits import LimitRule, Limits
from bartizan.gateway.auth import BookKeys, Caller
from bartizan.gateway.grants import Grant
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.limits.files import Files, write_rules
from bartizan.gateway.limits.limiter import Limiter
from bartizan.gateway.limits.prices import Book, Model, Tier, write
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.upstream import HttpUpstream, NotConnected
from bartizan.gateway.watch import Unwatched
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.lab.biller import Biller
from bartizan.ledger.stores.memory import MemoryStore

URL = "/v1/chat/completions"
TODAY = datetime.datetime.now(datetime.UTC).date()
BOOK = Book(
    TODAY,
    (
        Model("m", 100_000, 1000, (Tier("1", "10"),)),
        Model("two-tier", 9000, 10, (Tier("1", "1"), Tier("9", "9", service="priority"))),
    ),
)
OUT = 10_000
"""Nano-dollars that an output token of `m` costs."""


class Limited:
    """A gateway with limits, its store, and a model server that bills."""

    def __init__(self, world, tmp_path, rules, **options):
        rules = tuple(LimitRule(scope, allow) for scope, allow in rules)
        self.settings = Limits(
            rules=rules, rules_file=str(tmp_path / "limits.json"), prices_file=str(tmp_path / "prices.json"), **options
        )
        write(tmp_path / "prices.json", BOOK)
        self.world, self.clock, self.biller = world, SystemClock(), Biller()
        self.store = MemoryStore(self.clock)
        self.limiter = Limiter(self.settings, Files(self.settings, self.clock), self.store, self.clock)
        world.options = {"limits": self.limiter}

    @contextlib.asynccontextmanager
    async def running(self):
        async with contextlib.AsyncExitStack() as stack:
            url = await stack.enter_async_context(self.biller.serving())
            if isinstance(self.world.upstream, StubUpstream) and not self.world.upstream.fails:
                self.world.upstream = HttpUpstream("biller", url)
            await stack.enter_async_context(self.limiter.running())
            base = await stack.enter_async_context(self.world.server())
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=base))
            yield client
            if isinstance(self.world.upstream, HttpUpstream):
                await self.world.upstream.close()

    async def standing(self, scope="all"):
        applied = self.limiter.rules.applied(() if scope == "all" else (scope,))
        (found,) = await self.store.standings([applied.limits[0]])
        return found.spent, found.held

    def billed(self):
        return sum(bill.input * 1000 + bill.output * OUT for bill in self.biller.bills)


@pytest.fixture
def limited(world, tmp_path):
    """A function that makes a limited gateway."""
    return lambda *rules, **options: Limited(world, tmp_path, rules, **options)


async def test_a_request_is_charged_what_the_provider_billed(limited):
    """Whole answers and streams; nothing stays held; the bill stands in the record."""
    gate = limited(("all", "$1 per day"))
    async with gate.running() as client:
        for stream in (False, True):
            assert (await client.post(URL, content=chat(stream=stream, max_tokens=50))).status_code == 200
        assert await gate.standing() == (gate.billed(), 0)
    assert gate.billed() > 100 * OUT
    assert sum(record["charged"] or 0 for _, record in gate.world.records) == gate.billed()


async def test_what_looks_for_stolen_keys_is_told_what_each_request_has_cost(limited):
    """Whole answers and streams, in nano-dollars."""
    gate, told, watch = limited(("all", "$1 per day")), [], Unwatched()
    watch.paid = lambda caller, money: told.append(money)
    gate.world.options["watch"] = watch
    async with gate.running() as client:
        for stream in (False, True):
            assert (await client.post(URL, content=chat(stream=stream, max_tokens=50))).status_code == 200
    assert len(told) == 2
    assert sum(told) == gate.billed()


async def test_an_answer_without_a_limit_of_its_own_gets_one(limited):
    """The model's largest, or what the budget still affords; the client is told when it is shorter."""
    gate = limited(("all", "$0.005 per day"))
    async with gate.running() as client:
        answer = await client.post(URL, content=chat())
        assert answer.status_code == 200
        assert 300 < int(answer.headers["x-bartizan-output-limit"]) < 500
        assert gate.biller.bills[0].output == int(answer.headers["x-bartizan-output-limit"])
        spent, _ = await gate.standing()
        assert spent <= 5_000_000


async def test_clients_are_told_to_stop_when_the_budget_is_gone(limited):
    """429, insufficient_quota, no retry, and nothing reached the provider."""
    gate = limited(("all", "$0.0002 per day"))
    async with gate.running() as client:
        answer = await client.post(URL, content=chat(max_tokens=500))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")
    assert answer.headers["x-should-retry"] == "false"
    assert gate.biller.seen == 0
    assert gate.world.records[0][1]["why"].startswith("budget: money/budget/86400000/all")


async def test_strict_operators_refuse_instead_of_shortening(limited):
    """when_short = refuse."""
    gate = limited(("all", "$0.005 per day"), when_short="refuse")
    async with gate.running() as client:
        assert (await client.post(URL, content=chat())).status_code == 429
        assert (await client.post(URL, content=chat(max_tokens=100))).status_code == 200


async def test_a_rate_says_when_to_come_back_and_what_is_left(limited):
    """Retry-After, x-ratelimit headers; the Messages dialect has its own."""
    gate = limited(("key:*", "2 requests per minute"), ("key:*", "100000 output tokens per minute"))
    async with gate.running() as client:
        first = await client.post(URL, content=chat(max_tokens=5))
        assert (first.headers["x-ratelimit-limit-requests"], first.headers["x-ratelimit-remaining-requests"]) == (
            "2",
            "1",
        )
        assert first.headers["x-ratelimit-limit-tokens"] == "100000"
        second = await client.post("/v1/messages", content=chat(max_tokens=5))
        assert second.headers["anthropic-ratelimit-requests-remaining"] == "0"
        third = await client.post(URL, content=chat(max_tokens=5))
        assert (third.status_code, third.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert 25 <= int(third.headers["retry-after"]) <= 30
        assert 25_000 <= int(third.headers["retry-after-ms"]) <= 30_000


async def test_slots_bound_what_runs_at_the_same_time(limited):
    """Two run, the third is told to come back in a second, and later it may."""
    gate = limited(("key:*", "2 at once"))
    gate.biller.pace_s = 0.02
    async with gate.running() as client:
        async with client.stream("POST", URL, content=chat(stream=True, max_tokens=200)) as one:
            reading = one.aiter_raw()
            await reading.__anext__()
            async with client.stream("POST", URL, content=chat(stream=True, max_tokens=200)) as two:
                other = two.aiter_raw()
                await other.__anext__()
                third = await client.post(URL, content=chat())
                assert (third.status_code, third.headers["retry-after"]) == (429, "1")
        for _ in range(100):
            if (await gate.standing("key:anonymous"))[1] == 0:
                break
            await asyncio.sleep(0.02)
        assert (await client.post(URL, content=chat(max_tokens=3))).status_code == 200


async def test_an_unknown_price_and_an_unbounded_request_are_refused(limited):
    """Never counted as nothing."""
    gate = limited(("all", "$1 per day"))
    async with gate.running() as client:
        unknown = await client.post(URL, json={"model": "x", "messages": []})
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (403, "unknown_price")
        pointing = await client.post("/v1/responses", json={"model": "m", "input": "x", "previous_response_id": "r"})
        assert (pointing.status_code, pointing.json()["error"]["code"]) == (400, "unbounded_cost")
    assert gate.biller.seen == 0


async def test_counting_tokens_costs_nothing(limited):
    """Providers do not bill it; it still counts as a request."""
    gate = limited(("all", "$0.000001 per day"), ("all", "10 requests per day"))
    async with gate.running() as client:
        await client.post("/v1/messages/count_tokens", content=chat())
        assert await gate.standing() == (0, 0)
        limits = gate.limiter.rules.applied(()).limits
        assert [found.spent for found in await gate.store.standings(list(limits))] == [0, 1]


@pytest.mark.parametrize(("fails", "charged"), [("refused", False), ("broke off", True)])
async def test_what_nobody_read_costs_nothing_and_what_somebody_may_have_read_costs_its_bound(limited, fails, charged):
    """A connection that was never made, and one that broke after the request was sent."""
    gate = limited(("all", "$1 per day"))

    async def send(method, target, headers, body, model=""):
        raise (NotConnected if fails == "refused" else UpstreamFailed)(fails)

    gate.world.upstream = SimpleNamespace(name="u", send=send)
    async with gate.running() as client:
        assert (await client.post(URL, content=chat(max_tokens=10))).status_code == 502
        spent, held = await gate.standing()
    assert (spent > 0, held) == (charged, 0)


async def test_an_error_of_the_provider_and_a_blocked_prompt_cost_nothing(limited):
    """Neither was billed."""
    gate = limited(("all", "$1 per day"))
    async with gate.running() as client:
        assert (await client.post(URL, content=chat("forbidden"))).status_code == 200
        gate.biller.count = lambda body: 1 // 0
        assert await gate.standing() == (0, 0)


async def test_an_answer_without_usage_is_charged_all_that_was_held(world, limited):
    """Nobody can prove that it was less."""
    world.upstream = StubUpstream((b'{"choices":[]}',))
    gate = limited(("all", "$1 per day"))
    async with gate.limiter.running(), world.client() as client:
        await client.post(URL, content=chat(max_tokens=100))
        await asyncio.sleep(0)
        spent, held = await gate.standing()
    assert (spent > 100 * OUT, held) == (True, 0)


@pytest.mark.parametrize("habit", ["cut", "end"])
@pytest.mark.parametrize(
    ("path", "cap"), [(URL, "max_tokens"), ("/v1/responses", "max_output_tokens"), ("/v1/messages", "max_tokens")]
)
async def test_a_stream_that_its_client_leaves_is_charged_what_is_billed(limited, habit, path, cap):
    """It is read to its end: then both habits bill the same, and we know how much."""
    gate = limited(("all", "$1 per day"))
    gate.biller.habit = habit
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "input": "x", cap: 900, "stream": True}
    async with gate.running() as client:
        async with client.stream("POST", path, json=body) as answer:
            await answer.aiter_raw().__anext__()
        for _ in range(200):
            if gate.biller.bills and await gate.standing() == (gate.billed(), 0):
                break
            await asyncio.sleep(0.02)
        assert await gate.standing() == (gate.billed(), 0)
    assert gate.biller.bills[0].output == 900
    kinds = [kind for kind, _ in gate.world.records]
    assert kinds == ["exchange", "stream-end", "settled"] or kinds == ["exchange", "stream-end"]
    assert gate.world.records[-1][1]["charged"] == gate.billed()


async def test_a_stream_that_is_closed_instead_is_charged_what_was_held(limited):
    """on_abort = cancel: never less than the bill."""
    gate = limited(("all", "$1 per day"), on_abort="cancel")
    gate.biller.habit = "cut"
    async with gate.running() as client:
        async with client.stream("POST", URL, content=chat(stream=True, max_tokens=900)) as answer:
            await answer.aiter_raw().__anext__()
        while not gate.biller.bills:
            await asyncio.sleep(0.01)
        spent, held = await gate.standing()
    assert spent >= gate.billed()
    assert (spent > 900 * OUT, held) == (True, 0)


async def test_a_stream_says_its_usage_to_us_and_not_to_a_client_that_did_not_ask(limited):
    """The extra event is asked for and taken out again; who asked for it gets it."""
    gate = limited(("all", "$1 per day"))
    async with gate.running() as client:
        quiet = await client.post(URL, content=chat(stream=True, max_tokens=3))
        asked = await client.post(URL, content=chat(stream=True, max_tokens=3, stream_options={"include_usage": True}))
        other = await client.post(URL, content=chat(stream=True, max_tokens=3, stream_options={"include_usage": False}))
        assert await gate.standing() == (gate.billed(), 0)
    assert '"usage"' not in quiet.text
    assert '"usage"' not in other.text
    assert '"usage"' in asked.text
    assert len(gate.biller.bills) == 3


async def test_all_owners_of_a_key_are_charged(limited, tmp_path):
    """Organisation, team, user, key, model, session and tool, in one step."""
    book = KeyBook(tmp_path / "keys.json", SystemClock())
    owners = {"organisation": "acme", "team": "ml", "user": "bob"}
    key, text = book.create("bob", days=1, owners=owners, grant=Grant(max_output_tokens=7))
    scopes = [
        *(f"{kind}:{name}" for kind, name in owners.items()),
        f"key:{key.id}",
        "model:m",
        f"session:{key.id}/run-1",
        "tool:search",
    ]
    gate = limited(*((scope, "$1 per day") for scope in scopes))
    gate.world.auth = BookKeys(book)
    tools = [{"type": "function", "function": {"name": "search"}}]
    headers = {"authorization": f"Bearer {text}", "x-bartizan-session": "run-1"}
    async with gate.running() as client:
        assert (await client.post(URL, content=chat(tools=tools), headers=headers)).status_code == 200
        for scope in scopes:
            assert await gate.standing(scope) == (gate.billed(), 0)
    assert gate.biller.bills[0].output == 7


async def test_a_switch_stops_a_running_gateway(limited):
    """Also for callers whom no rule limits, once the keeper has looked."""
    gate = limited(("model:other", "$1 per day"))
    async with gate.running() as client:
        for scope in ("key:anonymous", "model:m", "all"):
            assert (await client.post(URL, content=chat(max_tokens=3))).status_code == 200
            await gate.store.switch(scope, "stolen")
            await gate.limiter.refresh()
            answer = await client.post(URL, content=chat(max_tokens=3))
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "switched_off")
            assert answer.headers["x-should-retry"] == "false"
            await gate.store.switch(scope, "")
            await gate.limiter.refresh()


async def test_rules_change_while_it_runs(limited, tmp_path):
    """`budgets set` takes effect within a second."""
    gate = limited()
    async with gate.running() as client:
        assert (await client.post(URL, content=chat(max_tokens=3))).status_code == 200
        write_rules(tmp_path / "limits.json", [LimitRule("key:*", "$0.000000001 in all")])
        await asyncio.sleep(1.2)
        assert (await client.post(URL, content=chat(max_tokens=3))).status_code == 429


async def test_a_store_that_is_away_admits_nothing_and_loses_no_bill(limited):
    """503 with Retry-After; what is used meanwhile is written down later."""
    gate = limited(("all", "$1 per day"))
    admit, settle = gate.store.admit, gate.store.settle

    async def away(*_):
        raise UpstreamFailed("the store is away")

    async with gate.running() as client:
        gate.store.settle = away
        assert (await client.post(URL, content=chat(max_tokens=10))).status_code == 200
        gate.store.admit = away
        answer = await client.post(URL, content=chat(max_tokens=10))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "limits_unavailable")
        assert answer.headers["retry-after"] == "5"
        assert (await gate.standing())[0] == 0
        gate.store.admit, gate.store.settle = admit, settle
        await asyncio.sleep(1.2)
        assert await gate.standing() == (gate.billed(), 0)


async def test_a_hundred_at_once_never_spend_more_than_the_cap(limited):
    """Through the whole gateway, with a model that takes all it can get, and almost all of the cap is usable."""
    gate = limited(("all", "$0.05 per day"), ("key:*", "$0.04 in all"))
    async with gate.running() as client:
        statuses = [
            answer.status_code
            for answer in await asyncio.gather(*(client.post(URL, content=chat(max_tokens=200)) for _ in range(60)))
        ]
        while (await client.post(URL, content=chat(max_tokens=200))).status_code == 200:
            pass
        _, held = await gate.standing("key:anonymous")
    assert {200, 429} >= set(statuses)
    assert gate.billed() == (await gate.standing())[0]
    assert gate.billed() <= 40_000_000
    assert gate.billed() >= 0.99 * 40_000_000
    assert held == 0


async def test_priority_is_reserved_at_the_dearest_price(limited):
    """The provider may use any tier."""
    gate = limited(("all", "$1 per day"))
    gate.world.upstream = StubUpstream(
        (
            json.dumps(
                {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 10}, "service_tier": "priority"}
            ).encode(),
        )
    )
    async with gate.limiter.running(), gate.world.client() as client:
        await client.post(URL, json={"model": "two-tier", "messages": [], "max_tokens": 10})
        await asyncio.sleep(0)
        assert await gate.standing() == (20 * 9000, 0)


async def test_rates_go_on_in_part_while_the_store_is_away(limited):
    """Two replicas: each allows half, and says so."""
    gate = limited(("key:*", "4 requests per minute"), replicas=2)

    async def away(*_):
        raise UpstreamFailed("the store is away")

    async with gate.running() as client:
        gate.store.admit = away
        statuses = [(await client.post(URL, content=chat(max_tokens=3))).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_an_admission_whose_answer_was_lost_holds_nothing_for_long(limited):
    """It was admitted, the reply did not come: the keeper gives it back."""
    gate = limited(("all", "$1 per day"))
    admit = gate.store.admit

    async def lost(hold, lease_ms):
        await admit(hold, lease_ms)
        raise UpstreamFailed("no reply")

    async with gate.running() as client:
        gate.store.admit = lost
        assert (await client.post(URL, content=chat(max_tokens=10))).status_code == 503
        assert (await gate.standing())[1] > 0
        await asyncio.sleep(1.2)
        assert await gate.standing() == (0, 0)


async def test_a_limit_that_is_refused_after_the_admission_holds_nothing(limited):
    """One output limit of two is a number that another reader could take for a larger one: 400, and nothing held."""
    gate = limited(("all", "$1 per day"))
    async with gate.running() as client:
        refused = await client.post(URL, content=chat(max_tokens=10, max_completion_tokens=1e9))
        assert refused.status_code == 400
        await asyncio.sleep(1.2)
        assert await gate.standing() == (0, 0)


async def test_a_request_that_is_cancelled_while_it_is_admitted_holds_nothing(limited):
    """The hold stood before the cancellation came: the keeper gives it back."""
    gate = limited(("all", "$1 per day"))
    admit, admitted = gate.store.admit, asyncio.Event()

    async def slow(hold, lease_ms):
        await admit(hold, lease_ms)
        admitted.set()
        await asyncio.sleep(60)

    async with gate.running():
        gate.store.admit = slow
        wire, body = OpenAIChat(), chat(max_tokens=10)
        asking = asyncio.ensure_future(gate.limiter.reserve(wire, wire.parse(body), body, [], Caller("k")))
        await admitted.wait()
        asking.cancel()
        assert (await gate.standing())[1] > 0
        await asyncio.sleep(1.2)
        assert await gate.standing() == (0, 0)


async def test_an_agent_that_loops_is_stopped_and_told_not_to_try_again(limited):
    """429 agent_loop; nothing reaches the provider any more."""
    gate = limited(agent_repeats=3)
    messages = [{"role": "user", "content": "go"}]
    async with gate.running() as client:
        for number in range(6):
            answer = await client.post(URL, json={"model": "m", "messages": messages, "max_tokens": 3})
            call = {"id": f"c{number}", "type": "function", "function": {"name": "poll", "arguments": "{}"}}
            messages += [
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": f"c{number}", "content": "pending"},
            ]
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "agent_loop")
    assert answer.headers["x-should-retry"] == "false"
    assert gate.biller.seen == 4
