"""Which settings a command gets: the named file, ./bartizan.toml, or the defaults."""

import argparse

import pytest

from bartizan.cli.base import add_config, configured, named_port
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
