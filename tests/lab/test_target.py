"""What a target lets an attacker see, what it refuses, and how it counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadRequest, BadSettings, Refused, UpstreamFailed
from bartizan.lab.target import Access, Arrays, Counter, Target, Texts, Traits, of_callable, softmax

SPEC = Arrays((2,), 0, 1)


def sum_model(x):
    """Class 1 when the features add up to more than 1."""
    z = x.sum(axis=1) - 1
    return np.stack([-z, z], axis=1)


def target(**given):
    return of_callable("sum", sum_model, SPEC, classes=2, score_kind="logits", **given)


def test_scores_probabilities_and_labels_agree():
    """The three ways to ask say the same thing."""
    x = np.array([[0.1, 0.2], [0.9, 0.9]])
    asked = target()
    assert asked.labels(x).tolist() == [0, 1]
    assert asked.probabilities(x).argmax(axis=1).tolist() == [0, 1]
    assert np.allclose(asked.probabilities(x), softmax(asked.scores(x)))
    assert np.allclose(asked.probabilities(x).sum(axis=1), 1)


def test_every_row_is_counted_and_a_limit_is_never_passed():
    """Three calls of two rows are six queries; the seventh row does not reach the model."""
    asked = Target("sum", sum_model, SPEC, Traits(2), counter=Counter(limit=6))
    for _ in range(3):
        asked.labels(np.zeros((2, 2)))
    assert asked.queries == 6
    with pytest.raises(Refused, match="limit of this run is 6"):
        asked.labels(np.zeros((1, 2)))
    assert asked.queries == 6


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros((1, 3)), r"shape \(1, 3\): expected \(n, 2\)"),
        (np.zeros(2), r"shape \(2,\): expected"),
        (np.array([["a", "b"]]), "dtype"),
        (np.array([[0, np.nan]]), "1 values that are NaN"),
        (np.array([[0, 2.0]]), "1 input values outside 0..1: got 0..2"),
        (np.array([[-np.inf, np.nan]]), "2 values that are NaN or infinite"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_what_was_expected(x, said):
    """Wrong shape, kind, NaN and range each have words of their own."""
    asked = target()
    with pytest.raises(BadRequest, match=said):
        asked.labels(x)
    assert asked.queries == 0


def test_each_column_may_have_a_range_of_its_own():
    """What one column may hold is too much for another."""
    spec = Arrays((2,), np.zeros(2), np.array([1, 5]))
    assert spec.checked([[1, 5]]).tolist() == [[1, 5]]
    with pytest.raises(BadRequest, match="1 input values outside"):
        spec.checked([[5, 1]])


def test_texts_are_strings():
    """A single string is not a batch, and a number is not a text."""
    assert Texts().checked(["a", "b"]) == ["a", "b"]
    with pytest.raises(BadRequest, match="one string"):
        Texts().checked("abc")
    with pytest.raises(BadRequest, match="input 1: expected a string"):
        Texts().checked(["a", 3])
    with pytest.raises(BadRequest, match="6 characters"):
        Texts(longest=5).checked(["abcdef"])


def test_less_access_hides_scores_and_shares_the_counter():
    """Seen with labels only, scores cannot be had, and queries still add up in one place."""
    full = target()
    seen = full.seen_with(Access.LABELS)
    assert seen.labels(np.array([[0.9, 0.9]])).tolist() == [1]
    with pytest.raises(BadSettings, match="labels only"):
        seen.scores(np.zeros((1, 2)))
    assert full.queries == 1
    with pytest.raises(BadSettings, match="cannot be seen with WHITE_BOX"):
        full.seen_with(Access.WHITE_BOX)


def test_a_model_that_answers_in_the_wrong_shape_or_nan_is_an_upstream_failure():
    """What comes back is checked as strictly as what goes in."""
    wide = of_callable("wide", lambda x: np.zeros((len(x), 3)), SPEC, classes=2)
    with pytest.raises(UpstreamFailed, match=r"expected \(n, 2\) scores"):
        wide.scores(np.zeros((1, 2)))
    nan = of_callable("nan", lambda x: np.full((len(x), 2), np.nan), SPEC, classes=2)
    with pytest.raises(UpstreamFailed, match="NaN"):
        nan.scores(np.zeros((1, 2)))
    beyond = of_callable("beyond", lambda x: np.full(len(x), 7), SPEC, classes=2, access=Access.LABELS)
    with pytest.raises(UpstreamFailed, match="answered labels 7"):
        beyond.labels(np.zeros((1, 2)))


def test_a_function_has_no_gradients_and_a_model_needs_two_classes():
    """White-box access cannot be claimed without a module."""
    with pytest.raises(BadSettings, match="no gradients"):
        target(access=Access.WHITE_BOX)
    with pytest.raises(BadSettings, match="needs a torch module"):
        Target("sum", sum_model, SPEC, Traits(2, Access.WHITE_BOX))
    with pytest.raises(BadSettings, match="expected at least 2"):
        Target("sum", sum_model, SPEC, Traits(1))


def test_no_rows_give_no_answers():
    """An empty batch is fine and costs nothing."""
    assert target().labels(np.zeros((0, 2))).shape == (0,)


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=8))
def test_whatever_floats_come_in_either_fit_or_are_refused(rows):
    """No NaN, infinity or value out of range reaches the model."""
    seen = []

    def spy(x):
        seen.append(x)
        return sum_model(x)

    asked = of_callable("spy", spy, SPEC, classes=2, score_kind="logits")
    try:
        asked.labels(np.array(rows, dtype=np.float64).reshape(-1, 2))
    except BadRequest:
        assert seen == []
    for x in seen:
        assert np.isfinite(x).all()
        assert x.min() >= -1e-4
        assert x.max() <= 1 + 1e-4
