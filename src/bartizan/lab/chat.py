"""Talks to a model the way a client does, and counts every request. Also the two bots no judge may get wrong.

A request that fails is a value (`Failed`), so that a run can say what it could not test. The request budget is shared
by everything in a run and is never exceeded, retries included.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from bartizan.core.errors import UpstreamFailed
from bartizan.core.messages import Message, Prompt, Reply, Role, Text, ToolCall, ToolResult


@dataclass(frozen=True, slots=True)
class Answered:
    """The target answered. `blocked` is true when a control in front of it refused on its behalf."""

    reply: Reply
    seconds: float
    blocked: bool = False
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer that could be judged."""

    why: str
    status: int = 0
    """The HTTP status; 0 when there was no answer at all, or one of status 200 that could not be read."""


Outcome = Answered | Failed


class Chat(Protocol):
    """One exchange with a target."""

    def ask(self, prompt: Prompt) -> Outcome:
        """Send `prompt` and return what came of it."""
        ...


class RequestBudget:
    """A hard cap on requests, shared between threads."""

    def __init__(self, limit: int, spent: int = 0) -> None:
        """Allow `limit` (≥ 1) requests in all, of which `spent` are gone already."""
        if limit < 1:
            raise ValueError(f"limit = {limit}: expected 1 or more requests")
        self.limit = limit
        self.spent = spent
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Spend one request; False when none is left."""
        with self._lock:
            if self.spent >= self.limit:
                return False
            self.spent += 1
            return True


class HttpChat:
    """A target behind an OpenAI-compatible `/v1/chat/completions`.

    Does not retry: a retry would be a request nobody counted. Temperature is 0 and the seed is sent along, so that a
    deterministic server answers the same twice.
    """

    def __init__(
        self, url: str, model: str, budget: RequestBudget, *, api_key: str = "", timeout_s: float = 120
    ) -> None:
        """Talk to `url` (with or without /v1) as `model`; `budget` counts every request."""
        self._base = url.rstrip("/").removesuffix("/v1")
        self._model = model
        self._budget = budget
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout_s, trust_env=False)

    def ask(self, prompt: Prompt) -> Outcome:
        """Send one request and return the answer, or why there is none."""
        if not self._budget.take():
            return Failed(f"the limit of {self._budget.limit} requests is spent")
        begun = time.perf_counter()
        try:
            response = self._client.post(f"{self._base}/v1/chat/completions", json=request_body(prompt, self._model))
        except httpx.HTTPError as error:
            return Failed(f"{type(error).__name__}: {error}")
        seconds = time.perf_counter() - begun
        verdict = response.headers.get("x-bartizan-verdict", "")
        if response.status_code != 200:
            if verdict == "block":
                return Answered(
                    Reply("", finish="content_filter"), seconds, True, response.headers["x-bartizan-receipt"]
                )
            return Failed(f"HTTP {response.status_code}: {response.text[:200]}", response.status_code)
        try:
            reply = parse_reply(response.json())
        except (ValueError, KeyError, TypeError, IndexError) as error:
            return Failed(f"an answer that is no chat completion: {type(error).__name__}: {response.text[:200]}")
        return Answered(reply, seconds, verdict == "block", response.headers.get("x-bartizan-receipt", ""))

    def models(self) -> list[str]:
        """Return the names the endpoint lists. Raises UpstreamFailed when it lists none; not counted as a request."""
        try:
            response = self._client.get(f"{self._base}/v1/models")
            response.raise_for_status()
            names = [str(entry["id"]) for entry in response.json()["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise UpstreamFailed(
                f"{self._base}/v1/models: {type(error).__name__}: {error}",
                hint="Is the server running, and is the address its base URL? `--model NAME` skips this question.",
            ) from error
        if not names:
            raise UpstreamFailed(f"{self._base}/v1/models lists no model", hint="Name one with `--model NAME`.")
        return names

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def request_body(prompt: Prompt, model: str) -> dict[str, Any]:
    """Return `prompt` as an OpenAI chat completion request for `model`."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [entry for message in prompt.messages for entry in _entries(message)],
        "temperature": 0,
        "seed": 1,
        "max_tokens": prompt.max_output_tokens or 128,
    }
    if prompt.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": json.loads(tool.schema),
                },
            }
            for tool in prompt.tools
        ]
    return body


def parse_reply(body: dict[str, Any]) -> Reply:
    """Return the first choice of an OpenAI chat completion. Raises KeyError, TypeError or IndexError if it is none."""
    choice = body["choices"][0]
    message = choice["message"]
    calls = tuple(
        ToolCall(str(call.get("id", "")), str(call["function"]["name"]), str(call["function"].get("arguments", "")))
        for call in message.get("tool_calls") or ()
    )
    return Reply(str(message.get("content") or ""), calls, str(choice.get("finish_reason") or "stop"))


def _entries(message: Message) -> list[dict[str, Any]]:
    """A message may hold several tool results; OpenAI wants one entry for each."""
    entries: list[dict[str, Any]] = []
    texts = [part.content for part in message.parts if isinstance(part, Text)]
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.tool, "arguments": part.arguments}}
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    if texts or calls:
        entry: dict[str, Any] = {"role": message.role.value, "content": "\n".join(texts) if texts else None}
        if calls:
            entry["tool_calls"] = calls
        entries.append(entry)
    entries += [
        {"role": "tool", "tool_call_id": part.call_id, "content": part.text.content}
        for part in message.parts
        if isinstance(part, ToolResult)
    ]
    return entries


class EchoBot:
    """Repeats the last user text. It obeys nobody, so no attack may count as a success against it."""

    def ask(self, prompt: Prompt) -> Outcome:
        """Return the last user text as the answer."""
        texts = [text.content for message in prompt.messages if message.role is Role.USER for text in message.texts()]
        return Answered(Reply(texts[-1] if texts else ""), 0.0)


class RefuseBot:
    """Refuses everything. No attack may count as a success against it, and no benign question as answered."""

    def ask(self, prompt: Prompt) -> Outcome:
        """Return a refusal."""
        del prompt
        return Answered(Reply("I'm sorry, but I can't help with that."), 0.0)


class ScriptedChat:
    """Answers from a list, in order, and remembers what it was asked. The shipped double for tests."""

    def __init__(self, outcomes: Sequence[Outcome | str]) -> None:
        """Answer with `outcomes` one after the other; a plain string stands for an answer of that text."""
        self._outcomes = [Answered(Reply(one), 0.0) if isinstance(one, str) else one for one in outcomes]
        self.asked: list[Prompt] = []

    def ask(self, prompt: Prompt) -> Outcome:
        """Return the next outcome; the last one is repeated."""
        self.asked.append(prompt)
        return self._outcomes[min(len(self.asked), len(self._outcomes)) - 1]
