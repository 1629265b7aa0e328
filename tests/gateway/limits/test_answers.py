"""What a caller who reached a limit is told; the official SDKs obey it."""

import asyncio

import anthropic
import openai
import pytest
from tests.gateway.limits.test_limiter import limited  # noqa: F401 - a fixture

from bartizan.gateway.limits.answers import denial, retry_headers
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.ledger.stores.base import Denied, Limit

ASK = [{"role": "user", "content": "hi"}]


def test_the_answer_names_the_kind_of_limit_and_nobody_else():
    """A caller does not learn whose account is short."""
    limit = Limit("money/budget/86400000/team:secret-team", "budget", "money", 5_000_000_000, 86_400_000)
    said, headers = denial(OpenAIChat(), Denied("budget", limit.account, limit, 0))
    assert b"secret-team" not in said.body
    assert b"(team: $5 per day)" in said.body
    assert headers == [(b"x-should-retry", b"false")]
    off, _ = denial(OpenAIChat(), Denied("off", "key:abc"))
    assert (off.status, b"abc" in off.body) == (403, False)


def test_what_never_fits_is_not_told_to_wait():
    """A request larger than the burst."""
    limit = Limit("output/rate/60000/key:a", "rate", "output", 60, 60_000)
    said, headers = denial(OpenAIChat(), Denied("rate", limit.account, limit, 0, None))
    assert b"request_too_large_for_limit" in said.body
    assert headers == [(b"x-should-retry", b"false")]


def test_seconds_are_rounded_up():
    """Coming back too early would be refused again."""
    assert retry_headers(1001) == [(b"retry-after", b"2"), (b"retry-after-ms", b"1001")]


def clients(client):
    base = str(client.base_url)
    return (
        openai.AsyncOpenAI(base_url=base.rstrip("/") + "/v1", api_key="k", max_retries=3),
        anthropic.AsyncAnthropic(base_url=base, api_key="k", max_retries=3),
    )


async def test_sdks_stop_at_an_empty_budget(limited):  # noqa: F811
    """One request each, not four: the typed exception carries the code."""
    gate = limited(("all", "$0.000001 per day"))
    async with gate.running() as client:
        ours, theirs = clients(client)
        with pytest.raises(openai.RateLimitError) as caught:
            await ours.chat.completions.create(model="m", messages=ASK)
        assert caught.value.code == "insufficient_quota"
        with pytest.raises(openai.RateLimitError):
            await ours.responses.create(model="m", input="hi")
        with pytest.raises(anthropic.RateLimitError, match="budget does not allow"):
            await theirs.messages.create(model="m", messages=ASK, max_tokens=5)
        await asyncio.gather(ours.close(), theirs.close())
    assert len(gate.world.records) == 3


async def test_sdks_wait_at_a_rate_and_then_succeed(limited):  # noqa: F811
    """Retry-After is obeyed: the second call comes through after one refusal, without an exception."""
    gate = limited(("all", "2 requests per second, burst 1"))
    async with gate.running() as client:
        ours, theirs = clients(client)
        for _ in range(2):
            assert (await ours.chat.completions.create(model="m", messages=ASK, max_tokens=3)).usage.completion_tokens
        assert (await theirs.messages.create(model="m", messages=ASK, max_tokens=3)).usage.output_tokens
        await asyncio.gather(ours.close(), theirs.close())
    refused = [record for _, record in gate.world.records if record["status"] == 429]
    assert len(refused) == 2
