"""`bartizan mcp permit`: one call may be executed once."""

from bartizan.cli.main import main
from bartizan.core.clock import SystemClock
from bartizan.ledger.decisions import Decisions


def test_a_decision_is_made_by_hand(tmp_path, monkeypatch, capsys):
    """It needs the file that the proxy reads, and a JSON object."""
    monkeypatch.chdir(tmp_path)
    assert main(["mcp", "permit", "pay", "{}"]) == 2
    (tmp_path / "bartizan.toml").write_text('[policy]\ndecisions_file = "d.sqlite"\n', encoding="utf-8")
    assert main(["mcp", "permit", "pay", "[]"]) == 2
    assert main(["mcp", "permit", "pay", "{"]) == 2
    assert main(["mcp", "permit", "pay", '{"to":"x"}']) == 0
    assert "once" not in capsys.readouterr().err
    decisions = Decisions(tmp_path / "d.sqlite", SystemClock())
    assert decisions.spend(["pay"], {"to": "x"})[0]
    assert decisions.spend(["pay"], {"to": "x"}) == ("", "spent")
