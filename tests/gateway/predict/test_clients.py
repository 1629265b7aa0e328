"""The official client of the protocol works through the gateway unchanged: it cannot tell it from a model server."""

import asyncio

import numpy as np
import pytest
from tests.gateway.predict.conftest import behind, scores_of, settings_for

from bartizan.core.sections.predict import PredictRelease

triton = pytest.importorskip("tritonclient.http")
utils = pytest.importorskip("tritonclient.utils")


def ask(address, x, *, binary, named=True):
    """Ask with tritonclient, in binary or in JSON; return the scores and labels."""
    client = triton.InferenceServerClient(address)
    try:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("m")
        assert client.get_model_metadata("m")["inputs"][0]["name"] == "input"
        entry = triton.InferInput("input", list(x.shape), "FP32")
        entry.set_data_from_numpy(x, binary_data=binary)
        wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("scores", "label")]
        said = client.infer("m", [entry], outputs=wanted if named else None, request_id="one")
        assert said.get_response()["id"] == "one"
        return said.as_numpy("scores"), said.as_numpy("label")
    finally:
        client.close()


@pytest.mark.parametrize("encoding", ["json", "binary"])
@pytest.mark.parametrize(("binary", "named"), [(True, True), (False, True), (True, False)])
async def test_tritonclient_gets_scores_and_labels(world, model_url, example, binary, named, encoding):
    """Binary and JSON on either side, outputs named or left to the server."""
    async with behind(world, settings_for(model_url, encoding=encoding)).server() as url:
        address = url.removeprefix("http://")
        scores, labels = await asyncio.to_thread(ask, address, example, binary=binary, named=named)
    np.testing.assert_allclose(scores, scores_of(example), atol=1e-6)
    np.testing.assert_array_equal(labels, scores_of(example).argmax(axis=1))


async def test_tritonclient_reads_our_refusals(world, model_url, example):
    """An input out of range is an error that the client shows as the server's."""
    async with behind(world, settings_for(model_url)).server() as url:
        with pytest.raises(utils.InferenceServerException, match=r"outside 0\.\.1"):
            await asyncio.to_thread(ask, url.removeprefix("http://"), example + 1, binary=True)


async def test_tritonclient_cannot_manage_the_server(world, model_url):
    """Repository, shared memory and trace routes are refused to the same client."""

    def manage(address):
        client = triton.InferenceServerClient(address)
        refused = 0
        for call in (
            client.get_model_repository_index,
            client.get_system_shared_memory_status,
            client.get_trace_settings,
            lambda: client.load_model("m"),
            lambda: client.register_system_shared_memory("r", "/k", 16),
            lambda: client.get_inference_statistics("m"),
        ):
            try:
                call()
            except utils.InferenceServerException as error:
                refused += "not served here" in str(error)
        client.close()
        return refused

    async with behind(world, settings_for(model_url)).server() as url:
        assert await asyncio.to_thread(manage, url.removeprefix("http://")) == 6


async def test_rounded_scores_reach_the_client(world, model_url, example):
    """What the release decides is what the client sees."""
    rules = (PredictRelease(digits=1),)
    async with behind(world, settings_for(model_url, rules)).server() as url:
        scores, _ = await asyncio.to_thread(ask, url.removeprefix("http://"), example, binary=True)
    np.testing.assert_allclose(scores, np.round(scores, 1), atol=1e-6)
    assert not np.allclose(scores, scores_of(example), atol=1e-3)
