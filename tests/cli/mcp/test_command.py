"""`bartizan mcp`: the acts stand in one tuple and each explains itself."""

import pytest

from bartizan.cli.main import main
from bartizan.cli.mcp.command import ACTS


def test_every_act_is_shown(capsys):
    """In the help of the command."""
    with pytest.raises(SystemExit):
        main(["mcp", "--help"])
    shown = capsys.readouterr().out
    assert all(act.name in shown for act in ACTS)
