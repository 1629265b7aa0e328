"""A key that is not used as usual is slowed down and stopped; a canary opens nothing."""

import asyncio

import pytest
from tests.gateway.conftest import chat

from bartizan.core.clock import StoppedClock, SystemClock
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.auth import BookKeys, Caller
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.limits.answers import NO_RETRY
from bartizan.gateway.watch import Unwatched, Watch, client_name
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.ledger.stores.memory import MemoryStore

WIRE = OpenAIChat()
CALLER = Caller("abc")


def parts(mode="enforce"):
    clock, told = StoppedClock(), []
    store, alerts = MemoryStore(clock), Alerts()
    alerts.record = lambda kind, body: told.append((kind, body))
    watch = Watch(store, alerts, clock, mode)
    return watch, clock, store, told


def ask(watch, *, network="10.0.0.5", agent=b"OpenAI/Python 1.2", text="hi", **more):
    body = chat(text, **more)
    return watch.turns(WIRE, WIRE.parse(body), len(body), CALLER, ([(b"user-agent", agent)], network))


def live(watch, clock, days=8):
    for _ in range(days):
        for _ in range(20):
            clock.advance(600)
            assert ask(watch) is None
        clock.advance(86_400 - 20 * 600)


async def test_a_thief_is_stopped_in_the_store_and_the_owner_is_told_why():
    """Every replica obeys the switch; the alert says the reasons and no secret."""
    watch, clock, store, told = parts()
    live(watch, clock)
    answers = []
    for _ in range(10):
        clock.advance(1)
        answers.append(ask(watch, network="203.0.113.9", agent=b"curl/8", text="x" * 5000, max_tokens=-1))
        if answers[-1] is not None and answers[-1].said.status == 403:
            break
    assert answers[-1].said.status == 403
    await asyncio.sleep(0.01)
    assert "new network" in (await store.switches())["key:abc"]
    assert [kind for kind, _ in told][-1] == "key-quarantine"


@pytest.mark.parametrize(("mode", "alerts"), [("alert", True), ("off", False)])
async def test_other_modes_stop_nothing(mode, alerts):
    """alert says so, off does not look."""
    watch, clock, store, told = parts(mode)
    live(watch, clock)
    for _ in range(30):
        clock.advance(1)
        assert ask(watch, network="203.0.113.9", agent=b"curl/8", max_tokens=-1) is None
    assert await store.switches() == {}
    assert bool(told) is alerts


async def test_a_suspicious_key_is_slowed_down_before_it_is_stopped():
    """Network and client are new: a fraction of the usual pace, and a time to come back."""
    watch, clock, _, told = parts()
    live(watch, clock)
    statuses = []
    for _ in range(10):
        clock.advance(0.5)
        turned = ask(watch, network="203.0.113.9", agent=b"curl/8")
        statuses.append(turned.said.status if turned else 200)
    assert 429 in statuses
    assert "key-step-down" in [kind for kind, _ in told]


async def test_the_money_of_a_suspicious_key_is_stepped_down():
    """What its requests cost is told to the watch; beyond the fraction the SDKs are told to stop."""
    watch, clock, _, _ = parts()
    watch.paid(CALLER, 5)  # a key that was never seen: nothing to note
    for _ in range(8):
        live(watch, clock, days=1)
        watch.paid(CALLER, 10**9)
    while ask(watch, network="203.0.113.9", agent=b"curl/8") is None:
        clock.advance(61)
        watch.paid(CALLER, 10**8)
    clock.advance(61)
    turned = ask(watch, network="203.0.113.9", agent=b"curl/8")
    assert turned.said.status == 429
    assert NO_RETRY in turned.headers


async def test_a_canary_opens_nothing_and_its_use_is_an_alert(world, tmp_path):
    """The thief reads what anybody with a wrong key reads."""
    book = KeyBook(tmp_path / "keys.json", SystemClock())
    key, text = book.lay_out("in the wiki", days=9)
    told, alerts = [], Alerts()
    alerts.record = lambda kind, body: told.append((kind, body))
    world.auth = BookKeys(book)
    world.options = {"watch": Watch(MemoryStore(SystemClock()), alerts, SystemClock(), "off")}
    async with world.client() as client:
        url, headers = "/v1/chat/completions", {"authorization": f"Bearer {text}"}
        answer = await client.post(url, content=chat(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "canary" not in answer.text
    assert world.upstream.sent == []
    assert [(kind, body["key"]) for kind, body in told] == [("canary-used", key.id)]


def test_a_new_version_is_no_new_client():
    """Names without their numbers; whatever a header holds."""
    assert client_name("OpenAI/Python 1.2.3") == client_name("OpenAI/Python 2.0")
    assert client_name("curl/8.5.0") == client_name("curl/7.1") == "curl"
    assert client_name("") == ""
    assert Unwatched().turns(WIRE, WIRE.parse(chat()), 1, CALLER, ([], "")) is None
