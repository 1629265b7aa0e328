"""What the gateway costs: CPU per request, requests per second and core, added latency, paced streams; and two peers.

Always on: a key from the book, the input screen over a prompt of about 1 KB, all output controls, the ledger on disk
with receipts before answers. Twelve prompts as people send them (`gateway_prompts.txt`) come in turn, in three ways:

  rules         `detect.classifier = "off"`: the cheap detectors look alone
  at a glance   as shipped; only those prompts that the classifier's fast network clears
  as they come  as shipped; all twelve: of some the fast network is not sure, and its encoder looks at them too

The gateway has one core to itself, mock and load generator share another. CPU time of the gateway's process (user and
system, all threads) is the primary figure, because it depends least on who else is busy; the load average is part of
the result. The peers run without any control: `litellm` of litellm[proxy] with one worker and no database, and
`build/start-server.js` of @portkey-ai/gateway. Each round measures every way in turn, so that ratios are of the same
minute. (Under Node 20 portkey 1.15.2 answers every stream with an error, so all of its streams count as lost.) About
six minutes with both peers:

  python3.11 -m venv /tmp/litellm && /tmp/litellm/bin/pip install 'litellm[proxy]==1.106.2'
  npm install --prefix /tmp/portkey --ignore-scripts @portkey-ai/gateway@1.15.2
  make bench-gateway ARGS="--litellm /tmp/litellm/bin/litellm \\
      --portkey /tmp/portkey/node_modules/@portkey-ai/gateway/build/start-server.js"

`--quick` asks a tenth as often and writes no result file.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.gateway_load import PROMPTS
from rich.console import Console
from rich.table import Table

from bartizan import __version__
from bartizan.core.clock import SystemClock
from bartizan.core.measures import quantile
from bartizan.core.messages import Message, Prompt, Role
from bartizan.detect.screen import InputScreen
from bartizan.gateway.keys import KeyBook

SEED = 20261124
LOAD = Path(__file__).parent / "gateway_load.py"
RESULT = Path(__file__).parent / "results" / "gateway.json"
ALL = tuple(range(len(PROMPTS)))
MANY = ((1, 2000), (32, 8000), (64, 8000))


@dataclass
class Way:
    """One way to the mock: where, with what, which process is counted, and how often it is asked."""

    name: str
    url: str
    key: str
    pid: int = 0
    headers: tuple[str, ...] = ()
    prompts: tuple[int, ...] = ALL
    counts: tuple[tuple[int, int], ...] = ((1, 200), (8, 400), (32, 1000))

    def job(self, **more):
        """Return what the load generator is told."""
        return {"url": self.url, "key": self.key, "headers": self.headers, "prompts": self.prompts, **more}


def cpu_s(pid):
    """CPU seconds of a process and of the children it has."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_s(child) for child in _children(pid))


def peak_mb(pid):
    """Most memory that a process and its children have held."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)
    return own + sum(peak_mb(child) for child in _children(pid))


def _children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def free_port():
    """A port that is free now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextlib.contextmanager
