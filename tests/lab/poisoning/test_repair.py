"""Unlearning takes the backdoor out and leaves what the network knows; the given network is not touched."""

from tests.lab.poisoning.conftest import wins

from bartizan.lab.poisoning.repair import accuracy, unlearnt

SPAN = (0.0, 1.0)


def test_unlearning_with_a_found_trigger(backdoored, scanned):
    """The true trigger wins hardly more."""
    network, _, (x, y) = backdoored
    before = wins(network, (x, y))
    repaired = unlearnt(network, (x[:250], y[:250]), SPAN, scanned.suspects)
    assert wins(repaired, (x[250:], y[250:])) < 0.1
    assert accuracy(repaired, (x[250:], y[250:])) > accuracy(network, (x[250:], y[250:])) - 0.06
    assert wins(network, (x, y)) == before


def test_unlearning_with_isolated_rows_needs_no_trigger(backdoored):
    """A third of them, as a check held them back, take away half and more of its effect."""
    network, (rows, given), (x, y) = backdoored
    repaired = unlearnt(network, (x[:250], y[:250]), SPAN, isolated=(rows[:20], given[:20]))
    assert wins(repaired, (x[250:], y[250:])) < 0.5
    assert accuracy(repaired, (x[250:], y[250:])) > accuracy(network, (x[250:], y[250:])) - 0.03


def test_fine_tuning_alone_leaves_the_backdoor(backdoored):
    """The case in which a repair must fail: honest examples say nothing of the trigger."""
    network, _, (x, y) = backdoored
    assert wins(unlearnt(network, (x[:250], y[:250]), SPAN), (x[250:], y[250:])) > 0.3
