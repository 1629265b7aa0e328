"""Assembly: settings become a server with everything in it, or an error at start."""

import pytest

from bartizan.core import settings
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings
from bartizan.mcp.assembly import Assembly


def test_settings_become_a_server(tmp_path):
    """With its lock, its decisions and what it may not ask."""
    (tmp_path / "rules.cedar").write_text("permit(principal, action, resource);", encoding="utf-8")
    toml = f"""
    [policy]
    decisions_file = "{tmp_path}/decisions.sqlite"
    rules_file = "{tmp_path}/rules.cedar"
    [mcp]
    lock_file = "{tmp_path}/lock.json"
    """
    assembly = Assembly(settings.parse(toml), StoppedClock())
    server = assembly.server("demo")
    assert server.calls.rules is not None
    assert server.calls.decisions is assembly.decisions
    assert server.catalogue.pins is assembly.pins
    assembly.close()


def test_a_missing_file_is_an_error(tmp_path):
    """Named with its key."""
    with pytest.raises(BadSettings, match="rules_file"):
        Assembly(settings.parse(f'[policy]\nrules_file = "{tmp_path}/none"'), StoppedClock())
