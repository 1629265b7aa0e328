"""`bartizan lab` lists its acts."""

import pytest

from bartizan.cli.lab.command import ACTS
from bartizan.cli.main import main


def test_every_act_is_in_the_help(capsys):
    """One line each."""
    with pytest.raises(SystemExit):
        main(["lab", "--help"])
    said = capsys.readouterr().out
    assert all(act.name in said for act in ACTS)


def test_an_act_is_demanded():
    """The word alone does nothing."""
    with pytest.raises(SystemExit):
        main(["lab"])
