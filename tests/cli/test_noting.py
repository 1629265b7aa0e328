"""What an operator did is evidence."""

from pathlib import Path

from bartizan.cli.main import main
from bartizan.cli.noting import note
from bartizan.core.sections import Settings


def test_a_note_is_a_record_that_verifies(tmp_path, monkeypatch, capsys):
    """It is in the ledger, under a checkpoint."""
    monkeypatch.chdir(tmp_path)
    note(Settings(), "limit-set", scope="all")
    assert Path("bartizan-data/checkpoints.txt").exists()
    assert main(["ledger", "show"]) == 0
    assert "limit-set" in capsys.readouterr().out
