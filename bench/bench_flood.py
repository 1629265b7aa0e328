"""What floods cost in memory: slow heads, large bodies of strangers and of a key, readers who read nothing, huge JSON.

`make bench-flood`: one gateway as `bartizan serve` starts it (`held_bytes` at its default of 256 MiB), a thousand
connections of each kind in turn, and beside them, in a process of its own, a client with the same key who asks small
things all the time. Memory is the gateway's own peak after each flood (VmHWM, so it only grows). About two minutes.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import uvloop
from bench.bench_gateway import LOAD, free_port, peak_mb
from bench.gateway_load import body

from bartizan import __version__
from bartizan.core.clock import SystemClock
from bartizan.gateway.keys import KeyBook

RESULT = Path(__file__).parent / "results" / "flood.json"
MANY, LARGE, SECONDS = 1000, 8_000_000, 12
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
EVENT = b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "word " * 2000}}]}).encode() + b"\n\n"


async def endless(reader, writer):
    """A model server whose streams never end."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        while not writer.is_closing():
            writer.write(EVENT)
            await writer.drain()


async def connected(port, data, count, seconds):
    """Open `count` connections, send `data` on each, read nothing for a while, then go."""
    writers = []

    async def one():
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            reader._transport.pause_reading()
            writers.append(writer)
            for start in range(0, len(data), 262_144):
                writer.write(data[start : start + 262_144])
                await writer.drain()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(one() for _ in range(count)))
            await asyncio.sleep(seconds)
    for writer in writers:
        writer.transport.abort()


async def asked(port, key, seconds):
    """Ask small things; return what each took, and the statuses."""
    request, took, statuses = body("What is the capital of Portugal?"), [], []
    whole = HEAD + b"x-api-key: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (key, len(request), request)
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(whole)
            statuses.append(int((await reader.read()).split(b" ", 2)[1]))
            writer.close()
        except (OSError, IndexError):
            statuses.append(0)
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)
    return {"took": took, "statuses": statuses}


def floods(key):
    """What each connection of each flood sends."""
    keyed = HEAD + b"x-api-key: %b\r\n" % key
    length = b"content-length: %d\r\n\r\n" % LARGE
    deep = b'{"model":"m","messages":[' + b"[" * 60_000 + b"]" * 60_000 + b"]}"
    wide = b'{"model":"m","messages":[],"more":[' + b'{"a":1},' * 900_000 + b"0]}"
    streamed = json.dumps({"model": "endless", "stream": True, "messages": []}).encode()

    def complete(data):
        return keyed + b"content-length: %d\r\n\r\n%b" % (len(data), data)

    return {
        "half a head": (HEAD[:-2], MANY),
        "8 MB without a key": (HEAD + length + b" " * LARGE, MANY),
        "8 MB with a key, but for the last byte": (keyed + length + b" " * (LARGE - 1), MANY),
        "streams that are never read": (complete(streamed), MANY),
        "JSON of 7 MB, all small objects": (complete(wide), 40),
        "JSON 60,000 deep": (complete(deep), 200),
    }


async def run(folder):
    """Start everything, flood it, return a row for each flood."""
    mock_port, port = free_port(), free_port()
    _, key = KeyBook(folder / "keys.json", SystemClock()).create("bench", days=1)
    server = await asyncio.start_server(endless, "127.0.0.1", 0, backlog=2048)
    (folder / "bartizan.toml").write_text(
        f'[gateway]\nport = {port}\nkeys_file = "{folder}/keys.json"\nconnections_per_client = 0\n'
        f'[[gateway.upstreams]]\nurl = "http://127.0.0.1:{server.sockets[0].getsockname()[1]}"\nmodels = ["endless"]\n'
        f'[[gateway.upstreams]]\nname = "mock"\nurl = "http://127.0.0.1:{mock_port}"\n'
        f'[ledger]\ndirectory = "{folder}/ledger"\ncheckpoint_file = "{folder}/checkpoints.txt"\n'
    )
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    mock = subprocess.Popen([sys.executable, str(LOAD), "mock", str(mock_port)], **silent)
    serve = [sys.executable, "-m", "bartizan", "serve", "--config", str(folder / "bartizan.toml")]
    gateway = subprocess.Popen(serve, **silent)
    rows = []
    try:
        await _ready(port)
        rows.append(_row("nothing", 0, gateway.pid, await _beside(asyncio.sleep(3), port, key, 3)))
        for name, (data, count) in floods(key.encode()).items():
            seen = await _beside(connected(port, data, count, SECONDS), port, key, SECONDS)
            rows.append(_row(name, count, gateway.pid, seen))
            await asyncio.sleep(1)
    finally:
        for process in (gateway, mock):
            process.send_signal(signal.SIGTERM)
        gateway.wait(60)
        mock.wait(10)
    return rows


async def _ready(port):
    for _ in range(300):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the gateway did not start")


async def _beside(flood, port, key, seconds):
    command = (sys.executable, __file__, "client", str(port), key, str(seconds))
    client = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await flood
    said, _ = await client.communicate()
    return json.loads(said)


def _row(name, count, pid, seen):
    took, statuses = seen["took"], seen["statuses"]
    return {
        "flood": name,
        "connections": count,
        "peak MB": round(peak_mb(pid)),
        "small requests": len(statuses),
        "answered": statuses.count(200),
        "p50 ms": round(float(np.median(took)) * 1000, 1),
        "slowest ms": round(max(took) * 1000, 1),
    }


def main():
    """Measure, print, write."""
    with tempfile.TemporaryDirectory() as folder:
        rows = uvloop.run(run(Path(folder)))
    result = {
        "what": __doc__.split("\n")[0],
        "version": __version__,
        "load of the machine (1 minute)": round(os.getloadavg()[0], 1),
        "rows": rows,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        print(json.dumps(uvloop.run(asked(int(sys.argv[2]), sys.argv[3].encode(), float(sys.argv[4])))))
    else:
        main()
