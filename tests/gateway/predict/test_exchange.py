"""A request to a predictive model: routes, rights, contract, release, record; what goes wrong is an answer too."""

import datetime
import json

import numpy as np
import pytest
from tests.gateway.predict.conftest import CLASSES, behind, scores_of, settings_for, v2_body

from bartizan.core.clock import StoppedClock
from bartizan.core.sections.limits import LimitRule, Limits
from bartizan.core.sections.predict import PredictRelease
from bartizan.gateway.auth import SharedKey
from bartizan.gateway.limits.files import Files
from bartizan.gateway.limits.limiter import Limiter
from bartizan.gateway.limits.prices import Book, write
from bartizan.ledger.stores.memory import MemoryStore

INFER = "/v2/models/m/infer"


def outputs(response):
    """The outputs of an answer by name."""
    return {one["name"]: np.array(one["data"]).reshape(one["shape"]) for one in response.json()["outputs"]}


async def test_scores_and_labels_come_as_the_model_gives_them(world, model_url, example):
    """Without a release the client gets what it would get from the server itself, and there is a record."""
    async with behind(world, settings_for(model_url)).client() as client:
        response = await client.post(INFER, content=v2_body(example, id="7"))
    assert response.status_code == 200
    assert response.json()["id"] == "7"
    np.testing.assert_allclose(outputs(response)["scores"], scores_of(example), atol=1e-6)
    np.testing.assert_array_equal(outputs(response)["label"], scores_of(example).argmax(axis=1))
    kind, record = world.records[-1]
    assert (kind, record["wire"], record["model"]) == ("exchange", "open-inference", "m")
    assert record["usage"] == {"input": 2, "output": 0}
    assert response.headers["x-bartizan-receipt"]


async def test_the_plain_route_answers_in_its_own_form(world, model_url, example):
    """KServe's version 1: instances in, predictions out."""
    async with behind(world, settings_for(model_url)).client() as client:
        response = await client.post("/v1/models/m:predict", json={"instances": example.tolist()})
    np.testing.assert_allclose(response.json()["predictions"], scores_of(example), atol=1e-6)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/repository/index"),
        ("POST", "/v2/repository/models/m/load"),
        ("POST", "/v2/repository/models/m/unload"),
        ("GET", "/v2/systemsharedmemory/status"),
        ("POST", "/v2/systemsharedmemory/region/x/register"),
        ("POST", "/v2/cudasharedmemory/region/x/register"),
        ("POST", "/v2/models/m/trace/setting"),
        ("GET", "/v2/trace/setting"),
        ("GET", "/v2/models/stats"),
        ("GET", "/v2/models/m/stats"),
        ("GET", "/v2/models/m/config"),
        ("POST", "/v2/logging"),
        ("POST", "/v2/models/m/generate"),
        ("POST", "/v2/models/m/infer/"),
        ("POST", "/v2/models/../repository/index"),
        ("POST", "/v2/models/m/versions/1/infer"),
        ("POST", "/v2/models/other/infer"),
    ],
)
async def test_routes_that_manage_the_server_are_denied_and_recorded(world, model_url, method, path):
    """The reference server would have answered these; the gateway does not know them."""
    async with behind(world, settings_for(model_url)).client() as client:
        response = await client.request(method, path, content=b"{}")
    assert response.status_code == 404
    assert "error" in response.json()
    assert not path.startswith("/v2/models/../") or "asked" not in response.json()
    assert world.records[-1][1]["verdict"] == "block"


