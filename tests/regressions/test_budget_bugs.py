"""Bugs in the budgets of other gateways, each as a test of ours, named after its report.

Overspend, phantom holds, lost spend and leaked keys. The numbers are issues and pull requests of the named project.
"""

# ruff: noqa: F811 - fixtures come in by import
import asyncio
import contextlib
import json
import logging
import uuid
from types import SimpleNamespace

import pytest
from tests.gateway.conftest import chat, world  # noqa: F401 - fixtures
from tests.gateway.limits.test_limiter import OUT, URL, limited  # noqa: F401 - fixtures

from bartizan.core.clock import StoppedClock, SystemClock
from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.core.messages import Usage
from bartizan.core.sections.limits import LimitRule
from bartizan.gateway.auth import BookKeys
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.limits.money import NANO, nano_dollars
from bartizan.gateway.limits.prices import Model, Price, Tier
from bartizan.gateway.limits.rules import parse
from bartizan.gateway.testing import StubUpstream
from bartizan.ledger.stores.base import Admitted, Amounts, Denied, Hold, Limit
from bartizan.ledger.stores.memory import MemoryStore
from bartizan.ledger.stores.sqlite import SqliteStore

CAP = 20_000_000
HEADERS = {"x-bartizan-session": "never-seen-before"}


async def settled(gate, scope="all"):
    """Wait until nothing is held."""
    for _ in range(200):
        if (await gate.standing(scope))[1] == 0 and not gate.limiter._tasks:
            break
        await asyncio.sleep(0.01)
    return await gate.standing(scope)


# Overspend


@pytest.mark.parametrize(
    "scope",
    ["session:*", "user:*", "key:*", "all"],
    ids=["litellm_34732_session", "litellm_40095_unknown_user", "litellm_26672_key", "litellm_23714_all"],
)
async def test_concurrent_first_requests_check_before_anybody_has_spent(limited, tmp_path, scope):
    """Check, then increment: all of a burst saw an empty account. Ours is one step, also for an account never seen."""
    gate = limited((scope, f"${CAP / NANO} per day"))
    book = KeyBook(tmp_path / "keys.json", SystemClock())
    key, text = book.create("k", days=1, owners={"user": "nobody-knows-me"})
    gate.world.auth = BookKeys(book)
    headers = {**HEADERS, "authorization": f"Bearer {text}"}
    async with gate.running() as client:
        asked = [client.post(URL, content=chat(max_tokens=500), headers=headers) for _ in range(30)]
        found = await asyncio.gather(*asked)
        name = {"session:*": f"session:{key.id}/never-seen-before", "user:*": "user:nobody-knows-me"}.get(scope, "all")
        spent, held = await settled(gate, f"key:{key.id}" if scope == "key:*" else name)
    assert {answer.status_code for answer in found} == {200, 429}
    assert (spent, held) == (gate.billed(), 0)
    assert gate.billed() <= CAP


async def test_litellm_35524_a_model_without_a_price_is_not_free(limited):
    """No estimate meant no reservation. Ours is refused."""
    gate = limited(("all", "$1 per day"))
    async with gate.running() as client:
        answer = await client.post(URL, json={"model": "brand-new", "messages": []})
    assert (answer.status_code, gate.biller.seen) == (403, 0)


async def test_litellm_33923_a_reservation_that_fails_is_a_refusal(limited):
    """Also when the store raises something while it admits."""
    gate = limited(("all", "$1 per day"))

    async def broken(*_):
        raise UpstreamFailed("connection reset")

    async with gate.running() as client:
        gate.store.admit = broken
        assert (await client.post(URL, content=chat())).status_code == 503
    assert gate.biller.seen == 0


async def test_litellm_16011_parallel_limits_are_never_exceeded(limited):
    """Thirty at once on three slots: the server never sees more than three."""
    gate = limited(("key:*", "3 at once"))
    now, most = 0, 0

    async def send(method, target, headers, body, model=""):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        raise UpstreamFailed("busy")

    gate.world.upstream = SimpleNamespace(name="u", send=send)
    async with gate.running() as client:
        await asyncio.gather(*(client.post(URL, content=chat()) for _ in range(30)))
    assert most == 3


