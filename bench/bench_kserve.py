"""KServe's own client asks a model through the gateway: does everything it can ask work unchanged? `make bench-kserve`.

kserve's dependencies (kubernetes, fastapi, grpc, pandas) stay out of our locks: it goes into a virtual environment of
its own under build/. `ARGS=--record` keeps the bytes that it sent in tests/gateway/predict/kserve.json, which the suite
replays.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from bartizan import __version__
from bartizan.core import settings
from bartizan.core.clock import SystemClock
from bartizan.detect.screen import InputScreen
from bartizan.gateway import assembly
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.server import listen, serving
from bartizan.gateway.testing import MemoryLog
from bartizan.lab import inference_server
from bartizan.lab.target import Arrays, of_callable

PEER = "kserve==0.21.0"
RESULT = Path(__file__).parent / "results" / "kserve.json"
RECORDED = Path("tests/gateway/predict/kserve.json")
SHAPE, CLASSES = (2, 4), 3
WEIGHTS = np.random.default_rng(7).normal(size=(8, CLASSES))

CLIENT = """
import asyncio, json, sys
import numpy as np
from kserve import InferenceRESTClient, RESTConfig, InferRequest, InferInput
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput
url = sys.argv[1]
x = np.array(json.loads(sys.argv[2]), dtype=np.float32)
async def one(name, asked):
    try:
        print(json.dumps([name, await asked]), flush=True)
    except Exception as error:
        print(json.dumps([name, {"error": f"{type(error).__name__}: {error}"[:300]}]), flush=True)
async def infer(client, binary, outputs=None, x=x, **more):
    entry = InferInput("input", list(x.shape), "FP32")
    entry.set_data_from_numpy(x, binary_data=binary)
    asked = InferRequest("m", [entry], request_id="one", request_outputs=outputs, **more)
    said = await client.infer(url, asked, model_name="m")
    return {"id": said.id, **{one.name: one.as_numpy().tolist() for one in said.outputs}}
async def main():
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    await one("server live", client.is_server_live(url))
    await one("server ready", client.is_server_ready(url))
    await one("model ready", client.is_model_ready(url, "m"))
    await one("model of another name", client.is_model_ready(url, "other"))
    await one("JSON", infer(client, False))
    await one("binary", infer(client, True))
    names = ("scores", "label")
    for said in (True, False):
        wanted = [RequestedOutput(name, {"binary_data": said}) for name in names]
        await one(f"binary in, {'binary' if said else 'JSON'} out", infer(client, True, wanted))
    await one("JSON in, all binary out", infer(client, False, parameters={"binary_data_output": True}))
    await one("out of range", infer(client, True, x=x + 1))
    plain = InferenceRESTClient(RESTConfig(protocol="v1", retries=0))
    await one("version 1", plain.infer(url, {"instances": x.tolist()}, model_name="m"))
    await client.close()
    await plain.close()
asyncio.run(main())
"""


def scores_of(x):
    """The model: a softmax regression with fixed weights."""
    logits = x.reshape(len(x), -1) @ WEIGHTS
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def peer_python():
    """The interpreter of the client's own environment, made once."""
    folder = Path("build/peers/kserve")
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "-q", PEER], check=True)
    return folder / "bin/python"


@contextlib.asynccontextmanager
async def recording(port, sent):
    """Pass bytes on to `port` and keep what each client sent, one entry a connection; yield the port to ask."""

    async def pump(reader, writer, kept=None):
        while piece := await reader.read(65536):
            if kept is not None:
                kept.append(piece)
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def passed(reader, writer):
        kept = []
        sent.append(kept)
        behind, ahead = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, ahead, kept), pump(behind, writer), return_exceptions=True)

    server = await asyncio.start_server(passed, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def played(x):
    """Let the client ask everything through the gateway; return what it read and the bytes that it sent."""
    sent = []
    with inference_server.serving(
        of_callable("softmax", scores_of, Arrays(SHAPE, 0.0, 1.0), classes=CLASSES), "m"
    ) as url:
        wanted = settings.parse(
            f'[[predict.models]]\nname = "m"\nurl = "{url}"\nclasses = {CLASSES}\n[[predict.models.inputs]]\n'
            f'name = "input"\ndatatype = "FP32"\nshape = {list(SHAPE)}\nlow = 0.0\nhigh = 1.0\n'
        )
        opener = assembly.gate_opener(wanted, InputScreen(), MemoryLog, SystemClock())
        listening = listen("127.0.0.1", 0)
        async with serving(GatewayApp(opener), listening), recording(listening.getsockname()[1], sent) as port:
            given = (peer_python(), "-c", CLIENT, f"http://127.0.0.1:{port}", json.dumps(x.tolist()))
            process = await asyncio.create_subprocess_exec(*given, stdout=asyncio.subprocess.PIPE)
            out, _ = await process.communicate()
    return dict(json.loads(line) for line in out.decode().splitlines()), [b"".join(kept) for kept in sent]


def expected(x):
    """What the client must read."""
    scores = scores_of(x)
    whole = {"id": "one", "scores": scores.tolist(), "label": scores.argmax(axis=1).tolist()}
    ways = ("JSON", "binary", "binary in, binary out", "binary in, JSON out", "JSON in, all binary out")
    return {
        "server live": True, "server ready": True, "model ready": True, "model of another name": False,
        **dict.fromkeys(ways, whole), "version 1": {"predictions": scores.tolist()},
    }  # fmt: skip


def same(said, wanted):
    """Whether what was read is what was expected, numbers within float32."""
    if isinstance(wanted, dict):
        return isinstance(said, dict) and said.keys() == wanted.keys() and all(same(said[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return np.allclose(said, wanted, atol=1e-6)
    return said == wanted


def main():
    """Ask, compare, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", action="store_true")
    record = parser.parse_args().record
    x = np.random.default_rng(1).uniform(0, 1, (2, *SHAPE)).astype(np.float32)
    said, sent = asyncio.run(played(x))
    found = {name: same(said.get(name), wanted) for name, wanted in expected(x).items()}
    found["out of range is refused"] = "outside 0..1" in str(said.get("out of range"))
    for name, works in found.items():
        print(f"{name:28} {'works' if works else said.get(name)}")
    python = sys.version.split()[0]
    RESULT.write_text(
        json.dumps({"version": __version__, "python": python, "client": PEER, "works": found}, indent=2) + "\n"
    )
    if record:
        kept = {"client": PEER, "connections": [base64.b64encode(one).decode() for one in sent]}
        RECORDED.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
