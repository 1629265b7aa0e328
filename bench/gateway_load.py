"""What bench_gateway runs in processes of their own: the model server that everybody stands before, and the load.

python bench/gateway_load.py mock PORT        a model server that answers at once, or streams at a pace
python bench/gateway_load.py ask JOB          as many requests as the job says; prints what each of them took
python bench/gateway_load.py hold JOB         as many paced streams at once; prints when each event came
"""

import asyncio
import json
import string
import sys
import time
from pathlib import Path

import httptools
import uvloop

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.upstream import HttpUpstream

PATH = "/v1/chat/completions"
PROMPTS = [one.strip() for one in (Path(__file__).parent / "gateway_prompts.txt").read_text("utf-8").split("\n---\n")]
"""What people ask, about 1 KB each: written for this bench and never used for training."""
DELTAS, PACE_S = 64, 0.02
_LONGEST_S = 90.0
_ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "All is well. " * 6}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 250, "completion_tokens": 20, "total_tokens": 270},
    }
).encode()


def body(prompt, *, stream=False):
    """A chat request."""
    messages = [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": prompt}]
    return json.dumps({"model": "m", "messages": messages, **({"stream": True} if stream else {})}).encode()


def _lettered(number):
    """Write a number in letters, so that no control takes it for a card."""
    return "".join(string.ascii_lowercase[int(digit)] for digit in str(number))


_UNLETTERED = str.maketrans(string.ascii_lowercase[:10], string.digits)


class Mock(asyncio.Protocol):
    """A model server that answers at once, or streams at a pace, with the time inside each delta."""

    def connection_made(self, transport):
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_body(self, data):
        self.body += data

    def on_message_complete(self):
        streamed, self.body = b'"stream":true' in self.body.replace(b'": ', b'":'), b""
        if streamed:
            self.streaming = asyncio.ensure_future(self.stream())
            return
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_ANSWER)
        self.transport.write(head + _ANSWER)

    async def stream(self):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        self.transport.write(head)
        start = time.monotonic()
        same = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        for number in range(DELTAS):
            content = f"at {_lettered(time.monotonic_ns() // 1000)} "
            delta = {**same, "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}]}
            self.event(json.dumps(delta).encode())
            await asyncio.sleep(max(0, start + (number + 1) * PACE_S - time.monotonic()))
        self.event(json.dumps({**same, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}).encode())
        self.event(b"[DONE]")
        self.transport.write(b"0\r\n\r\n")

    def event(self, data):
        event = b"data: " + data + b"\n\n"
        self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))


async def serve(port):
    """Serve until stopped."""
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def _headers(job):
    pairs = (header.split("=", 1) for header in job["headers"])
    return [(b"content-type", b"application/json"), *((name.encode(), value.encode()) for name, value in pairs)]


async def ask(job):
    """Send `n` requests, `c` at a time, the prompts in turn; return seconds of each and in all."""
    client, headers = HttpUpstream("load", job["url"], key=job["key"]), _headers(job)
    requests = [body(PROMPTS[number]) for number in job["prompts"]]
    took, left = [], iter(range(job["n"]))

    async def worker():
        for number in left:
            began = time.perf_counter()
            given = await client.send("POST", PATH, headers, requests[number % len(requests)])
            while await given.read():
                pass
            given.release()
            if given.status != 200:
                raise SystemExit(f"{job['url']} answered {given.status}")
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(job["c"])))
    return {"took": took, "wall": time.perf_counter() - began}


async def hold(job):
    """Hold `n` paced streams at once; return the delay of every delta, of the first ones, and how many were lost."""
    client, headers = HttpUpstream("load", job["url"], key=job["key"]), _headers(job)
    requests = [body(PROMPTS[number], stream=True) for number in job["prompts"]]
    delays, firsts = [], []

    async def read(number):
        seen, rest, began = 0, "", time.monotonic()
        given = await client.send("POST", PATH, headers, requests[number % len(requests)])
        while given.status == 200 and (piece := await given.read()):
            rest += piece.decode()
            *whole, rest = rest.split("\n\n")
            now = time.monotonic_ns() // 1000
            for event in whole:
                if '"at ' not in event:
                    continue
                sent = int(event.split('"at ')[1].split(" ")[0].translate(_UNLETTERED))
                if not seen:
                    firsts.append(time.monotonic() - began)
                seen += 1
                delays.append((now - sent) / 1e6)
        given.release()
        return seen

    async def one(number):
        await asyncio.sleep(number * job["apart_s"])
        try:
            async with asyncio.timeout(_LONGEST_S):
                return await read(number) == DELTAS
        except (UpstreamFailed, TimeoutError):
            return False

    whole = await asyncio.gather(*(one(number) for number in range(job["n"])))
    return {"delays": delays, "firsts": firsts, "lost": whole.count(False)}


if __name__ == "__main__":
    if sys.argv[1] == "mock":
        uvloop.run(serve(int(sys.argv[2])))
    else:
        print(json.dumps(uvloop.run({"ask": ask, "hold": hold}[sys.argv[1]](json.loads(sys.argv[2])))))
