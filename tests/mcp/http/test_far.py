"""A server at an address: our credential, renewed once; the headers that repeat a request."""

import pytest
from tests.mcp.http.far_server import FarServer, served

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.credentials import NoCredential
from bartizan.mcp.http.far import Far, stateless_version
from bartizan.mcp.http.outside import Outside, place
from bartizan.mcp.messages import Notification, Request
from bartizan.mcp.methods import VERSION_KEY


class Renewed:
    """A credential whose second form is the right one."""

    def __init__(self):
        self.key = "old"

    async def headers(self):
        return [("authorization", f"Bearer {self.key}")]

    async def renew(self):
        changed, self.key = self.key == "old", "new"
        return changed


async def test_a_refused_credential_is_renewed_once():
    """And what was asked is asked again."""
    far = FarServer(challenge="new")
    async with served(far) as url:
        way = Far("far", place(url), Outside({"127.0.0.1"}), Renewed(), timeout_s=5.0)
        answer = await way.post(Request(1, "ping", {}), [], lambda _: {})
        answer.release()
        assert answer.status == 200
        far.challenge = "another"
        answer = await way.post(Request(1, "ping", {}), [], lambda _: {})
        answer.release()
        assert answer.status == 401
        await way.close()
    assert [headers["authorization"] for _, headers, _ in far.sent] == ["Bearer old", *["Bearer new"] * 2]


def test_a_message_says_its_version_or_not():
    """Only since 2026-07-28."""
    assert stateless_version(Request(1, "ping", {"_meta": {VERSION_KEY: "2026-07-28"}})) == "2026-07-28"
    assert stateless_version(Request(1, "ping", {"_meta": {VERSION_KEY: ["2026-07-28"]}})) == ""
    assert stateless_version(Notification("x", {})) == ""


def test_a_place_inside_is_not_connected_to():
    """Unless the operator wrote it."""
    with pytest.raises(UpstreamFailed):
        Far("far", place("https://10.0.0.1/"), Outside(), NoCredential(), timeout_s=5.0)