async def test_health_metadata_and_readiness_are_answered(world, model_url):
    """Health needs no key; metadata tells the contract and nothing of the server behind."""
    world.auth = SharedKey("the-key-of-the-test")
    key = {"authorization": "Bearer the-key-of-the-test"}
    async with behind(world, settings_for(model_url)).client() as client:
        assert (await client.get("/v2/health/live")).json() == {"live": True}
        assert (await client.get("/v2/health/ready")).json() == {"ready": True}
        assert (await client.get("/v2/models/m")).status_code == 401
        told = (await client.get("/v2/models/m", headers=key)).json()
        assert (await client.get("/v2/models/m/ready", headers=key)).status_code == 200
        assert (await client.get("/v2", headers=key)).json()["name"] == "bartizan"
        assert (await client.get("/v2/models/m/infer", headers=key)).status_code == 405
    assert told["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 2, 4]}]
    assert {one["name"] for one in told["outputs"]} == {"label", "scores"}


@pytest.mark.parametrize("key", [None, "Bearer wrong"])
async def test_nobody_asks_without_a_key(world, model_url, example, key):
    """The same keys as everywhere; the model server hears nothing."""
    world.auth = SharedKey("the-key-of-the-test")
    async with behind(world, settings_for("http://127.0.0.1:9")).client() as client:
        response = await client.post(INFER, content=v2_body(example), headers={"authorization": key} if key else {})
    assert response.status_code == 401
    assert "the-key" not in response.text


async def test_a_request_outside_the_contract_never_reaches_the_server(world, example):
    """Nothing listens at the server's address: only a refusal of ours can be the answer."""
    async with behind(world, settings_for()).client() as client:
        for body in (v2_body(example * 2), v2_body(example[:, :1]), v2_body(example, name="other"), b"[]", b"\xff"):
            response = await client.post(INFER, content=body)
            assert response.status_code == 400, response.text
        compressed = await client.post(INFER, content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert compressed.status_code == 400


async def test_a_server_that_fails_is_a_normal_error(world, example):
    """502, and not a word of what the server said."""
    async with behind(world, settings_for()).client() as client:
        response = await client.post(INFER, content=v2_body(example))
    assert response.status_code == 502
    assert response.json()["error"] == "The model server did not answer."


async def test_what_the_server_says_of_its_own_errors_does_not_leave(world, model_url, example):
    """The reference server answers a wrong width with its file's name; the client reads a plain 502."""
    from bartizan.core.sections.predict import PredictInput

    wrong = settings_for(model_url, inputs=(PredictInput("input", "FP32", (2, 5), 0.0, 1.0),))
    async with behind(world, wrong).client() as client:
        response = await client.post(INFER, content=v2_body(np.zeros((1, 2, 5))))
    assert response.status_code == 502
    assert "inference_server.py" not in response.text


async def test_a_caller_gets_what_its_release_lets_out(world, model_url, example):
    """Labels only: the label is the model's, its score is 1, all others 0."""
    rules = (PredictRelease(callers=("somebody",)), PredictRelease(callers=("*",), labels_only=True))
    async with behind(world, settings_for(model_url, rules)).client() as client:
        response = await client.post(INFER, content=v2_body(example))
    expected = np.eye(CLASSES)[scores_of(example).argmax(axis=1)]
    np.testing.assert_array_equal(outputs(response)["scores"], expected)


async def test_a_ledger_that_fails_lets_nothing_out(world, model_url, example):
    """No answer without a record."""
    world.log.fails = True
    async with behind(world, settings_for(model_url)).client() as client:
        response = await client.post(INFER, content=v2_body(example))
    assert response.status_code == 503
    assert "outputs" not in response.json()


async def test_examples_are_counted_as_input_tokens(world, model_url, example, tmp_path):
    """A limit of three examples an hour lets one request of two pass and not the second."""
    clock = StoppedClock()
    rules = (LimitRule(scope="all", allow="3 input tokens per hour"),)
    prices = tmp_path / "prices.json"
    write(prices, Book(datetime.date(2023, 11, 1), ()))
    limits = Limits(rules=rules, rules_file=str(tmp_path / "rules.json"), prices_file=str(prices))
    world.options["limits"] = Limiter(limits, Files(limits, clock), MemoryStore(clock), clock)
    async with behind(world, settings_for(model_url)).client() as client:
        first = await client.post(INFER, content=v2_body(example))
        second = await client.post(INFER, content=v2_body(example))
    assert (first.status_code, second.status_code) == (200, 429)
    assert "error" in json.loads(second.content)
