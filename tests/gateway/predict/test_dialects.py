"""Two forms of the same question: the protocol's, and plain lists."""

import json

import numpy as np
import pytest
from tests.gateway.predict.conftest import settings_for

from bartizan.core.errors import BadRequest
from bartizan.core.sections.predict import PredictInput
from bartizan.gateway.predict.dialects import DIALECT, V2, Plain
from bartizan.gateway.predict.model import Prediction
from bartizan.gateway.predict.tensors import Request, Wanted, head_length, read_answer

MODEL = settings_for().models[0]
SAID = Prediction(np.array([[0.25, 0.25, 0.5]]), np.array([2]))


def test_outputs_leave_in_the_form_that_was_asked_for():
    """One in binary, one in JSON, nothing else."""
    body, headers = V2().write(MODEL, Request((), "9", (Wanted("scores", True), Wanted("label", False))), SAID)
    back = read_answer(body, head_length(headers, body), 100)
    np.testing.assert_array_equal(back["scores"].values, SAID.scores)
    np.testing.assert_array_equal(back["label"].values, SAID.labels)
    assert json.loads(body[: head_length(headers, body)])["id"] == "9"


def test_only_scores_and_labels_can_be_asked_for():
    """Other outputs of the server (features, logits) do not leave."""
    x = {"name": "input", "datatype": "FP32", "shape": [1, 2, 4], "data": [0] * 8}
    body = json.dumps({"inputs": [x], "outputs": [{"name": "embedding"}]}).encode()
    with pytest.raises(BadRequest, match="'embedding': expected label or scores"):
        V2().read(MODEL, [], body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"instances":[]}',
        b'{"instances":[[1],[1,2]]}',
        b'{"instances":["a"]}',
        b'{"instances":[{"other":[1]}]}',
        b'{"instances":[[1]],"parameters":{}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_list_of_examples_is_refused(body):
    """Empty, ragged, of words, of other inputs, too deep."""
    with pytest.raises(BadRequest):
        Plain().read(MODEL, [], body)


def test_several_inputs_come_as_objects():
    """Each instance names every input."""
    two = settings_for(inputs=(PredictInput("a", "FP32", (2,)), PredictInput("b", "INT64", ()))).models[0]
    tensors = Plain().read(two, [], b'{"instances":[{"a":[1,2],"b":3},{"a":[4,5],"b":6}]}').inputs
    assert [tensor.values.tolist() for tensor in tensors] == [[[1, 2], [4, 5]], [3, 6]]
    with pytest.raises(BadRequest, match="objects with 2 inputs"):
        Plain().read(two, [], b'{"instances":[{"a":[1,2]}]}')


def test_too_many_examples_or_numbers_are_refused_in_the_plain_form_too():
    """The same limits as in the protocol's."""
    small = settings_for(rows=2, elements=16).models[0]
    for instances in ([[0]] * 3, [[0.0] * 20]):
        with pytest.raises(BadRequest):
            Plain().read(small, [], json.dumps({"instances": instances}).encode())


def test_errors_have_the_protocols_form():
    """`error` is a sentence, as Triton's and KServe's clients read it."""
    said = DIALECT.error(404, "not_found", "No such model.")
    assert (said.status, json.loads(said.body)) == (404, {"error": "No such model.", "code": "not_found"})


def test_a_body_may_name_the_model_again_but_no_other():
    """KServe's client does; two names would be two questions."""
    x = {"name": "input", "datatype": "FP32", "shape": [1, 2, 4], "data": [0] * 8}
    body = {"id": None, "model_name": "m", "inputs": [x]}
    assert V2().read(MODEL, [], json.dumps(body).encode()).named == "m"
    with pytest.raises(BadRequest, match="model_name 'other'"):
        V2().read(MODEL, [], json.dumps({**body, "model_name": "other"}).encode())
