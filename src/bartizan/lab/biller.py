"""A model server that bills: what an owner would be charged for whatever reaches it. For simulations on loopback.

It speaks Chat Completions, Responses and Messages, streamed and not, and writes as many tokens as it is allowed to, up
to its appetite. Each token is one word. Two habits are known of real providers when a client leaves a stream: to bill
what was written until then (`cut`), or to bill the answer to its end all the same (`end`).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import httptools

Habit = Literal["cut", "end"]
_WORDS_PER_WRITE = 8


@dataclass(frozen=True, slots=True)
class Bill:
    """What one request is charged."""

    path: str
    model: str
    input: int
    output: int
    tier: str = ""
    """The service tier that was asked for."""


@dataclass
class Biller:
    """The server and its bills. `appetite` says how many tokens a request would get if nothing limited it."""

    habit: Habit = "end"
    appetite: Callable[[dict[str, Any]], int] = lambda document: 1_000_000
    largest: int = 4096
    """Most tokens of one answer, whatever is asked."""
    count: Callable[[bytes], int] = lambda body: len(body) // 4 + 1
    """Tokens of an input. A byte-level vocabulary never has more than there are bytes."""
    pace_s: float = 0.0
    """Rest after every few tokens of a stream."""
    bills: list[Bill] = field(default_factory=list)
    seen: int = 0
    """Requests that arrived."""
    streaming: int = 0
    """Streams that are not billed yet, whether or not somebody still reads them."""
    _connections: set["_Connection"] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on loopback and yield the base URL."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, backlog=4096)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0.01)

    def tokens(self, document: dict[str, Any]) -> int:
        """Return how many tokens each choice of an answer gets."""
        caps = [document.get(key) for key in ("max_completion_tokens", "max_tokens", "max_output_tokens")]
        return min([self.appetite(document), self.largest, *(cap for cap in caps if isinstance(cap, int) and cap > 0)])


class _Connection(asyncio.Protocol):
    """One keep-alive connection of a client."""

    def __init__(self, biller: Biller) -> None:
        self._biller = biller
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._path = ""
        self._writing: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._ready.set()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport: Any = transport
        self._biller._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self.lost = True
        self._biller._connections.discard(self)
        self._ready.set()

    def abort(self) -> None:
        """Cut the client off."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._ready.clear()

    def resume_writing(self) -> None:
        """It reads again."""
        self._ready.set()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """Note the path."""
        self._path = url.decode("latin-1").partition("?")[0]

    def on_body(self, data: bytes) -> None:
        """Gather the body."""
        self._body += data

    def on_message_complete(self) -> None:
        """Answer and bill."""
        body, self._body = self._body, b""
        self._biller.seen += 1
        try:
            document = json.loads(body)
        except ValueError:
            self._send(400, b'{"error":{"message":"not JSON"}}')
            return
        form = _FORMS.get(self._path)
        if form is None:
            self._send(404, b'{"error":{"message":"no such path"}}')
            return
        taken, each = self._biller.count(body), self._biller.tokens(document)
        choices = document.get("n") or 1
        if document.get("stream"):
            self._biller.streaming += 1
            self._writing = asyncio.ensure_future(self._stream(form(document, taken, each, choices), document, taken))
            self._writing.add_done_callback(self._written)
            return
        self._bill(document, taken, each * choices)
        self._send(200, json.dumps(form(document, taken, each, choices).whole()).encode())

    def _written(self, _: "asyncio.Task[None]") -> None:
        self._biller.streaming -= 1

    def _bill(self, document: dict[str, Any], taken: int, given: int) -> None:
        self._biller.bills.append(
            Bill(self._path, str(document.get("model")), taken, given, str(document.get("service_tier") or ""))
        )

    def _send(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)

    async def _stream(self, form: "_Form", document: dict[str, Any], taken: int) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        self._transport.write(head)
        given, full = 0, form.each * form.choices
        for event, tokens in form.events():
            if self.lost:
                break
            given += tokens
            data = b"".join((b"event: " + event["type"].encode() + b"\n",) if "type" in event else ())
            data += b"data: " + json.dumps(event).encode() + b"\n\n"
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
            if given % _WORDS_PER_WRITE == 0:
                await self._ready.wait()
                await asyncio.sleep(self._biller.pace_s)
        if not self.lost:
            done = form.done
            self._transport.write((b"%x\r\n%b\r\n" % (len(done), done) if done else b"") + b"0\r\n\r\n")
        self._bill(document, taken, given if self._biller.habit == "cut" else full)


