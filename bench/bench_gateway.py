"""What the gateway costs: CPU per request, requests per second and core, added latency, paced streams; and a peer.

Everything is on: a key from the book, the input screen over a 1 KB prompt, all output controls, the ledger on disk with
receipts before answers. The gateway has one core to itself, mock and load generator share another. CPU time of the
gateway's process (user and system, all threads) is the primary figure, because it does not depend on who else is busy.

  python bench/bench_gateway.py [--peer "COMMAND with {config} and {port}"] [--quick]
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httptools
import uvloop
from rich.console import Console
from rich.table import Table

from bartizan import __version__
from bartizan.core.clock import SystemClock
from bartizan.core.measures import quantile
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.upstream import HttpUpstream

SEED = 20261124
PATH = "/v1/chat/completions"
WORDS = (
    "the",
    "a",
    "of",
    "to",
    "and",
    "in",
    "is",
    "that",
    "it",
    "was",
    "for",
    "on",
    "are",
    "with",
    "as",
    "this",
    "from",
)
MESSAGE = {"role": "assistant", "content": "All is well. " * 6}
ANSWER = json.dumps(
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
DELTAS, PACE_S = 64, 0.02


def body(*, stream=False):
    """A chat request with a prompt of about 1 KB."""
    draw = random.Random(SEED)
    text = " ".join(draw.choice(WORDS) for _ in range(230))
    messages = [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": text}]
    return json.dumps({"model": "m", "messages": messages, **({"stream": True} if stream else {})}).encode()


def lettered(number):
    """Write a number in letters, so that no control takes it for a card."""
    return "".join(string.ascii_lowercase[int(digit)] for digit in str(number))


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
        streamed, self.body = b'"stream": true' in self.body, b""
        if streamed:
            self.streaming = asyncio.ensure_future(self.stream())
            return
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
        self.transport.write(head + ANSWER)

    async def stream(self):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        self.transport.write(head)
        start = time.monotonic()
        for number in range(DELTAS):
            content = f"at {lettered(time.monotonic_ns() // 1000)} "
            delta = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": content}}]}
            self.event(json.dumps(delta).encode())
            await asyncio.sleep(max(0, start + (number + 1) * PACE_S - time.monotonic()))
        self.event(b"[DONE]")
        self.transport.write(b"0\r\n\r\n")

    def event(self, data):
        event = b"data: " + data + b"\n\n"
        self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))


async def serve_mock(port):
    """Serve until stopped."""
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def load(url, key, concurrency, n):
    """Send `n` requests, `concurrency` at a time; return seconds per request and in all."""
    client, request = HttpUpstream("load", url, key=key), body()
    headers, took, left = [(b"content-type", b"application/json")], [], iter(range(n))

    async def worker():
        for _ in left:
            began = time.perf_counter()
            given = await client.send("POST", PATH, headers, request)
            while await given.read():
                pass
            given.release()
            if given.status != 200:
                raise SystemExit(f"{url} answered {given.status}")
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return {"took": took, "wall": time.perf_counter() - began}


async def streams(url, key, n):
    """Hold `n` paced streams at once; return the delay of every delta, of the first ones, and how many were lost."""
    client, request = HttpUpstream("load", url, key=key), body(stream=True)
    delays, firsts, lost = [], [], 0
    unlettered = str.maketrans(string.ascii_lowercase[:10], string.digits)

    async def one(number):
        nonlocal lost
        await asyncio.sleep(number * 0.004)
        seen, rest, began = 0, "", time.monotonic()
        given = await client.send("POST", PATH, [(b"content-type", b"application/json")], request)
        while piece := await given.read():
            rest += piece.decode()
            *whole, rest = rest.split("\n\n")
            now = time.monotonic_ns() // 1000
            for event in whole:
                if '"content":' not in event:
                    continue
                sent = int(event.split('"at ')[1].split(" ")[0].translate(unlettered))
                if not seen:
                    firsts.append(time.monotonic() - began)
                seen += 1
                delays.append((now - sent) / 1e6)
        given.release()
        lost += seen != DELTAS

    await asyncio.gather(*(one(number) for number in range(n)))
    return {"delays": delays, "firsts": firsts, "lost": lost}


def cpu_s(pid):
    """CPU seconds of a process and of the children it has."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_s(child) for child in children)


