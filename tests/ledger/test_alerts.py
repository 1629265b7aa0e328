"""Alerts from records: counted within a time, quiet after, never about themselves."""

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections.watch import Alert
from bartizan.ledger.alerts import STANDARD, Watcher
from bartizan.ledger.log import Ledger

FLOOD = Alert("flood", "exchange", ("verdict=block",), 3, 60, 4)


@pytest.fixture
def log(tmp_path):
    """An empty log and its clock."""
    clock = StoppedClock()
    ledger = Ledger.open(tmp_path / "l", origin="t", clock=clock)
    yield ledger, clock
    ledger.close()


def seen(watcher, log, kind, body, times=1):
    """Append `times` records and return the names of the alerts that they raise."""
    ledger, _ = log
    first = ledger.size()
    ledger.append_many([(kind, body)] * times)
    return [one.name for one in watcher.see(ledger.entries(first, 1000))]


def test_so_many_within_the_time_raise_it_and_fewer_do_not(log):
    """Two, then the third; others of the kind do not count."""
    watcher = Watcher((FLOOD,), quiet_s=600)
    assert seen(watcher, log, "exchange", {"verdict": "block"}, 2) == []
    assert seen(watcher, log, "exchange", {"verdict": "allow"}, 9) == []
    assert seen(watcher, log, "exchange", {"verdict": "block"}) == ["flood"]


def test_what_is_spread_over_a_longer_time_raises_nothing(log):
    """One a minute."""
    watcher = Watcher((FLOOD,), quiet_s=0)
    for _ in range(6):
        assert seen(watcher, log, "exchange", {"verdict": "block"}) == []
        log[1].advance(61)


def test_the_same_alert_is_quiet_for_a_while_and_then_told_again(log):
    """Also after a restart, which keeps when it was told."""
    watcher = Watcher((FLOOD,), quiet_s=600)
    assert seen(watcher, log, "exchange", {"verdict": "block"}, 50) == ["flood"]
    again = Watcher((FLOOD,), quiet_s=600, told_ns=dict(watcher.told_ns))
    assert seen(again, log, "exchange", {"verdict": "block"}, 50) == []
    log[1].advance(601)
    assert seen(again, log, "exchange", {"verdict": "block"}, 3) == ["flood"]


@pytest.mark.parametrize(
    ("kind", "body", "name"),
    [
        ("canary", {"control": "output.leak", "stopped": False}, "canary attack not stopped"),
        ("canary", {"control": "output.leak", "stopped": None}, None),
        ("canary", {"control": "output.leak", "stopped": True}, None),
        ("exchange", {"output": [{"rule": "control-failed"}]}, "a control failed"),
        ("exchange", {"input": {"findings": [{"rule": "control-timeout"}]}}, "a control failed"),
        ("exchange", {"output": [{"rule": "canary-leak"}]}, None),
        ("verified", {"intact": False}, "the ledger is not intact"),
        ("verified", {"intact": True}, None),
        ("switched-off", {"scope": "all"}, "something was stopped by an operator"),
    ],
)
def test_the_standard_rules_tell_what_matters(log, kind, body, name):
    """And nothing else."""
    assert seen(Watcher(STANDARD, quiet_s=0), log, kind, body) == ([name] if name else [])


def test_the_message_says_what_and_where_and_shows_hostile_text_harmlessly(log):
    """The control, why, and the record."""
    ledger, _ = log
    ledger.append("canary", {"control": "output.leak", "stopped": False, "why": "it \u202e passed"})
    (one,) = Watcher(STANDARD, quiet_s=0).see(ledger.entries(0, 1))
    assert "output.leak" in one.message
    assert "record 0" in one.message
    assert "\u202e" not in one.message
    assert one.seqs == (0,)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((FLOOD, FLOOD), "one name"),
        ((Alert("x", "alert", (), 1, 1),), "never end"),
        ((Alert("x", "exchange", ("verdict",), 1, 1),), "field=value"),
    ],
)
def test_rules_that_cannot_be_read_are_refused(rules, said):
    """At start, with the rule's name."""
    with pytest.raises(BadSettings, match=said):
        Watcher(rules, quiet_s=0)


def test_two_scopes_are_two_alerts(log):
    """The second key's budget is not hidden by the first one's alert."""
    watcher = Watcher(STANDARD, quiet_s=600)
    assert seen(watcher, log, "budget-near", {"scope": "key:a"}, 2) == ["a budget nears its cap"]
    assert seen(watcher, log, "budget-near", {"scope": "key:b"}) == ["a budget nears its cap"]
