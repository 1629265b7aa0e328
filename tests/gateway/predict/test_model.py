"""What a model server says is read strictly: anything else than what was asked for is its failure."""

import json

import numpy as np
import pytest
from tests.gateway.predict.conftest import settings_for

from bartizan.core.errors import UpstreamFailed
from bartizan.core.sections.predict import PredictModel
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.model import Model, softmax
from bartizan.gateway.predict.tensors import Tensor, read_request
from bartizan.gateway.testing import ScriptedAnswer, StubUpstream


def model(**changed):
    """The model of the tests, without a server."""
    settings = settings_for(**changed).models[0]
    return Model(settings, Contract(settings), StubUpstream())


def said(scores=((0.2, 0.3, 0.5),), labels=(2,), status=200, **changed):
    """An answer of a model server; `scores` or `labels` None leaves the output out."""
    outputs = []
    if scores is not None:
        data = np.asarray(scores, float)
        outputs.append({"name": "scores", "datatype": "FP32", "shape": list(data.shape), "data": data.ravel().tolist()})
    if labels is not None:
        outputs.append({"name": "label", "datatype": "INT64", "shape": [len(labels)], "data": list(labels)})
    return ScriptedAnswer([json.dumps({"outputs": outputs, **changed}).encode()], status)


async def test_scores_and_labels_are_read():
    """In the types that the rest works with."""
    found = await model().read(said(), 1)
    np.testing.assert_allclose(found.scores, [[0.2, 0.3, 0.5]])
    assert found.labels.tolist() == [2]


@pytest.mark.parametrize(
    "answer",
    [
        said(status=500),
        said(scores=None),
        said(labels=None),
        said(labels=(3,)),
        said(labels=(-1,)),
        said(labels=(1, 2)),
        said(scores=((0.5, 0.5),)),
        said(scores=((-0.5, 0.5, 1.0),)),
        ScriptedAnswer([b"not json"]),
        ScriptedAnswer([b'{"outputs":[{"name":"scores","datatype":"FP32","shape":[1,3],"data":[NaN,1,1]}]}']),
        ScriptedAnswer([b'{"outputs":[{"name":"scores","datatype":"FP32","shape":[1,3],"data":[1e39,1,1]}]}']),
        ScriptedAnswer([b"{", UpstreamFailed("cut short")]),
    ],
)
async def test_anything_else_is_the_servers_failure(answer):
    """Wrong status, shape, range, form, or an answer that breaks off; the connection is given back."""
    with pytest.raises(UpstreamFailed):
        await model().read(answer, 1)
    assert answer.released


async def test_labels_come_from_scores_where_there_is_no_other_output():
    """And a server of labels alone is read too."""
    assert (await model(label="").read(said(labels=None), 1)).labels.tolist() == [2]
    assert (await model(scores="").read(said(scores=None), 1)).scores is None


def test_the_question_is_written_anew_with_the_servers_own_name():
    """Name, version and outputs are the operator's; the numbers are those that were checked."""
    x = Tensor("input", "FP32", np.ones((1, 2, 4), np.float32))
    path, _, body = model(upstream_name="other", version="3").asking((x,))
    assert path == "/v2/models/other/versions/3/infer"
    back = read_request(body, len(body), 100)
    np.testing.assert_array_equal(back.inputs[0].values, x.values)
    assert [one.name for one in back.wanted] == ["scores", "label"]


def test_nan_travels_in_binary():
    """JSON has no word for it."""
    entry = PredictModel(name="m", classes=2)
    body = Model(entry, Contract(entry), StubUpstream()).asking(
        (Tensor("input", "FP32", np.array([[np.nan]], np.float32)),)
    )[2]
    assert b"NaN" not in body
    assert b"binary_data_size" in body


def test_softmax_does_not_overflow():
    """Large logits are as good as small ones."""
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0]])), [[0.5, 0.5]])