def process(command, core, port, wait_s=90):
    """Run a server on one core until the block ends."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {core}), **silent)
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


def measured(what, job):
    """Run one load in a process of its own on the second core."""
    command = [sys.executable, str(LOAD), what, json.dumps(job)]
    with tempfile.TemporaryFile() as file:
        subprocess.run(command, stdout=file, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {1}))
        file.seek(0)
        return json.loads(file.read())


def bench(way, scale):
    """Measure one way to the mock."""
    counts = [(c, max(24, n // scale)) for c, n in way.counts]
    measured("ask", way.job(c=8, n=min(200, counts[0][1])))
    rows = []
    for c, n in counts:
        busy, before = os.getloadavg()[0], cpu_s(way.pid)
        got = measured("ask", way.job(c=c, n=n))
        micro = [took * 1e6 for took in got["took"]]
        rows.append(
            {
                "c": c,
                "n": n,
                "load_average": round(busy, 2),
                "cpu_us": round((cpu_s(way.pid) - before) / n * 1e6, 1),
                "rps": round(n / got["wall"], 1),
                "p50_us": quantile(micro, 0.5, seed=SEED, unit="us").value,
                "p99_us": quantile(micro, 0.99, seed=SEED, unit="us").value,
            }
        )
    return rows


def bench_streams(way, n, apart_s):
    """Measure paced streams: `n` of them, begun `apart_s` after each other."""
    before = cpu_s(way.pid)
    got = measured("hold", way.job(n=n, apart_s=apart_s))
    spent = cpu_s(way.pid) - before

    def at(share, seconds):
        return str(quantile([one * 1e6 for one in seconds], share, seed=SEED, unit="us")) if seconds else "none came"

    return {
        "streams": n,
        "lost": got["lost"],
        "cpu_us_per_delta": spent / max(1, len(got["delays"])) * 1e6,
        "first_p50": at(0.5, got["firsts"]),
        "first_p99": at(0.99, got["firsts"]),
        "delay_p50": at(0.5, got["delays"]),
        "delay_p99": at(0.99, got["delays"]),
    }


def cleared():
    """The prompts that the fast network clears, so that the encoder never sees them."""
    screen = InputScreen()
    prompts = (Prompt("m", (Message.of(Role.USER, text),)) for text in PROMPTS)
    return tuple(number for number, prompt in enumerate(prompts) if screen.glance(prompt) is not None)


@contextlib.contextmanager
def ours(folder, mock_url, classifier):
    """The gateway with everything on; yields its address, key and process."""
    port = free_port()
    folder.mkdir()
    _, key = KeyBook(folder / "keys.json", SystemClock()).create("bench", days=1)
    (folder / "bartizan.toml").write_text(
        f'[gateway]\nport = {port}\nkeys_file = "{folder}/keys.json"\n'
        f'[[gateway.upstreams]]\nurl = "{mock_url}"\n[detect]\nclassifier = "{classifier}"\n'
        f'[ledger]\ndirectory = "{folder}/ledger"\ncheckpoint_file = "{folder}/checkpoints.txt"\n'
    )
    command = [sys.executable, "-m", "bartizan", "serve", "--config", str(folder / "bartizan.toml")]
    with process(command, 0, port) as running:
        yield f"http://127.0.0.1:{port}", key, running.pid


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


@contextlib.contextmanager
def ways(args, folder):
    """Everything that is measured, running."""
    mock_port = free_port()
    mock_url, glanced = f"http://127.0.0.1:{mock_port}", cleared()
    with contextlib.ExitStack() as stack:
        mock = stack.enter_context(process([sys.executable, str(LOAD), "mock", str(mock_port)], 1, mock_port))
        found = [Way("direct", mock_url, "x", mock.pid, counts=MANY)]
        rules = stack.enter_context(ours(folder / "rules", mock_url, "off"))
        found.append(Way("bartizan, rules", *rules, counts=MANY))
        shipped = stack.enter_context(ours(folder / "shipped", mock_url, "on"))
        counts = ((1, 400), (32, 1600))
        if glanced:
            found.append(Way("bartizan, at a glance", *shipped, prompts=glanced, counts=counts))
        come = f"bartizan, as they come ({len(ALL) - len(glanced)} of {len(ALL)} to the encoder)"
        found.append(Way(come, *shipped, counts=((1, 96), (8, 192))))
        if args.portkey:
            found.append(stack.enter_context(portkey(args.portkey, mock_url)))
        if args.litellm:
            found.append(stack.enter_context(litellm(args.litellm, folder, mock_url)))
        yield found


def run(args, folder):
    """Measure every way in turn, round after round, then paced streams."""
    results, first, paced, memory = {}, {}, {}, {}
    with ways(args, folder) as found:
        for _ in range(args.rounds):
            for way in found:
                results.setdefault(way.name, []).append(bench(way, 10 if args.quick else 1))
        for way in found:
            memory[way.name] = round(peak_mb(way.pid))
        for way in found:
            if "as they come" not in way.name:
                first[way.name] = bench_streams(way, 24, 0.1)
                paced[way.name] = bench_streams(way, args.streams, 0.004)
    return {"results": results, "few_streams": first, "paced_streams": paced, "peak_mb_before_streams": memory}


def ratios(results):
    """Against each peer at its best: requests per second and CPU per request, lowest and highest over the rounds."""
    found = {}
    for name in (name for name in results if name.endswith("no controls")):
        faster, cheaper = [], []
        for our, their in zip(results["bartizan, rules"], results[name], strict=True):
            faster.append(max(row["rps"] for row in our) / max(row["rps"] for row in their))
            cheaper.append(min(row["cpu_us"] for row in their) / min(row["cpu_us"] for row in our))
        found[name] = {
            "times the peer's requests per second on one core": [round(min(faster), 1), round(max(faster), 1)],
            "times less CPU per request": [round(min(cheaper), 1), round(max(cheaper), 1)],
        }
    return found


def added(results):
    """What each way adds to the time of a request that comes alone: milliseconds over the direct way, each round."""
    alone = {name: [rows[0] for rows in rounds] for name, rounds in results.items()}
    return {
        name: {
            f"{key[:3]} ms": [
                round((row[key] - direct[key]) / 1000, 2) for row, direct in zip(rows, alone["direct"], strict=True)
            ]
            for key in ("p50_us", "p99_us")
        }
        for name, rows in alone.items()
        if name != "direct"
    }


def main():
    """Measure, print, write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--litellm", help="the program `litellm` of an environment with litellm[proxy]")
    parser.add_argument("--portkey", help="build/start-server.js of an installed @portkey-ai/gateway")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=512)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured_ = run(args, Path(folder))
    table = Table("way", "c", "n", "load", "CPU us/request", "requests/s", "p50 us", "p99 us")
    for name, rounds in measured_["results"].items():
        for row in (row for rows in rounds for row in rows):
            cells = (row["c"], row["n"], row["load_average"], row["cpu_us"], row["rps"])
            table.add_row(name, *map(str, cells), f"{row['p50_us']:.0f}", f"{row['p99_us']:.0f}")
    Console(width=200).print(table)
    told = {"added, one at a time": added(measured_["results"]), "against peers": ratios(measured_["results"])}
    told |= {key: value for key, value in measured_.items() if key != "results"}
    print(json.dumps(told, indent=1))
    if not args.quick:
        head = {"version": __version__, "python": sys.version.split()[0], "seed": SEED, "cores": os.cpu_count()}
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps({**head, "results": measured_["results"], **told}, indent=1) + "\n")


if __name__ == "__main__":
    main()
