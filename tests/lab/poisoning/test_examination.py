"""Figures before and after come from examples that neither search nor repair saw; nothing found, nothing repaired."""

from tests.lab.poisoning.conftest import wins

from bartizan.lab.poisoning.examination import Task, examine

SPAN = (0.0, 1.0)


def told(what, done, total):
    """Nobody looks."""


def test_a_backdoor_is_found_repaired_and_measured(backdoored):
    """With the honest accuracy it costs, and how many isolated rows still get the attacker's label."""
    network, poison, data = backdoored
    found = examine(network, data, SPAN, told, Task(repair=True, isolated=poison))
    before, after = found.outcome.before, found.outcome.after
    assert before["clean accuracy"].n == 250
    assert before["patch into class 3 wins"].value > 0.7
    assert before["isolated rows still get their label"].value > 0.9
    assert after["patch into class 3 wins"].value < 0.2
    assert after["isolated rows still get their label"].value < 0.2
    assert after["clean accuracy lost"].value < 0.06
    assert wins(found.network, data) < 0.1


def test_an_honest_network_is_left_as_it_is(honest, backdoored):
    """Though a repair was asked for."""
    found = examine(honest, backdoored[2], SPAN, told, Task(repair=True))
    assert found.network is honest
    assert found.outcome.how == "scanned only"
    assert found.outcome.after == {}
