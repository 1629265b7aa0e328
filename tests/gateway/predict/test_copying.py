"""The watch for copies in the gateway: a thief is answered less and less, recorded, and told of; others are not."""

import numpy as np
import pytest
from tests.gateway.predict.conftest import behind, v2_body
from tests.gateway.predict.traffic import SIZE, honest, scores_of, sketch, unlike

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.core.sections.predict import (
    Predict,
    PredictExposure,
    PredictInput,
    PredictModel,
    PredictRelease,
    PredictStep,
)
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.predict.assembly import predictions
from bartizan.gateway.predict.copying import Copies
from bartizan.gateway.predict.model import Prediction
from bartizan.lab.inference_server import serving
from bartizan.lab.target import Arrays, of_callable

INFER = "/v2/models/m/infer"
STEPS = (PredictStep(1, "record"), PredictStep(2, "labels"), PredictStep(4, "block"))


@pytest.fixture
def url():
    """A model server for images of digits."""
    with serving(of_callable("softmax", scores_of, Arrays((SIZE,), 0.0, 1.0), classes=10), "m") as address:
        yield address


@pytest.fixture
def path(tmp_path):
    """The sketch as a file."""
    sketch().write(tmp_path / "m.sketch")
    return tmp_path / "m.sketch"


def settings(url, path, size=SIZE, **more):
    """One watched model."""
    model = PredictModel(
        name="m", url=url, classes=10, inputs=(PredictInput("input", "FP32", (size,), 0.0, 1.0),), sketch=str(path)
    )
    return Predict(models=(model,), **({"copying": STEPS} | more))


def taught(copies, caller, x, network="", now_s=0.0):
    """What people are told when a caller asked x in requests of 16."""
    scores = scores_of(x)
    told = []
    for at in range(0, len(x), 16):
        part = Prediction(scores[at : at + 16], scores[at : at + 16].argmax(axis=1))
        told += copies.learn(caller, network, x[at : at + 16], part, now_s)
    return told


async def test_a_thief_is_answered_less_and_less(world, url, path):
    """Scores, the label alone, nothing; the ledger says why, alerts say who."""
    behind(world, settings(url, path))
    told = []
    alerts = Alerts()
    alerts.record = lambda kind, body: told.append((kind, body))
    world.options["predictive"].tell(alerts)
    thief = unlike(96)
    async with world.client() as client:
        answers = [await client.post(INFER, content=v2_body(thief[at : at + 16])) for at in range(0, 96, 16)]
    assert [one.status_code for one in answers] == [200] * 5 + [403]
    first, later = (np.reshape(answers[at].json()["outputs"][1]["data"], (16, 10)) for at in (0, 4))
    np.testing.assert_allclose(first, scores_of(thief[:16]), atol=1e-5)
    assert set(later.ravel()) == {0.0, 1.0}
    records = [body for kind, body in world.records if kind == "exchange"]
    assert [one["output"][0]["rule"] if one["output"] else "" for one in records] == [""] * 2 + ["model-copying"] * 4
    assert records[-1]["verdict"] == "block"
    assert "unlike honest ones, noticed 4 times" in records[-1]["why"]
    assert [body["answer"] for kind, body in told if kind == "model-copying"] == ["record", "labels", "block"]


async def test_honest_callers_get_what_they_always_get(world, url, path):
    """500 questions, all answered with scores; metrics say that they are enough for a copy of a kind."""
    async with behind(world, settings(url, path)).client() as client:
        answers = [await client.post(INFER, content=v2_body(honest()[1][at : at + 50])) for at in range(0, 500, 50)]
        metrics = (await client.get("/metrics")).text
    assert {one.status_code for one in answers} == {200}
    scores = np.reshape(answers[-1].json()["outputs"][1]["data"], (50, 10))
    np.testing.assert_allclose(scores, scores_of(honest()[1][450:]), atol=1e-5)
    assert 'bartizan_copy_exposure{at_least="0.5"} 1' in metrics


def test_what_was_noticed_is_forgotten_and_honest_callers_are_excused():
    """After the time, the first answer comes again."""
    copies = Copies(sketch(), settings("http://127.0.0.1:9", "", forget_s=100.0), 10)
    taught(copies, "eve", unlike(96))
    assert copies.standing("eve", "", 0.0).answer == "block"
    assert copies.standing("bob", "", 0.0).answer is None
    assert copies.standing("eve", "", 101.0).answer is None


def test_a_network_or_newcomers_lose_scores_but_never_the_answer():
    """Whoever shares an address with thieves is not to be shut out for it."""
    copies = Copies(sketch(), settings("http://127.0.0.1:9", ""), 10)
    for number in range(40):
        taught(copies, f"once {number}", unlike(8, number))
    assert copies.standing("somebody new", "", 0.0).answer == "labels"
    for number in range(6):
        taught(copies, f"sybil {number}", unlike(64, number), "9.9.9.0/24")
    taught(copies, "bob", honest()[1][:128], "9.9.9.0/24")
    found = copies.standing("bob", "9.9.9.0/24", 0.0)
    assert (found.answer, "network 9.9.9.0/24" in found.why) == ("labels", True)
    taught(copies, "ann", honest()[1][:128], "8.8.8.0/24")
    assert copies.standing("ann", "8.8.8.0/24", 0.0).answer is None


def test_who_was_told_enough_for_a_good_copy_is_told_of_and_answered_so():
    """Even with honest questions; the levels are passed once each."""
    chosen = settings("http://127.0.0.1:9", "", exposed=(PredictExposure(0.7, "labels"),))
    copies = Copies(sketch(), chosen, 10)
    told = taught(copies, "ann", honest()[1])
    assert copies.standing("ann", "", 0.0).answer == "labels"
    assert "agrees in" in copies.standing("ann", "", 0.0).why
    levels = [one["exposure"] for one in told if "exposure" in one]
    assert levels == sorted(levels)
    assert 2 <= len(levels) <= 5


def test_what_cannot_work_is_refused(path, tmp_path):
    """A missing file, a sketch of another model."""
    with pytest.raises(BadArtifact, match="no sketch"):
        predictions(settings("http://127.0.0.1:9", tmp_path / "none"))
    with pytest.raises(BadSettings, match="made for 64 numbers"):
        predictions(settings("http://127.0.0.1:9", path, size=65))


async def test_inputs_unlike_honest_ones_are_misled_where_the_rule_says_so(world, url, path, monkeypatch):
    """A stranger's images get another label than the model's, the record says so; honest ones get the truth."""
    monkeypatch.setenv("NOISE", "a secret of some length")
    rules = (PredictRelease(mislead=True),)
    behind(world, settings(url, path, releases=rules, noise_key_env="NOISE", copying=(PredictStep(999, "record"),)))
    x = np.concatenate([honest()[1][:32], unlike(32)])
    async with world.client() as client:
        response = await client.post(INFER, content=v2_body(x))
    told = next(one["data"] for one in response.json()["outputs"] if one["name"] == "label")
    right = np.asarray(told) == scores_of(x).argmax(axis=1)
    assert right[:32].all()
    assert right[32:].mean() < 0.4
    records = [body for kind, body in world.records if kind == "exchange"]
    assert [one["rule"] for one in records[-1]["output"]] == ["misinformation"]