def free_port():
    """A port that is free now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextlib.contextmanager
def process(command, core, port, wait_s=90, **options):
    """Run a server on one core until the block ends."""
    options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {core}), **options)
    try:
        deadline = time.monotonic() + wait_s
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if running.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"did not start: {' '.join(map(str, command))[:120]}")
            time.sleep(0.1)
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)


def measured(what, *words):
    """Run one load in a process of its own on the second core."""
    command = [sys.executable, __file__, what, *map(str, words)]
    with tempfile.TemporaryFile() as file:
        subprocess.run(command, stdout=file, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {1}))
        file.seek(0)
        return json.loads(file.read())


def bench(name, url, key, pid, counts):
    """Measure one way to the mock."""
    measured("load", url, key, 8, 200)
    rows = {}
    for concurrency, n in counts:
        before = cpu_s(pid)
        got = measured("load", url, key, concurrency, n)
        micro = [took * 1e6 for took in got["took"]]
        rows[f"c={concurrency}"] = {
            "n": n,
            "cpu_us": (cpu_s(pid) - before) / n * 1e6,
            "rps": n / got["wall"],
            "p50_us": str(quantile(micro, 0.5, seed=SEED, unit="us")),
            "p99_us": str(quantile(micro, 0.99, seed=SEED, unit="us")),
        }
    return {"name": name, "requests": rows}


def bench_streams(url, key, pid, n):
    """Measure paced streams."""
    before = cpu_s(pid)
    got = measured("streams", url, key, n)
    chunks = max(1, len(got["delays"]))
    return {
        "streams": n,
        "lost": got["lost"],
        "cpu_us_per_delta": (cpu_s(pid) - before) / chunks * 1e6,
        "first_p50_us": str(quantile([s * 1e6 for s in got["firsts"]], 0.5, seed=SEED, unit="us")),
        "delay_p50_us": str(quantile([s * 1e6 for s in got["delays"]], 0.5, seed=SEED, unit="us")),
        "delay_p99_us": str(quantile([s * 1e6 for s in got["delays"]], 0.99, seed=SEED, unit="us")),
    }


def run(args, folder):
    """Measure direct, ours and the peer."""
    counts = [(1, 300), (32, 1000)] if args.quick else [(1, 3000), (32, 12000), (32, 12000), (64, 12000)]
    mock_port, port, peer_port = free_port(), free_port(), free_port()
    mock_url, results = f"http://127.0.0.1:{mock_port}", []
    _, key = KeyBook(folder / "keys.json", SystemClock()).create("bench", days=1)
    (folder / "bartizan.toml").write_text(
        f'[gateway]\nport = {port}\ninput_screen = "{args.screen}"\nkeys_file = "{folder}/keys.json"\n'
        f'[[gateway.upstreams]]\nurl = "{mock_url}"\n'
        f'[ledger]\ndirectory = "{folder}/ledger"\ncheckpoint_file = "{folder}/checkpoints.txt"\n'
    )
    ours = [sys.executable, "-m", "bartizan", "serve", "--config", str(folder / "bartizan.toml")]
    with process([sys.executable, __file__, "mock", str(mock_port)], 1, mock_port) as mock:
        results.append(bench("direct", mock_url, "x", mock.pid, counts))
        results[-1]["paced"] = bench_streams(mock_url, "x", mock.pid, args.streams)
        with process(ours, 0, port) as gateway:
            url = f"http://127.0.0.1:{port}"
            results.append(bench("bartizan", url, key, gateway.pid, counts))
            results[-1]["paced"] = bench_streams(url, key, gateway.pid, args.streams)
        if args.peer:
            config = folder / "peer.yaml"
            model = f"{{model_name: m, litellm_params: {{model: openai/m, api_base: '{mock_url}/v1', api_key: x}}}}"
            config.write_text(f"model_list: [{model}]\ngeneral_settings: {{master_key: sk-peer}}\n")
            command = args.peer.format(config=config, port=peer_port).split()
            with process(command, 0, peer_port, 120) as peer:
                few = [(1, 100), (8, 400)]
                results.append(bench(args.peer_name, f"http://127.0.0.1:{peer_port}", "sk-peer", peer.pid, few))
    return results


def main():
    """Measure, print, write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", help="command of a peer proxy, with {config} and {port}")
    parser.add_argument("--peer-name", default="peer", help="what the table calls it")
    parser.add_argument("--screen", default="enforce", choices=("enforce", "monitor", "off"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--streams", type=int, default=512)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = run(args, Path(folder))
    table = Table("way", "c", "n", "CPU us/request", "requests/s", "p50 us", "p99 us")
    for result in results:
        for concurrency, row in result["requests"].items():
            cells = (f"{row['cpu_us']:.0f}", f"{row['rps']:.0f}", row["p50_us"], row["p99_us"])
            table.add_row(result["name"], concurrency, str(row["n"]), *cells)
    Console(width=200).print(table)
    for result in results:
        if "paced" in result:
            print(result["name"], json.dumps(result["paced"]))
    Path("bench/results").mkdir(exist_ok=True)
    head = {"version": __version__, "python": sys.version.split()[0], "seed": SEED, "cores": os.cpu_count()}
    Path("bench/results/gateway.json").write_text(json.dumps({**head, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["mock"]:
        uvloop.run(serve_mock(int(sys.argv[2])))
    elif sys.argv[1:2] == ["load"]:
        print(json.dumps(uvloop.run(load(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))))
    elif sys.argv[1:2] == ["streams"]:
        print(json.dumps(uvloop.run(streams(sys.argv[2], sys.argv[3], int(sys.argv[4])))))
    else:
        main()
