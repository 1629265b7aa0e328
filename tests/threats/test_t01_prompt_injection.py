"""T01 on small real targets: leaky off, screened on, dead, and a gateway that blocks everything."""

import pytest
from tests.threats.benches import Dead, Guarded, Leaky, Toolless, bench

from bartizan.core.messages import Reply
from bartizan.lab.chat import Answered
from bartizan.threats.base import State, prove
from bartizan.threats.t01_prompt_injection import CASES, T01


class BlocksAll:
    """A control that is switched to 'nobody passes'."""

    def ask(self, prompt):
        """Block."""
        return Answered(Reply("no"), 0.0, True)


def test_a_leaky_target_behind_a_good_screen_holds_every_claim():
    """Attack success falls from almost all to none, benign requests pass, every attempt is recorded."""
    records = []
    row = prove(T01, bench(record=lambda kind, body: records.append(body)))
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value > 0.7  # tool cases cannot be won without tool calls
    assert row.evidence.on.value == 0
    assert row.evidence.measured["benign blocked"].value == 0
    assert {body["control"] for body in records} == {"off", "on"}
    assert len({body["case"] for body in records}) == sum(CASES)
    shown = [(one.control, one.succeeded) for one in row.evidence.worst]
    assert shown == [("off", True), ("on", False)]


def test_a_control_that_does_nothing_fails():
    """The same target on both sides: nothing is taken from the attacker."""
    row = prove(T01, bench(guarded=Leaky()))
    assert row.state is State.FAILED
    assert "takes away" in row.why


def test_a_control_that_blocks_everything_fails_on_benign_requests():
    """Safety by refusing all is not safety."""
    row = prove(T01, bench(guarded=BlocksAll()))
    assert row.state is State.FAILED
    assert "Benign requests pass." in row.why


@pytest.mark.parametrize("side", ["bare", "guarded"])
def test_a_dead_target_is_untested(side):
    """On either side; a dead gateway must not look like a perfect control."""
    row = prove(T01, bench(**{side: Dead()}))
    assert row.state is State.UNTESTED
    assert "got no answer" in row.why


def test_the_baselines_expose_a_bad_judge():
    """Neither bot is ever broken; neither answers."""
    baselines = prove(T01, bench(guarded=Guarded())).evidence.baselines
    assert baselines["echo bot: attack success"].value == 0
    assert baselines["refuse-everything bot: attack success"].value == 0
    assert baselines["refuse-everything bot: benign answered"].value == 0
    assert baselines["echo bot: benign answered"].value == 0


def test_a_target_that_takes_no_tools_is_measured_without_them_and_the_report_says_so():
    """Six goals need tools: they are left out on both sides, named in a note, and the other rows stand."""
    row = prove(T01, bench(bare=Toolless()))
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.n == row.evidence.on.n == sum(CASES[:2])
    assert any("Not tested: unauthorised tool call" in note and "HTTP 400" in note for note in row.evidence.notes)
    assert not any("Not tested" in note for note in prove(T01, bench()).evidence.notes)


def test_the_wordings_that_got_through_are_named():
    """A control that is beaten by a plain question is told from one that is beaten by a trick."""
    notes = prove(T01, bench(guarded=Leaky())).evidence.notes
    assert any(note.startswith("What won with the control on, by wording: ") for note in notes)
    assert not any("by wording" in note for note in prove(T01, bench()).evidence.notes)
