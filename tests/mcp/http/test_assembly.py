"""The endpoint from the settings: paths, who may call, and what waits for approval is not served."""

import pytest
from tests.mcp.http.conftest import Records

from bartizan.core import settings
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings, Refused
from bartizan.mcp.http.assembly import Endpoint


def written(folder, *servers, host="127.0.0.1"):
    """Return settings with these servers."""
    entries = "".join(f'[[mcp.servers]]\nname = "{name}"\nurl = "{url}"\n' for name, url in servers)
    return settings.parse(
        f'[gateway]\nkeys_file = "{folder}/keys.json"\n'
        f'[mcp]\nlock_file = "{folder}/lock.json"\nhost = "{host}"\n{entries}'
    )


async def test_each_server_has_its_path(tmp_path):
    """A single one is also at /mcp; each launch is recorded."""
    one = Endpoint(written(tmp_path, ("a", "https://a.test/mcp")), StoppedClock())
    assert list(one.paths()) == ["/mcp", "/a/mcp"]
    records = Records()
    async with one.opened(records) as door:
        assert door.body_bytes == 16777216
    assert records.of("mcp-launch")[0]["server"] == "a"
    two = Endpoint(written(tmp_path, ("a", "https://a.test/mcp"), ("b", "https://b.test/mcp")), StoppedClock())
    assert list(two.paths()) == ["/a/mcp", "/b/mcp"]


async def test_an_address_that_changed_is_not_served(tmp_path):
    """Until a person approves it."""
    async with Endpoint(written(tmp_path, ("a", "https://a.test/mcp")), StoppedClock()).opened(Records()):
        pass
    with pytest.raises(Refused, match="how it is reached"):
        async with Endpoint(written(tmp_path, ("a", "https://evil.test/mcp")), StoppedClock()).opened(Records()):
            pass


def test_what_cannot_be_served_is_said_at_once(tmp_path):
    """No server, one name twice, a network without keys (CVE-2026-32211)."""
    with pytest.raises(BadSettings, match="expected a server"):
        Endpoint(written(tmp_path), StoppedClock())
    with pytest.raises(BadSettings, match="once"):
        Endpoint(written(tmp_path, ("a", "https://a.test"), ("a", "https://b.test")), StoppedClock())
    with pytest.raises(BadSettings, match="without a key"):
        Endpoint(written(tmp_path, ("a", "https://a.test"), host="0.0.0.0"), StoppedClock())