def test_litellm_pr40002_long_inputs_and_priority_are_reserved_at_their_price():
    """Above 272k tokens and on the priority tier the price is another; the dearest reachable is reserved."""
    tiers = (Tier("2", "8"), Tier("4", "12", from_input_tokens=272_000), Tier("4", "16", service="priority"))
    price = Price(Model("m", 1_000_000, 100_000, tiers))
    for usage in (Usage(300_000, 1000), Usage(1000, 1000, tier="priority"), Usage(300_000, 9, tier="unheard-of")):
        assert price.most(usage.input_tokens, usage.output_tokens) >= price.charged(usage)
    assert price.charged(Usage(300_000, 0, tier="default")) == 1_200_000_000


async def test_bifrost_3547_three_replicas_have_one_budget(tmp_path):
    """A budget in each process was three budgets. One store, three handles on it."""
    cap = Limit("money", "budget", "money", 1000)
    stores = [SqliteStore(tmp_path / "limits.sqlite", SystemClock()) for _ in range(3)]
    found = [await store.admit(Hold(uuid.uuid4().hex, (cap,), Amounts(100)), 9000) for store in stores * 10]
    assert sum(isinstance(said, Admitted) for said in found) == 10
    await asyncio.gather(*(store.close() for store in stores))


async def test_bifrost_5770_a_budget_does_not_fire_early(limited):
    """Nearly all of it can be used, one request after another."""
    gate = limited(("all", "$0.02 per day"))
    async with gate.running() as client:
        while (await client.post(URL, content=chat(max_tokens=300))).status_code == 200:
            pass
    assert 0.985 * CAP <= gate.billed() <= CAP


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e3", "0.1234567891", "1,5", "99999999"])
def test_litellm_rs_711_money_is_no_float(text):
    """NaN is smaller than nothing, so no check against it ever failed."""
    with pytest.raises(BadSettings):
        nano_dollars(text)
    with pytest.raises(BadSettings):
        parse(LimitRule("all", f"${text} per day"))
    assert sum(nano_dollars("0.1") for _ in range(10)) == NANO


# Phantom holds


async def test_litellm_27639_a_crash_does_not_hold_for_ever_and_is_not_free():
    """The dead holder's lease ends: charged, no longer held; a late settling corrects it."""
    clock, cap = StoppedClock(), Limit("money", "budget", "money", 1000)
    store, hold = MemoryStore(clock), Hold("h", (cap,), Amounts(900))
    await store.admit(hold, 60_000)
    clock.advance(61)
    await store.sweep()
    (found,) = await store.standings([cap])
    assert (found.held, found.spent) == (0, 900)
    await store.settle(hold, Amounts(100))
    assert isinstance(await store.admit(Hold("i", (cap,), Amounts(900)), 60_000), Admitted)


async def test_litellm_40050_what_is_enforced_is_what_was_billed_on_messages(limited):
    """$111 were enforced where $55 were real: cached input was counted twice."""
    gate = limited(("all", "$1 per day"))
    usage = {"input_tokens": 100, "cache_read_input_tokens": 900, "output_tokens": 10}
    gate.world.upstream = StubUpstream((json.dumps({"type": "message", "content": [], "usage": usage}).encode(),))
    async with gate.limiter.running(), gate.world.client() as client:
        await client.post("/v1/messages", content=chat(max_tokens=100))
        await asyncio.sleep(0.01)
        assert await gate.standing() == (1000 * 1000 + 10 * OUT, 0)


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
async def test_litellm_27735_22726_a_provider_error_leaves_nothing_held_or_spent(limited, status):
    """Errors are not billed."""
    gate = limited(("all", "$1 per day"))
    gate.world.upstream = StubUpstream((b'{"error":{"message":"no"}}',), status=status)
    async with gate.limiter.running(), gate.world.client() as client:
        for stream in (False, True):
            await client.post(URL, content=chat(stream=stream))
        await asyncio.sleep(0.01)
        assert await gate.standing() == (0, 0)


