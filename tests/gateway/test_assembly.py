"""From settings to a gate."""

import pytest

from bartizan.core import settings
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.detect.pictures import models
from bartizan.gateway import assembly
from bartizan.gateway.auth import Anyone, SharedKey
from bartizan.gateway.testing import MemoryLog, WordScreen


def test_a_network_address_needs_a_key(tmp_path):
    """Open to the network without a key is refused with the next step."""
    with pytest.raises(BadSettings, match="anybody on the network"):
        assembly.authenticator(settings.parse('[gateway]\nhost = "0.0.0.0"'), SystemClock())
    key = tmp_path / "key"
    key.write_text("secret\n")
    guarded = settings.parse(f'[gateway]\nhost = "0.0.0.0"\napi_key_file = "{key}"')
    assert isinstance(assembly.authenticator(guarded, SystemClock()), SharedKey)
    assert isinstance(assembly.authenticator(settings.parse(""), SystemClock()), Anyone)


async def test_the_gate_opens_and_closes_its_log():
    """The log is opened when serving starts and closed when it stops."""
    log = MemoryLog()
    opened = assembly.gate_opener(settings.parse(""), WordScreen(), lambda: log, SystemClock())
    async with opened() as gate:
        assert gate.upstream.name == "routes"
        await gate.evidence.record("k", {})
    assert log.closed
    assert log.checkpoints == 1


def test_pictures_are_not_read_unless_asked_for(monkeypatch):
    """Off by default; switched on without the extra, the error names the command."""
    assert settings.parse("").pictures.read == "off"
    monkeypatch.setattr(models, "_NEEDED", ("no_such_module",))
    asked = settings.parse('[pictures]\nread = "on"')
    with pytest.raises(BadSettings, match="pictures cannot be read") as raised:
        assembly.gate_opener(asked, WordScreen(), MemoryLog, SystemClock())
    assert "pip install" in raised.value.hint()
