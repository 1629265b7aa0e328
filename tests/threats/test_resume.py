"""An interrupted run: what was finished is taken over by the same plan only."""

import pytest
from msgspec.structs import replace

from bartizan.core import settings
from bartizan.core.errors import BadSettings
from bartizan.threats import THREATS
from bartizan.threats.base import Row, State
from bartizan.threats.resume import Partial, fingerprint

DONE = Row(THREATS[8], State.HOLDS, "every claim held")
LOST = Row(THREATS[0], State.UNTESTED, "no answer")


def test_finished_rows_are_taken_over_and_untested_ones_are_not(tmp_path):
    """The count of requests survives either way."""
    first = Partial(tmp_path / "p", "plan")
    first.add(DONE, 0)
    first.add(LOST, 37)
    again = Partial.resumed(tmp_path / "p", "plan")
    assert again.rows == {DONE.threat.id: DONE}
    assert again.spent == 37


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path):
    """A kill in the middle of a write."""
    Partial(tmp_path / "p", "plan").add(DONE, 0)
    path = tmp_path / "p"
    path.write_bytes(path.read_bytes() + b'12 {"threat":"T01","sta')
    assert list(Partial.resumed(path, "plan").rows) == [DONE.threat.id]


def test_another_plan_is_refused(tmp_path):
    """Other settings, threats or seed: the rows would not belong together."""
    Partial(tmp_path / "p", "plan")
    with pytest.raises(BadSettings, match="other settings"):
        Partial.resumed(tmp_path / "p", "other")
    plain = settings.parse("")
    seeded = replace(plain, assess=replace(plain.assess, seed=1))
    assert len({fingerprint(plain, THREATS), fingerprint(seeded, THREATS), fingerprint(plain, THREATS[:1])}) == 3


def test_nothing_to_resume_is_said(tmp_path):
    """Not silently started anew."""
    with pytest.raises(BadSettings, match="does not exist"):
        Partial.resumed(tmp_path / "p", "plan")


def test_a_finished_run_leaves_no_file(tmp_path):
    """The report stands in its place."""
    Partial(tmp_path / "p", "plan").finished()
    assert not (tmp_path / "p").exists()
