"""prove(): holds, failed, untested and no claim are four different things."""

from dataclasses import replace

import pytest
from tests.threats.benches import bench

from bartizan.core.errors import UpstreamFailed
from bartizan.core.measures import AtLeast, AtMost, proportion
from bartizan.threats.base import Claim, Evidence, State, Threat, prove

EVIDENCE = Evidence(off=proportion(40, 40, seed=1), on=proportion(0, 40, seed=1))


def threat(*claims, run=lambda bench: EVIDENCE):
    """Return a threat of these claims."""
    return Threat("T00", "test", "nobody", (), (), "all", (), run if claims else None, claims)


WON = Claim("wins", lambda e: e.off, AtLeast(0.9))
STOPPED = Claim("is stopped", lambda e: e.on, AtMost(0.1))
WRONG = Claim("is perfect", lambda e: e.on, AtMost(0.01))


def test_claims_that_hold_make_a_row_that_holds():
    """Both ends respected."""
    row = prove(threat(WON, STOPPED), bench())
    assert row.state is State.HOLDS
    assert [claim.held for claim in row.claims] == [True, True]


def test_one_broken_claim_fails_the_row_and_says_the_figure():
    """0 of 40 does not show at most 1 %."""
    row = prove(threat(WON, WRONG), bench())
    assert row.state is State.FAILED
    assert "is perfect measured 0.0% [0.0%, 8.8%] n=40, claimed ≤ 0.01" in row.why


def test_a_claim_about_the_reference_decides_nothing_elsewhere():
    """On a user's own target it is shown, not counted."""
    claim = Claim("is perfect there", lambda e: e.on, AtMost(0.01), reference_only=True)
    asking = replace(threat(claim), asks_chat=True)
    assert prove(asking, bench()).state is State.FAILED
    row = prove(asking, replace(bench(), is_reference=False))
    assert row.state is State.HOLDS
    assert not row.claims[0].held


def test_a_claim_about_the_reference_decides_where_a_named_endpoint_is_not_asked():
    """A chat endpoint of the user's own does not turn the reference classifier of another row into theirs."""
    claim = Claim("is perfect there", lambda e: e.on, AtMost(0.01), reference_only=True)
    assert prove(threat(claim), replace(bench(), is_reference=False)).state is State.FAILED


def test_to_name_a_model_is_advised_only_where_none_was_measured():
    """First while the reference stands in, and not any more on the user's own."""
    named = replace(threat(WON), advice=("train",), name_yours="name it")
    assert prove(named, bench()).to_do() == ("name it", "train")
    own = replace(named, run=lambda bench: replace(EVIDENCE, on_reference=False))
    assert prove(own, bench()).to_do() == ("train",)
    assert prove(threat(WON), bench()).to_do() == ()


def test_what_cannot_run_is_untested_with_its_reason():
    """A dead target is no proof."""

    def dead(bench):
        raise UpstreamFailed("nobody home", hint="start it")

    row = prove(threat(WON, run=dead), bench())
    assert row.state is State.UNTESTED
    assert row.why == "nobody home (start it)"


def test_a_claim_that_could_not_be_measured_is_neither_held_nor_broken():
    """A row of which nothing could be measured is untested, with the run's own words."""
    missing = Claim("Cannot be measured here.", lambda evidence: None, AtMost(0.1))
    row = prove(threat(WON, missing), bench())
    assert row.state is State.HOLDS
    assert [claim.text for claim in row.claims] == [WON.text]
    assert prove(threat(missing), bench()).state is State.UNTESTED


def test_no_claim_is_a_state_of_its_own():
    """Shown, never passed."""
    assert prove(threat(), bench()).state is State.NO_CLAIM


def test_a_run_without_claims_is_refused():
    """Measuring without saying what is claimed proves nothing."""
    with pytest.raises(ValueError, match="expected a run with claims"):
        Threat("T00", "t", "n", (), (), "", (), lambda bench: EVIDENCE, ())


def test_a_bug_in_a_proof_is_untested_and_does_not_end_the_run():
    """Neither in the run nor in a figure that is missing."""

    def broken(bench):
        raise ZeroDivisionError("by zero")

    missing = Claim("is measured", lambda e: e.measured["nowhere"], AtMost(1))
    for one in (threat(WON, run=broken), threat(missing)):
        row = prove(one, bench())
        assert row.state is State.UNTESTED
        assert row.why.startswith("the proof itself failed: ")
