"""Finished runs: kept under their time, found by name, and nothing else is taken for one."""

import json

import pytest
from tests.threats.examples import assessment

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.threats.history import keep, kept, load


def test_runs_are_kept_by_time_and_two_of_one_second_are_both_kept(tmp_path):
    """The oldest first."""
    first, second = keep(tmp_path / "runs", assessment()), keep(tmp_path / "runs", assessment(failed=False))
    assert [path.name for path in (first, second)] == ["20260102T030405Z.json", "20260102T030405Z-2.json"]
    assert set(kept(tmp_path / "runs")) == {first, second}


def test_a_run_is_found_by_name_by_file_and_counted_from_the_last(tmp_path):
    """`last-1` is the one before the last."""
    old = keep(tmp_path, assessment())
    newer = tmp_path / "20270101T000000Z.json"
    newer.write_text(json.dumps({**json.loads(old.read_text()), "seed": 8}))
    assert load(tmp_path, "last")["seed"] == 8
    assert load(tmp_path, "last-1")["seed"] == load(tmp_path, old.stem)["seed"] == load(tmp_path, str(old))["seed"] == 7


def test_what_is_not_there_or_no_report_is_refused(tmp_path):
    """With the next step."""
    with pytest.raises(BadSettings, match="holds 0 runs"):
        load(tmp_path, "last")
    with pytest.raises(BadSettings, match="no such run"):
        load(tmp_path, "yesterday")
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "y.json").write_text("{")
    for name in ("x", "y"):
        with pytest.raises(BadEvidence, match="no report"):
            load(tmp_path, name)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    """Not a stack trace after a long run."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSettings, match="cannot be kept"):
        keep(tmp_path / "file", assessment())
