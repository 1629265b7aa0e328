"""A real predictive model behind a real model server, for the tests of the predictive gateway."""

import contextlib
import json

import numpy as np
import pytest

from bartizan.core.sections.predict import Predict, PredictInput, PredictModel
from bartizan.gateway.predict.assembly import predictions
from bartizan.lab.inference_server import serving
from bartizan.lab.target import Arrays, of_callable

CLASSES, SHAPE = 3, (2, 4)
WEIGHTS = np.random.default_rng(7).normal(size=(8, CLASSES))


def scores_of(x):
    """The model: a softmax regression with fixed weights."""
    logits = x.reshape(len(x), -1) @ WEIGHTS
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def settings_for(url="http://127.0.0.1:9", releases=(), inputs=None, **model):
    """The settings of one model named `m`."""
    inputs = inputs or (PredictInput("input", "FP32", SHAPE, 0.0, 1.0),)
    more = {key: model.pop(key) for key in ("noise_key_env", "noise_key_file") if key in model}
    entry = PredictModel(name="m", url=url, classes=CLASSES, inputs=inputs, **model)
    return Predict(models=(entry,), releases=releases, **more)


@contextlib.contextmanager
def model_server():
    """The URL of a reference server that runs the model under the name `m`."""
    with serving(of_callable("softmax", scores_of, Arrays(SHAPE, 0.0, 1.0), classes=CLASSES), "m") as url:
        yield url


@pytest.fixture
def model_url():
    """The URL of a running model server."""
    with model_server() as url:
        yield url


@pytest.fixture
def example():
    """Two examples."""
    return np.random.default_rng(1).uniform(0, 1, (2, *SHAPE)).astype(np.float32)


def v2_body(x, name="input", datatype="FP32", **more):
    """An inference request in JSON."""
    entry = {"name": name, "datatype": datatype, "shape": list(np.shape(x)), "data": np.ravel(x).tolist()}
    return json.dumps({"inputs": [entry], **more}).encode()


def behind(world, settings):
    """Let a gateway in memory serve the models in `settings`."""
    world.options["predictive"] = predictions(settings)
    return world
