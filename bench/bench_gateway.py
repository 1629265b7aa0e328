"""What the gateway costs: CPU per request, requests per second and core, added latency, paced streams; and two peers.

Everything is on: a key from the book, the input screen over a 1 KB prompt, all output controls, the ledger on disk with
receipts before answers. The gateway has one core to itself, mock and load generator share another. CPU time of the
gateway's process (user and system, all threads) is the primary figure, because it does not depend on who else is busy.

  python bench/bench_gateway.py [--litellm PROGRAM] [--portkey SCRIPT] [--rounds N] [--quick]

The peers run without any control: `litellm` of litellm[proxy] with one worker and no database, and
`build/start-server.js` of @portkey-ai/gateway. Each round measures every way in turn, so that ratios are of the same
minute; the load average of the machine at the time is part of the result.
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
from dataclasses import dataclass
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


async def load(url, key, concurrency, n, *more):
    """Send `n` requests with `more` headers, `concurrency` at a time; return seconds per request and in all."""
    client, request = HttpUpstream("load", url, key=key), body()
    headers, took, left = [(b"content-type", b"application/json")], [], iter(range(n))
    headers += [tuple(part.encode() for part in header.split("=", 1)) for header in more]

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


def bench(way, counts):
    """Measure one way to the mock."""
    measured("load", way.url, way.key, 8, min(200, counts[0][1]), *way.headers)
    rows = []
    for concurrency, n in counts:
        busy, before = os.getloadavg()[0], cpu_s(way.pid)
        got = measured("load", way.url, way.key, concurrency, n, *way.headers)
        micro = [took * 1e6 for took in got["took"]]
        rows.append(
            {
                "c": concurrency,
                "n": n,
                "load_average": busy,
                "cpu_us": (cpu_s(way.pid) - before) / n * 1e6,
                "rps": n / got["wall"],
                "p50_us": str(quantile(micro, 0.5, seed=SEED, unit="us")),
                "p99_us": str(quantile(micro, 0.99, seed=SEED, unit="us")),
            }
        )
    return rows


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


@dataclass
class Way:
    """One way to the mock: where, with what, and which process is counted."""

    name: str
    url: str
    key: str
    pid: int = 0
    headers: tuple[str, ...] = ()
    controls: bool = False


@contextlib.contextmanager
def ours(args, folder, mock_url):
    """The gateway with everything on."""
    port = free_port()
    _, key = KeyBook(folder / "keys.json", SystemClock()).create("bench", days=1)
    (folder / "bartizan.toml").write_text(
        f'[gateway]\nport = {port}\ninput_screen = "{args.screen}"\nkeys_file = "{folder}/keys.json"\n'
        f'[[gateway.upstreams]]\nurl = "{mock_url}"\n'
        f'[ledger]\ndirectory = "{folder}/ledger"\ncheckpoint_file = "{folder}/checkpoints.txt"\n'
    )
    command = [sys.executable, "-m", "bartizan", "serve", "--config", str(folder / "bartizan.toml")]
    with process(command, 0, port) as running:
        yield Way("bartizan, everything on", f"http://127.0.0.1:{port}", key, running.pid, controls=True)


@contextlib.contextmanager
def litellm(program, folder, mock_url):
    """One worker, a master key, no database, no guardrail."""
    port, config = free_port(), folder / "litellm.yaml"
    model = f"{{model_name: m, litellm_params: {{model: openai/m, api_base: '{mock_url}/v1', api_key: x}}}}"
    config.write_text(f"model_list: [{model}]\ngeneral_settings: {{master_key: sk-peer}}\n")
    command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    with process(["env", "LITELLM_LOCAL_MODEL_COST_MAP=True", *command], 0, port, 180) as running:
        yield Way("litellm, no controls", f"http://127.0.0.1:{port}", "sk-peer", running.pid)


@contextlib.contextmanager
def portkey(script, mock_url):
    """Routed by headers, as its manual says for hosts of one's own."""
    port = free_port()
    headers = ("x-portkey-provider=openai", f"x-portkey-custom-host={mock_url}/v1")
    command = ["env", "TRUSTED_CUSTOM_HOSTS=127.0.0.1", "node", script, f"--port={port}"]
    with process(command, 0, port, 60) as running:
        yield Way("portkey, no controls", f"http://127.0.0.1:{port}", "x", running.pid, headers)


def run(args, folder):
    """Measure every way in turn, round after round, then paced streams."""
    scale = 10 if args.quick else 1
    counts = {True: [(1, 2000), (32, 8000), (64, 8000)], False: [(1, 200), (8, 400), (32, 1000)]}
    mock_port = free_port()
    mock_url, results, paced = f"http://127.0.0.1:{mock_port}", {}, {}
    with contextlib.ExitStack() as stack:
        mock = stack.enter_context(process([sys.executable, __file__, "mock", str(mock_port)], 1, mock_port))
        ways = [
            Way("direct", mock_url, "x", mock.pid, controls=True),
            stack.enter_context(ours(args, folder, mock_url)),
        ]
        if args.portkey:
            ways.append(stack.enter_context(portkey(args.portkey, mock_url)))
        if args.litellm:
            ways.append(stack.enter_context(litellm(args.litellm, folder, mock_url)))
        for _ in range(args.rounds):
            for way in ways:
                wanted = [(c, max(20, n // scale)) for c, n in counts[way.controls]]
                results.setdefault(way.name, []).extend(bench(way, wanted))
        for way in ways[:2]:
            paced[way.name] = bench_streams(way.url, way.key, way.pid, args.streams)
    return results, paced


def ratios(results):
    """Requests per CPU second of ours over each peer's best, with the spread over rounds."""
    ours_best = [row for row in results["bartizan, everything on"] if row["c"] == 32]
    found = {}
    for name, rows in results.items():
        if name.endswith("no controls"):
            each = [row["cpu_us"] / our["cpu_us"] for row in rows if row["c"] == 8 for our in ours_best]
            found[name] = {"low": min(each), "high": max(each)}
    return found


def main():
    """Measure, print, write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--litellm", help="the program `litellm` of an environment with litellm[proxy]")
    parser.add_argument("--portkey", help="build/start-server.js of an installed @portkey-ai/gateway")
    parser.add_argument("--screen", default="enforce", choices=("enforce", "monitor", "off"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=512)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results, paced = run(args, Path(folder))
    table = Table("way", "c", "n", "load", "CPU us/request", "requests/s", "p50 us", "p99 us")
    for name, rows in results.items():
        for row in rows:
            cells = (f"{row['load_average']:.1f}", f"{row['cpu_us']:.0f}", f"{row['rps']:.0f}")
            table.add_row(name, str(row["c"]), str(row["n"]), *cells, row["p50_us"], row["p99_us"])
    Console(width=200).print(table)
    times = ratios(results)
    print(json.dumps({"paced": paced, "times the peer's CPU per request": times}, indent=1))
    Path("bench/results").mkdir(exist_ok=True)
    head = {"version": __version__, "python": sys.version.split()[0], "seed": SEED, "cores": os.cpu_count()}
    result = {**head, "results": results, "paced": paced, "peer_cpu_over_ours": times}
    Path("bench/results/gateway.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["mock"]:
        uvloop.run(serve_mock(int(sys.argv[2])))
    elif sys.argv[1:2] == ["load"]:
        print(json.dumps(uvloop.run(load(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), *sys.argv[6:]))))
    elif sys.argv[1:2] == ["streams"]:
        print(json.dumps(uvloop.run(streams(sys.argv[2], sys.argv[3], int(sys.argv[4])))))
    else:
        main()
