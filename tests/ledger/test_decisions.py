"""Decisions: one right to one execution, whoever else opens the file."""

import threading

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadEvidence
from bartizan.ledger.decisions import Decisions, call_hash


def test_a_decision_is_spent_once_by_name_and_arguments(tmp_path):
    """Order of keys and 5.0 for 5 change nothing; everything else does."""
    decisions = Decisions(tmp_path / "d.sqlite", StoppedClock())
    id_ = decisions.issue("pay", {"to": "x", "amount": 5})
    assert decisions.spend(["pay"], {"amount": 6, "to": "x"}) == ("", "none")
    assert decisions.spend(["send"], {"amount": 5, "to": "x"}) == ("", "none")
    assert decisions.spend(["send", "pay"], {"amount": 5.0, "to": "x"}) == (id_, "none")
    assert decisions.spend(["pay"], {"amount": 5, "to": "x"}) == ("", "spent")
    assert call_hash({"a": [1.5, {"b": True}]}) != call_hash({"a": [1.5, {"b": 1}]})


def test_a_decision_expires_and_a_newer_one_is_found_behind_it(tmp_path):
    """The one that still holds counts."""
    clock = StoppedClock()
    decisions = Decisions(tmp_path / "d.sqlite", clock)
    decisions.issue("pay", {}, 1)
    clock.advance(2)
    assert decisions.spend(["pay"], {}) == ("", "expired")
    id_ = decisions.issue("pay", {})
    assert decisions.spend(["pay"], {}) == (id_, "none")


def test_what_the_chat_side_decides_about_is_known(tmp_path):
    """Also when it allowed nothing."""
    decisions = Decisions(tmp_path / "d.sqlite", StoppedClock())
    assert not decisions.decides(["pay"])
    decisions.heard_of("pay")
    assert decisions.decides(["x", "pay"])


def test_many_at_once_spend_it_once(tmp_path):
    """Two executions of one decision never happen, whichever process or thread asks."""
    clock = StoppedClock()
    Decisions(tmp_path / "d.sqlite", clock).issue("pay", {})
    openers = [Decisions(tmp_path / "d.sqlite", clock) for _ in range(4)]
    won = []

    def spend(decisions):
        won.extend(id_ for id_ in [decisions.spend(["pay"], {})[0]] if id_)

    threads = [threading.Thread(target=spend, args=(one,)) for one in openers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_file_that_cannot_be_used_is_an_error(tmp_path):
    """No decision is better than a wrong one."""
    (tmp_path / "d.sqlite").write_bytes(b"no database" * 200)
    with pytest.raises(BadEvidence):
        Decisions(tmp_path / "d.sqlite", StoppedClock())
    decisions = Decisions(tmp_path / "e.sqlite", StoppedClock())
    decisions.close()
    with pytest.raises(BadEvidence):
        decisions.issue("pay", {})
