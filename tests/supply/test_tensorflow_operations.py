"""The three lists of operations do not contradict each other."""

import pytest

from bartizan.supply.tensorflow_operations import BLOCKED, ORDINARY, SAVING


def test_no_operation_is_on_two_lists():
    """What acts on the world is never ordinary."""
    assert not set(BLOCKED) & ORDINARY
    assert not (set(BLOCKED) | ORDINARY) & SAVING


@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "PyFunc", "MatchingFiles", "SaveDatasetV2", "RpcCall"])
def test_what_acts_on_the_world_is_blocked(op):
    """With a reason that a person understands."""
    assert BLOCKED[op].split()[0] in ("reads", "writes", "opens", "runs")


def test_dataset_from_graph_is_not_ordinary():
    """It runs a graph that is hidden in a string."""
    assert "DatasetFromGraph" not in ORDINARY
