"""The page for assessments: the latest first, each with its rows and what changed since the one before."""

import json

import pytest
from tests.threats.test_compare import run

from bartizan.cli.panels.runs import Runs
from bartizan.core import settings
from bartizan.core.errors import BadRequest


def test_a_run_shows_its_rows_and_what_changed(tmp_path, monkeypatch):
    """The control that made the difference is on the page."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bartizan-data/runs"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(run(stopped={"output.leak": 20}, settings={"output.leak": "block"})))
    (folder / "b.json").write_text(json.dumps(run(30, state="failed", settings={"output.leak": "off"})))
    page = Runs(settings.parse(""))
    assert [(item.id, item.tone) for item in page.items()] == [("b", "bad"), ("a", "good")]
    (rows,) = page.detail("a")
    assert rows.rows[1][0] == "T01 Prompt injection"
    assert "output.leak stopped 20 before and 0 now" in page.detail("b")[1].text
    with pytest.raises(BadRequest, match="cannot be changed"):
        page.act("x", "a", "ann", {})
