"""A planted trigger is found in its class and nowhere else; an honest network has none."""

import numpy as np
import pytest
from tests.lab.poisoning.conftest import wins

from bartizan.core.errors import BadArtifact
from bartizan.lab.poisoning.inversion import scan

SPAN = (0.0, 1.0)


def told(what, done, total):
    """Nobody looks."""


def test_a_backdoor_is_found_and_where_it_is(backdoored, scanned):
    """The change found turns nine in ten into 3 and is small; most of the patch is where the square was."""
    network, _, data = backdoored
    assert wins(network, data) > 0.95
    assert len(scanned.triggers) == 20
    assert {one.target for one in scanned.suspects} == {3}
    patch = next(one for one in scanned.suspects if one.kind == "patch")
    assert patch.wins > 0.8
    assert patch.mask[0, :3, :2].mean() > 3 * patch.mask.mean()


def test_an_honest_network_has_no_suspect(honest, backdoored):
    """Changes into all classes are of like size."""
    x, y = backdoored[2]
    found = scan(honest, (x[:250], y[:250]), SPAN, 10, told)
    assert found.suspects == ()
    assert max(one.size for one in found.triggers) < np.inf


def test_a_trigger_keeps_to_what_an_input_may_be(backdoored, scanned):
    """Whatever it adds."""
    for one in scanned.triggers[::7]:
        shown = one.shown(backdoored[2][0][:20], *SPAN)
        assert shown.min() >= 0
        assert shown.max() <= 1


def test_among_few_classes_nothing_can_stand_out(honest, backdoored):
    """It is refused, not guessed."""
    with pytest.raises(BadArtifact, match="4 and more"):
        scan(honest, backdoored[2], SPAN, 3, told)
