"""Which settings a command gets: the named file, ./bartizan.toml, or the defaults."""

import argparse

import pytest

from bartizan.cli.base import add_config, at_least, configured, named_port
from bartizan.core.errors import BadSettings


def test_the_named_file_wins_then_the_local_one_then_the_defaults(tmp_path, monkeypatch):
    """Three cases, one after the other."""
    parser = argparse.ArgumentParser()
    add_config(parser)
    monkeypatch.chdir(tmp_path)
    assert configured(parser.parse_args([])).gateway.port == 8787
    (tmp_path / "bartizan.toml").write_text("[gateway]\nport = 1\n")
    assert configured(parser.parse_args([])).gateway.port == 1
    other = tmp_path / "other.toml"
    other.write_text("[gateway]\nport = 2\n")
    assert configured(parser.parse_args(["--config", str(other)])).gateway.port == 2


def test_a_port_is_one_that_there_is():
    """0 asks for a free one."""
    assert [named_port(port) for port in (0, 65535)] == [0, 65535]
    for port in (-1, 65536):
        with pytest.raises(BadSettings, match=f"--port = {port}"):
            named_port(port)


@pytest.mark.parametrize("word", ["0", "-5", "1.5", "many", "", "²"])
def test_a_count_below_the_least_names_its_argument(word, capsys):
    """Nothing works on no example, and a negative number would silently mean all but the last ones."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=at_least(1))
    assert parser.parse_args(["--examples", "1"]).examples == 1
    with pytest.raises(SystemExit):
        parser.parse_args([f"--examples={word}"])
    assert f"--examples: {word}: expected a whole number from 1" in capsys.readouterr().err
