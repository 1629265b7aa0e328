"""`bartizan mcp pins`: a table for people, JSON for programs, an exit code for scripts."""

import json

from tests.mcp.standing import TOOLS, listed, ready, server_at, tool

from bartizan.cli.main import main


def test_pins_are_listed(tmp_path, monkeypatch, capsys):
    """First nothing, then what is approved, then what waits."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bartizan.toml").write_text('[mcp]\nlock_file = "mcp-lock.json"\n', encoding="utf-8")
    assert main(["mcp", "pins"]) == 0
    assert "nothing is pinned" in capsys.readouterr().out
    talk = ready(server_at(tmp_path))
    assert main(["mcp", "pins", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["demo"]) == {one["name"] for one in TOOLS}
    listed(talk, (tool("add", "Other."),))
    assert main(["mcp", "pins", "demo"]) == 1
    assert "1 wait" in capsys.readouterr().out
