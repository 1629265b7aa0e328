"""The contract: what fits passes as it is, and every way not to fit is refused with what was expected."""

import numpy as np
import pytest

from bartizan.core.errors import BadRequest
from bartizan.core.sections.predict import PredictInput, PredictModel
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.tensors import Tensor

MODEL = PredictModel(
    rows=4,
    inputs=(
        PredictInput("a", "FP32", (2,), 0.0, 1.0),
        PredictInput("b", "INT64", (-1,), 0, 9),
        PredictInput("c", "FP32", (1,), nan=True),
    ),
)


def tensors(**changed):
    """Three inputs that fit, some of them changed."""
    fitting = {
        "a": Tensor("a", "FP32", np.full((2, 2), 0.5, np.float32)),
        "b": Tensor("b", "INT64", np.ones((2, 3), np.int64)),
        "c": Tensor("c", "FP32", np.array([[np.nan], [1]], np.float32)),
    }
    return tuple((fitting | changed).values())


def test_what_fits_is_counted():
    """Two examples, in any order of inputs."""
    assert Contract(MODEL).rows(tensors()) == 2
    assert Contract(MODEL).rows(tensors()[::-1]) == 2


@pytest.mark.parametrize(
    ("name", "datatype", "values", "why"),
    [
        ("a", "FP64", np.zeros((2, 2)), "datatype FP64, expected FP32"),
        ("a", "FP32", np.zeros((2, 3), np.float32), r"shape \[2, 3\], expected \[n, 2\]"),
        ("a", "FP32", np.zeros(2, np.float32), r"expected \[n, 2\]"),
        ("a", "FP32", np.full((2, 2), 1.01, np.float32), r"4 values outside 0\.\.1"),
        ("a", "FP32", np.array([[np.nan, 0], [0, 0]], np.float32), "NaN"),
        ("c", "FP32", np.array([[np.inf], [0]], np.float32), "infinite"),
        ("c", "FP32", np.zeros((3, 1), np.float32), "the same number"),
        ("b", "INT64", np.full((2, 3), 10), "outside 0..9"),
    ],
)
def test_what_does_not_fit_is_refused(name, datatype, values, why):
    """With the input's name and what was expected."""
    with pytest.raises(BadRequest, match=why):
        Contract(MODEL).rows(tensors(**{name: Tensor(name, datatype, values)}))


def test_inputs_that_are_missing_twice_or_unknown_are_refused():
    """Each input exactly once."""
    given = tensors()
    for wrong in (given[:2], (*given, given[0]), (*given[:2], Tensor("d", "FP32", given[2].values))):
        with pytest.raises(BadRequest, match="each once"):
            Contract(MODEL).rows(wrong)


def test_the_number_of_examples_is_bounded_on_both_ends():
    """None is refused, and so are more than the model's limit."""
    one = PredictModel(rows=4, inputs=(PredictInput("a", "FP32", (2,)),))
    for count in (0, 5):
        with pytest.raises(BadRequest, match="expected 1 to 4"):
            Contract(one).rows((Tensor("a", "FP32", np.zeros((count, 2), np.float32)),))


def test_features_are_one_line_for_each_example():
    """Side by side in the contract's order; what is missing reads as 0."""
    lines = Contract(MODEL).features(tensors()[::-1])
    np.testing.assert_array_equal(lines, [[0.5, 0.5, 1, 1, 1, 0], [0.5, 0.5, 1, 1, 1, 1]])
