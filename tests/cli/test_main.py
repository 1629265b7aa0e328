"""The command line: our errors become one line and exit code 2."""

import pytest

from bartizan.cli import base, main
from bartizan.core.errors import BadRequest


def test_without_a_command_it_explains_itself(capsys):
    """argparse exits 2 and prints the commands."""
    with pytest.raises(SystemExit) as caught:
        main.main([])
    assert caught.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def _command(failure):
    def run(args):
        raise failure

    return base.Command("fail", "fails", lambda parser: None, run)


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (BadRequest("it is wrong", hint="do right"), 2, "bartizan: it is wrong\n          do right\n"),
        (KeyboardInterrupt(), 130, "bartizan: stopped\n"),
    ],
)
def test_a_failure_becomes_a_line_and_a_code(monkeypatch, capsys, failure, code, said):
    """No traceback reaches the user."""
    monkeypatch.setattr(main, "COMMANDS", (_command(failure),))
    assert main.main(["fail"]) == code
    assert capsys.readouterr().err == said
