"""The watch in the gateway: an attack over HTTP is answered less and less, recorded, and told of."""

import numpy as np
import pytest
from tests.gateway.predict.conftest import behind, v2_body
from tests.gateway.predict.traffic import SIZE, honest, profile, steps

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.core.sections.predict import Predict, PredictInput, PredictModel, PredictStep
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.predict.assembly import predictions
from bartizan.gateway.predict.watching import QueryWatch
from bartizan.lab.inference_server import serving
from bartizan.lab.target import Arrays, of_callable
from bartizan.policy.release import Release

WEIGHTS = np.random.default_rng(7).normal(size=(SIZE, 3))
INFER = "/v2/models/m/infer"
STEPS = (PredictStep(1, "record"), PredictStep(2, "labels"), PredictStep(4, "noise"), PredictStep(6, "block"))


def scores_of(x):
    """A softmax regression."""
    odds = np.exp(x.reshape(len(x), -1) @ WEIGHTS)
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.fixture
def url():
    """A model server for images of digits."""
    with serving(of_callable("softmax", scores_of, Arrays((SIZE,), 0.0, 1.0), classes=3), "m") as address:
        yield address


@pytest.fixture
def path(tmp_path):
    """The profile as a file."""
    profile().write(tmp_path / "m.profile")
    return tmp_path / "m.profile"


def settings(url, path, answers=STEPS, size=SIZE, **more):
    """One watched model."""
    model = PredictModel(
        name="m", url=url, classes=3, inputs=(PredictInput("input", "FP32", (size,), 0.0, 1.0),), profile=str(path)
    )
    return Predict(models=(model,), answers=answers, history=2000, **more)


async def test_an_attack_is_answered_less_and_less(world, url, path, monkeypatch):
    """Scores, the label alone, noisy scores, nothing; the ledger says why and the alerts say who."""
    monkeypatch.setenv("NOISE", "sixteen characters")
    behind(world, settings(url, path, noise_key_env="NOISE"))
    told = []
    alerts = Alerts()
    alerts.record = lambda kind, body: told.append((kind, body))
    world.options["predictive"].watch.alerts = alerts
    async with world.client() as client:
        answers = [await client.post(INFER, content=v2_body(one[None])) for one in steps(14)]
        after = await client.post(INFER, content=v2_body(honest()[1][200:201]))
    assert [one.status_code for one in answers] == [200] * 9 + [403] * 5
    scores = [one.json()["outputs"][1]["data"] for one in answers[:9]]
    truth = [scores_of(one[None])[0] for one in steps(14)]
    for number in range(5):
        np.testing.assert_allclose(scores[number], truth[number], atol=1e-5)
    for number in (5, 6):
        assert sorted(scores[number]) == [0.0, 0.0, 1.0]
    for number in (7, 8):
        assert np.argmax(scores[number]) == np.argmax(truth[number])
        assert np.abs(scores[number] - truth[number]).max() > 1e-3
    assert after.status_code == 200
    records = [body for kind, body in world.records if kind == "exchange"]
    assert [len(one["output"]) for one in records] == [0] * 4 + [1] * 10 + [0]
    assert records[4]["output"][0]["rule"] == "query-attack"
    assert records[12]["verdict"] == "block"
    assert "query attack" in records[12]["why"]
    assert [(kind, body["answer"]) for kind, body in told] == [
        ("query-attack", answer) for answer in ("record", "labels", "noise", "block")
    ]


async def test_many_examples_in_one_request_are_all_looked_at(world, url, path):
    """The attack hides in one batch: the batch is refused."""
    async with behind(world, settings(url, path, (PredictStep(2, "block"),))).client() as client:
        response = await client.post(INFER, content=v2_body(np.concatenate([honest()[1][:20], steps(12)])))
        honest_ = await client.post(INFER, content=v2_body(honest()[1][100:160]))
    assert response.status_code == 403
    assert honest_.status_code == 200


async def test_without_a_profile_nothing_is_watched_and_without_answers_the_usual_ones_are_given(world, url, path):
    """A profile is the operator's choice; who makes one need not say what is done."""
    for chosen, expected in ((settings(url, ""), {200}), (settings(url, path, ()), {200, 403})):
        async with behind(world, chosen).client() as client:
            answers = [await client.post(INFER, content=v2_body(one[None])) for one in steps(14)]
        assert {one.status_code for one in answers} == expected


def test_what_cannot_work_is_refused(path, tmp_path):
    """A missing file, a profile of another model, noise without its secret."""
    with pytest.raises(BadArtifact, match="no profile"):
        predictions(settings("http://127.0.0.1:9", tmp_path / "none"))
    with pytest.raises(BadSettings, match="made for 64 numbers"):
        predictions(settings("http://127.0.0.1:9", path, size=65))
    with pytest.raises(BadSettings, match="noise_key"):
        predictions(settings("http://127.0.0.1:9", path, (PredictStep(1, "noise"),)))


def test_who_is_noticed_is_misled_as_before():
    """Fewer scores leave, and strange inputs still get no true label: being noticed must not tell a thief more."""
    key = {"key": b"k" * 32, "centre": np.zeros(4), "scale": np.ones(4)}
    usual = Release(**key, mislead=True)
    watch = QueryWatch({}, {"m": Release(1.0, **key)})
    for answer in ("labels", "noise"):
        assert watch.release("m", answer, usual).mislead
        assert not watch.release("m", answer, None).mislead
    assert watch.release("m", "labels", usual).labels_only
    assert watch.release("m", "noise", usual).noise == 1.0
