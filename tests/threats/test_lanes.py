"""Proofs in processes of their own: one that is late or dies costs its own row only."""

import multiprocessing

import pytest
from tests.threats.test_stage import configured

from bartizan.core.clock import SystemClock
from bartizan.threats import THREATS
from bartizan.threats.base import State, Threat
from bartizan.threats.lanes import Runner, _tell, lanes
from bartizan.threats.t01_prompt_injection import T01
from bartizan.threats.t09_supply_chain import T09

SILENT = Threat("T99", "Silent", "nobody", (), (), "all", ())


def rows(plan, threats, progress=lambda *said: None):
    """Run `threats` and return their rows by id."""
    return {row.threat.id: row for row in Runner(plan, SystemClock(), progress).rows(threats)}


def test_threats_that_talk_share_a_lane_and_the_others_have_their_own():
    """The chat lane comes first; a threat without a proof has none."""
    planned = lanes([T09, SILENT, T01])
    assert [[threat.id for threat in lane.threats] for lane in planned] == [["T01"], ["T09"]]
    assert [lane.chat for lane in planned] == [True, False]


def test_a_proof_runs_apart_and_its_row_comes_back(tmp_path):
    """With what it was doing, and with the row of a threat that claims nothing."""
    heard = []
    found = rows(configured(tmp_path), [T09, SILENT], lambda *said: heard.append(said))
    assert found["T09"].state is State.HOLDS
    assert found["T99"].state is State.NO_CLAIM
    assert any(what.startswith("T09 Supply-chain compromise: ") and total > 1 for what, _, total in heard)


def test_a_proof_that_takes_too_long_is_untested(tmp_path):
    """Stopped, and said which setting did it."""
    found = rows(configured(tmp_path, proof_timeout_s=0.01), [T09])
    assert found["T09"].state is State.UNTESTED
    assert "proof_timeout_s = 0.01" in found["T09"].why
    assert not multiprocessing.active_children()


def test_a_proof_whose_process_dies_is_untested(tmp_path):
    """As when the machine runs out of memory."""

    def kill(what, done, total):
        for child in multiprocessing.active_children():
            child.kill()

    found = rows(configured(tmp_path), [T09], kill)
    assert found["T09"].state is State.UNTESTED
    assert "died" in found["T09"].why


def test_an_endpoint_that_cannot_be_reached_costs_its_own_rows_only(tmp_path):
    """The scan is proved all the same."""
    found = rows(configured(tmp_path, target="http://127.0.0.1:9"), [T01, T09])
    assert found["T01"].state is State.UNTESTED
    assert "Is the server running" in found["T01"].why
    assert found["T09"].state is State.HOLDS


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat.id)
def test_every_registered_threat_can_be_found_in_a_lanes_process(threat):
    """A lane knows its threats by id only."""
    assert [one for one in THREATS if one.id == threat.id] == [threat]


def test_a_lane_whose_parent_was_killed_ends_quietly():
    """Nobody reads what it sends any more: it unwinds instead of leaving a traceback in the log."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    ours.close()
    with pytest.raises(SystemExit, match="143"):
        _tell(theirs, ("row", ""))
    theirs.close()
