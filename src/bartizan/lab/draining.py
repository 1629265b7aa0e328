"""Ways to run up somebody's bill through an API: what a holder of a key can send, bounded in number, on loopback.

Each attacker knows that there is a limit and does not stop at a refusal. What it costs is for the biller to say.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
Document = dict[str, Any]


@dataclass(frozen=True)
class Shot:
    """One request. `leave_after`: read this many bytes of the stream, then go away."""

    path: str
    document: Document
    leave_after: int | None = None


@dataclass(frozen=True)
class Drain:
    """A way to drain: its shots, and how many are under way at once."""

    name: str
    shots: Callable[[random.Random, int], Iterator[Shot]]
    at_once: int = 8


def _ask(text: str, **more: Any) -> Document:
    return {"messages": [{"role": "user", "content": text}], **more}


def _flood(rng: random.Random, n: int) -> Iterator[Shot]:
    for _ in range(3 * n):
        yield Shot(CHAT, _ask("hi", max_tokens=400))


def _long_outputs(rng: random.Random, n: int) -> Iterator[Shot]:
    for number in range(n):
        yield Shot((CHAT, RESPONSES)[number % 2], {**_ask("count to a million"), "input": "count to a million"})


def _choices(rng: random.Random, n: int) -> Iterator[Shot]:
    for _ in range(n):
        yield Shot(CHAT, _ask("hi", n=rng.choice((8, 16, 64)), max_tokens=500))


def _huge_context(rng: random.Random, n: int) -> Iterator[Shot]:
    for _ in range(n):
        yield Shot(CHAT, _ask("x " * 150_000, max_tokens=1))


def _tool_loop(rng: random.Random, n: int) -> Iterator[Shot]:
    """An agent that calls the same tool for ever, and sends all that came before each time."""
    messages: list[Document] = [{"role": "user", "content": "find it"}]
    tool = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
    for number in range(2 * n):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "search", "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": "nothing found " * 60},
        ]
        yield Shot(CHAT, {"messages": list(messages), "tools": [tool], "max_tokens": 600})


def _race(rng: random.Random, n: int) -> Iterator[Shot]:
    for _ in range(4 * n):
        yield Shot(CHAT, _ask("race", max_tokens=rng.randint(100, 900)))


def _aborts(rng: random.Random, n: int) -> Iterator[Shot]:
    for number in range(n):
        path = (CHAT, MESSAGES, RESPONSES)[number % 3]
        cap = {"max_output_tokens": 1500} if path == RESPONSES else {"max_tokens": 1500}
        yield Shot(
            path, {**_ask("tell me a story", stream=True, **cap), "input": "tell"}, rng.choice((0, 1, 300, 3000))
        )


def _priority(rng: random.Random, n: int) -> Iterator[Shot]:
    for _ in range(n):
        yield Shot(CHAT, _ask("quickly", service_tier="priority", max_tokens=900))


def _hidden_limits(rng: random.Random, n: int) -> Iterator[Shot]:
    """Output limits that two readers could take differently, or that say nothing."""
    odd: tuple[Any, ...] = (None, 99_999_999, 1e9, "900000", 0, -1)
    for number in range(n):
        yield Shot(CHAT, _ask("hi", max_tokens=odd[number % 6], max_completion_tokens=odd[(number + 1) % 6]))


DRAINS: tuple[Drain, ...] = (
    Drain("flood", _flood),
    Drain("long outputs", _long_outputs),
    Drain("many choices (n)", _choices),
    Drain("huge context", _huge_context, at_once=2),
    Drain("tool loop", _tool_loop, at_once=1),
    Drain("race on the budget", _race, at_once=1000),
    Drain("stream aborts", _aborts),
    Drain("dearest service tier", _priority),
    Drain("limits that say nothing", _hidden_limits),
)


async def drain(url: str, key: str, model: str, way: Drain, rng: random.Random, n: int) -> dict[int, int]:
    """Send all shots of `way` to `url` as the holder of `key`; return how often each status came back."""
    statuses: dict[int, int] = {}
    shots = way.shots(rng, n)
    headers = {"authorization": f"Bearer {key or 'none'}", "content-type": "application/json"}
    limits = httpx.Limits(max_connections=min(way.at_once, 200))
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=limits) as client:

        async def shooter() -> None:
            for shot in shots:
                status = await _shoot(client, shot, model)
                statuses[status] = statuses.get(status, 0) + 1

        await asyncio.gather(*(shooter() for _ in range(min(way.at_once, 4 * n))))
    return statuses


async def _shoot(client: httpx.AsyncClient, shot: Shot, model: str) -> int:
    body = json.dumps({"model": model, **shot.document}).encode()
    try:
        if shot.leave_after is None:
            return (await client.post(shot.path, content=body)).status_code
        async with client.stream("POST", shot.path, content=body) as answer:
            read = 0
            async for piece in answer.aiter_raw():
                read += len(piece)
                if read >= shot.leave_after:
                    break
            return answer.status_code
    except httpx.HTTPError:
        return 0