class _Form:
    """How one dialect writes an answer of `each` words in `choices` choices."""

    done = b""

    def __init__(self, document: dict[str, Any], taken: int, each: int, choices: int) -> None:
        self.document, self.taken, self.each, self.choices = document, taken, each, choices
        self.model = str(document.get("model"))
        self.tier = str(document.get("service_tier") or "default")

    def text(self) -> str:
        """Return the words of one choice."""
        return "word " * self.each

    def whole(self) -> dict[str, Any]:
        """Return the complete answer."""
        raise NotImplementedError

    def events(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield events with the number of tokens in each."""
        raise NotImplementedError


class _Chat(_Form):
    done = b"data: [DONE]\n\n"

    def _usage(self) -> dict[str, int]:
        given = self.each * self.choices
        return {"prompt_tokens": self.taken, "completion_tokens": given, "total_tokens": self.taken + given}

    def _head(self, form: str) -> dict[str, Any]:
        return {"id": "c", "object": form, "created": 1, "model": self.model, "service_tier": self.tier}

    def whole(self) -> dict[str, Any]:
        """Return the complete answer."""
        message = {"role": "assistant", "content": self.text()}
        choices = [{"index": index, "message": message, "finish_reason": "length"} for index in range(self.choices)]
        return {**self._head("chat.completion"), "choices": choices, "usage": self._usage()}

    def events(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield events with the number of tokens in each."""
        head = self._head("chat.completion.chunk")
        for index in range(self.choices):
            for _ in range(self.each):
                delta = {"index": index, "delta": {"role": "assistant", "content": "word "}, "finish_reason": None}
                yield {**head, "choices": [delta]}, 1
            yield {**head, "choices": [{"index": index, "delta": {}, "finish_reason": "length"}]}, 0
        if (self.document.get("stream_options") or {}).get("include_usage"):
            yield {**head, "choices": [], "usage": self._usage()}, 0


class _Responses(_Form):
    def _response(self, status: str, output: list[dict[str, Any]], usage: dict[str, int] | None) -> dict[str, Any]:
        head = {"id": "r", "object": "response", "created_at": 1, "model": self.model, "status": status}
        head["service_tier"] = self.tier
        return {
            **head,
            "output": output,
            "usage": usage,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }

    def _final(self) -> dict[str, Any]:
        part = {"type": "output_text", "text": self.text(), "annotations": []}
        item = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        usage = {"input_tokens": self.taken, "output_tokens": self.each, "total_tokens": self.taken + self.each}
        return self._response("completed", [item], usage)

    def whole(self) -> dict[str, Any]:
        """Return the complete answer."""
        return self._final()

    def events(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield events with the number of tokens in each."""
        place = {"item_id": "m", "output_index": 0, "content_index": 0}
        item = {"id": "m", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        yield {"type": "response.created", "response": self._response("in_progress", [], None)}, 0
        yield {"type": "response.output_item.added", "output_index": 0, "item": item}, 0
        for _ in range(self.each):
            yield {"type": "response.output_text.delta", **place, "delta": "word ", "logprobs": []}, 1
        yield {"type": "response.completed", "response": self._final()}, 0


class _Messages(_Form):
    def _message(self, content: list[dict[str, Any]], stop: str | None, given: int) -> dict[str, Any]:
        usage = {"input_tokens": self.taken, "output_tokens": given, "service_tier": "standard"}
        head = {"id": "m", "type": "message", "role": "assistant", "model": self.model}
        return {**head, "content": content, "stop_reason": stop, "stop_sequence": None, "usage": usage}

    def whole(self) -> dict[str, Any]:
        """Return the complete answer."""
        return self._message([{"type": "text", "text": self.text()}], "max_tokens", self.each)

    def events(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield events with the number of tokens in each."""
        yield {"type": "message_start", "message": self._message([], None, 1)}, 0
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, 0
        for _ in range(self.each):
            yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}, 1
        yield {"type": "content_block_stop", "index": 0}, 0
        delta = {"stop_reason": "max_tokens", "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": self.each}}, 0
        yield {"type": "message_stop"}, 0


_FORMS: dict[str, type[_Form]] = {
    "/v1/chat/completions": _Chat,
    "/v1/responses": _Responses,
    "/v1/messages": _Messages,
}
