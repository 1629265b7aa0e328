"""Which HTTP client stands between us and the model server: CPU per request of ours against pyreqwest's.

The client sends 1 KB chats to a mock on the other core, 32 at a time, and reads whole answers. pyreqwest streams with
`streamed_read_buffer_limit(0)`, as it must to hand on events as they come.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path

import uvloop
from bench.bench_gateway import LOAD, SEED, free_port, process
from bench.gateway_load import PATH, PROMPTS, body

from bartizan.gateway.upstream import HttpUpstream

ROUNDS, N, CONCURRENCY = 5, 6000, 32


async def ours(url, n):
    """Send `n` requests with the hand-written client."""
    client, request, left = HttpUpstream("u", url, key="k"), body(PROMPTS[0]), iter(range(n))

    async def worker():
        for _ in left:
            given = await client.send("POST", PATH, [(b"content-type", b"application/json")], request)
            while await given.read():
                pass
            given.release()

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    await client.close()


async def pyreqwests(url, n):
    """Send `n` requests with pyreqwest."""
    from pyreqwest.client import ClientBuilder

    request, left = body(PROMPTS[0]), iter(range(n))
    async with ClientBuilder().build() as client:

        async def worker():
            for _ in left:
                asked = client.post(url + PATH).header("content-type", "application/json").body_bytes(request)
                async with asked.streamed_read_buffer_limit(0).build_streamed() as given:
                    while await given.body_reader.read_chunk():
                        pass

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


def measure(client, url):
    """Return CPU microseconds per request of each round."""
    uvloop.run(client(url, 500))
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        uvloop.run(client(url, N))
        rounds.append((time.process_time() - began) / N * 1e6)
    return rounds


def main():
    """Measure both in turn, print, write the result."""
    port = free_port()
    result = {"python": sys.version.split()[0], "seed": SEED, "n": N, "rounds": ROUNDS, "concurrency": CONCURRENCY}
    mock = [sys.executable, str(LOAD), "mock", str(port)]
    with process(mock, 1, port):
        os.sched_setaffinity(0, {0})
        for name, client in (("hand-written", ours), (f"pyreqwest {version('pyreqwest')}", pyreqwests)):
            rounds = measure(client, f"http://127.0.0.1:{port}")
            result[name] = {"median_us": statistics.median(rounds), "low_us": min(rounds), "high_us": max(rounds)}
            print(f"{name:20} {statistics.median(rounds):6.0f} us CPU/request [{min(rounds):.0f}, {max(rounds):.0f}]")
    Path("bench/results").mkdir(exist_ok=True)
    Path("bench/results/clients.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
