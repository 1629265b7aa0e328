"""What KServe's client sent to a gateway (`make bench-kserve ARGS=--record` recorded it) is answered as it needs."""

import asyncio
import base64
import json
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from tests.gateway.predict.conftest import behind, scores_of, settings_for

CONNECTIONS = [
    base64.b64decode(one) for one in json.loads(Path(__file__).with_name("kserve.json").read_text())["connections"]
]


async def replay(url, sent):
    """Send what one connection sent, request by request; return (status, headers, body) of each answer."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    answers = []
    for _ in range(sent.count(b" HTTP/1.1\r\n")):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        answers.append((int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))))
    writer.close()
    return answers


def tensors(headers, body):
    """The outputs of a v2 answer by name, from JSON or binary as each is given."""
    size = int(headers.get("inference-header-content-length", len(body)))
    said, tail = json.loads(body[:size]), body[size:]
    assert said["id"] == "one"
    found = {}
    for one in said["outputs"]:
        kind = {"FP32": np.float32, "INT64": np.int64}[one["datatype"]]
        binary = one.get("parameters", {}).get("binary_data_size")
        values = np.array(one["data"], kind) if binary is None else np.frombuffer(tail[:binary], kind)
        tail = tail[binary or 0 :]
        found[one["name"]] = values.reshape(one["shape"])
    assert not tail
    return found


@pytest.mark.parametrize("encoding", ["json", "binary"])
async def test_version_2_of_the_protocol(world, model_url, encoding):
    """Health, a model of another name, tensors in JSON and binary either way, and an input out of range."""
    example = np.random.default_rng(1).uniform(0, 1, (2, 2, 4)).astype(np.float32)
    async with behind(world, settings_for(model_url, encoding=encoding)).server() as url:
        answers = await replay(url, CONNECTIONS[0])
    assert [status for status, _, _ in answers] == [200, 200, 200, 404, 200, 200, 200, 200, 200, 400]
    assert json.loads(answers[0][2])["live"] is json.loads(answers[1][2])["ready"] is True
    for _, headers, body in answers[4:9]:
        found = tensors(headers, body)
        np.testing.assert_allclose(found["scores"], scores_of(example), atol=1e-6)
        np.testing.assert_array_equal(found["label"], scores_of(example).argmax(axis=1))
    assert "outside 0..1" in json.loads(answers[9][2])["error"]


async def test_version_1_of_the_protocol(world, model_url, example):
    """Plain JSON in, plain JSON out."""
    async with behind(world, settings_for(model_url)).server() as url:
        ((status, _, body),) = await replay(url, CONNECTIONS[1])
    assert status == 200
    np.testing.assert_allclose(json.loads(body)["predictions"], scores_of(example), atol=1e-6)
