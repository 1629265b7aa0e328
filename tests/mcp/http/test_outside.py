"""Where we connect to: what the operator wrote, or the Internet at large, whatever a name resolves to."""

import pytest
from tests.mcp.http.far_server import FarServer, served

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.outside import Outside, fetched, place


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "https://user:pw@host.test/",
        "https://host.test/#a",
        "https://host.test\\@evil.test/",
        "https://host.test/a b",
        "https://host.test/$(calc.exe)",
        "https://host.test/';calc;'",
        "https://ho|st.test/",
        "https://host.test:99999/",
        "https:///x",
        "javascript:alert(1)",
        "https://hö.test/",
    ],
)
def test_urls_that_can_be_read_in_two_ways_are_none(url):
    """Other schemes, user names, fragments, what a shell would act on."""
    with pytest.raises(UpstreamFailed):
        place(url)


def test_a_plain_url_is_taken_apart():
    """With its port and its query, and in IPv6."""
    where = place("https://Host.test:8443/a/mcp?x=1")
    assert (where.origin, where.host, where.target) == ("https://host.test:8443", "host.test", "/a/mcp?x=1")
    assert place("http://[::1]:1/").origin == "http://[::1]:1"


@pytest.mark.parametrize(
    "url",
    [
        "http://host.test/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[::ffff:10.0.0.1]/",
        "https://10.0.0.1.nip.io/",
    ],
)
def test_places_inside_are_refused_by_their_name(url):
    """And anything without TLS."""
    assert Outside().refuses(place(url))
    assert Outside({place(url).host}).refuses(place(url)) == ""


async def test_a_name_that_resolves_to_the_inside_is_refused():
    """DNS rebinding: each lookup is checked, and the address that was checked is the one that is connected to."""
    answers = [["93.184.216.34"], ["93.184.216.34", "10.0.0.1"], ["fe80::1%eth0"], []]

    async def lookup(host, port):
        return answers.pop(0)

    outside = Outside((), lookup)
    assert await outside.resolve("host.test", 443) == ["93.184.216.34"]
    for _ in range(3):
        with pytest.raises(UpstreamFailed):
            await outside.resolve("host.test", 443)


async def test_a_name_that_cannot_be_resolved_is_an_error():
    """And a place that is refused gets no connections."""

    async def lookup(host, port):
        raise OSError("no such name")

    with pytest.raises(UpstreamFailed, match="no such name"):
        await Outside((), lookup).resolve("host.test", 443)
    with pytest.raises(UpstreamFailed, match="expected https"):
        Outside().connections(place("http://host.test/"), "x", 1.0)


async def test_one_request_is_made_over_what_was_checked():
    """The name resolves to where the test's server is; nothing else is asked."""
    far = FarServer()

    async def lookup(host, port):
        return ["127.0.0.1"]

    async with served(far) as url:
        outside = Outside({"host.test"}, lookup)
        where = place(url.replace("127.0.0.1", "host.test"))
        status, body = await fetched(outside, "POST", where, body=b'{"method": "x"}')
        assert (status, body) == (202, b"")
        assert far.sent[0][1]["host"].startswith("host.test:")
        with pytest.raises(UpstreamFailed, match="more than 10 bytes"):
            await fetched(outside, "POST", where, body=b'{"id":1,"method":"ping"}', most_bytes=10)