async def test_litellm_20256_27955_28160_a_slot_comes_back_however_its_request_ends(limited):
    """Refused by a screen, failed, cancelled, left in the middle of a stream: counters leaked, and stayed leaked."""
    gate = limited(("key:*", "1 at once"))
    gate.biller.pace_s = 0.005
    async with gate.running() as client:
        await client.post(URL, content=chat("forbidden"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                async with client.stream("POST", URL, content=chat(stream=True, max_tokens=900)) as answer:
                    async for _ in answer.aiter_raw():
                        pass
        assert (await settled(gate, "key:anonymous"))[1] == 0
        assert (await client.post(URL, content=chat(max_tokens=3))).status_code == 200


async def test_litellm_39309_a_refused_request_takes_nothing_from_other_limits():
    """A budget that said no had already burnt a request of the rate."""
    store = MemoryStore(StoppedClock())
    rate, broke = Limit("r", "rate", "requests", 2, 60_000), Limit("m", "budget", "money", 0)
    for number in range(5):
        assert isinstance(await store.admit(Hold(f"x{number}", (rate, broke), Amounts(1)), 9000), Denied)
    for number in range(2):
        assert isinstance(await store.admit(Hold(f"y{number}", (rate,), Amounts(1)), 9000), Admitted)


# Lost spend


@pytest.mark.parametrize("path", [URL, "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("after", [0, 1, 400])
async def test_litellm_14457_13245_35958_36008_leaving_a_stream_does_not_leave_its_bill(limited, path, after):
    """Disconnects at the head, the first byte, the middle; providers that bill to the end. PRs 26719, 30630, 33736,
    37558 and 39893 each fixed a part of this."""
    gate = limited(("all", "$1 per day"))
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "input": "x", "stream": True}
    body["max_output_tokens" if path == "/v1/responses" else "max_tokens"] = 800
    async with gate.running() as client:
        async with client.stream("POST", path, json=body) as answer:
            read = 0
            if after:
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read >= after:
                        break
        for _ in range(200):
            if gate.biller.bills and await gate.standing() == (gate.billed(), 0):
                break
            await asyncio.sleep(0.01)
        assert await gate.standing() == (gate.billed(), 0)
    assert gate.billed() >= 800 * OUT


async def test_litellm_30630_cancelling_a_request_cancels_no_bill(limited):
    """CancelledError is no Exception: whoever caught Exception lost the spend. The upstream may have read it."""
    gate = limited(("all", "$1 per day"))

    async def send(method, target, headers, body, model=""):
        await asyncio.sleep(60)

    gate.world.upstream = SimpleNamespace(name="u", send=send)
    async with gate.limiter.running(), gate.world.client() as client:
        asking = asyncio.create_task(client.post(URL, content=chat(max_tokens=100)))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.wait((asking,))
        spent, held = await settled(gate)
    assert (spent >= 100 * OUT, held) == (True, 0)


# Keys that leaked


async def test_litellm_18731_30670_31620_11264_39293_no_key_is_said_or_written(limited, tmp_path, caplog):
    """Expired, out of budget, over a rate, wrong: the key's text is nowhere (PR 30736: nor in the access log)."""
    caplog.set_level(logging.DEBUG)
    gate = limited(("key:*", "$0.000000001 per day"), ("all", "3 requests per minute"))
    clock = StoppedClock(SystemClock().wall_ns())
    book = KeyBook(tmp_path / "keys.json", clock)
    texts = [book.create("k", days=days)[1] for days in (1, 0.0001)]
    clock.advance(60)
    gate.world.auth = BookKeys(book)
    said = ""
    async with gate.running() as client:
        for text in (*texts, texts[0][:-1] + "x", texts[0]):
            for headers in ({"authorization": f"Bearer {text}"}, {"x-api-key": text}):
                answer = await client.post(URL, content=chat(), headers=headers)
                assert answer.status_code in (401, 429)
                said += answer.text + str(answer.headers)
    said += json.dumps(gate.world.records) + caplog.text + (tmp_path / "keys.json").read_text()
    for text in texts:
        assert text.partition(".")[2] not in said


async def test_litellm_39964_the_providers_key_is_in_no_answer(limited):
    """A provider that repeats our key to it in an error."""
    secret = "provider-key-0123456789"
    gate = limited(("all", "$1 per day"))
    gate.world.upstream = StubUpstream(fails=f"Incorrect API key provided: {secret}")
    async with gate.limiter.running(), gate.world.client() as client:
        answer = await client.post(URL, content=chat())
    assert secret not in answer.text + json.dumps(gate.world.records)
