"""Places: every way to write an address inside the network is told from the outside."""

import pytest

from bartizan.mcp.places import host_of, inside, public, scheme_of

INSIDE = [
    "localhost", "LOCALHOST.", "db.internal", "printer.local", "127.0.0.1", "127.1", "2130706433", "0x7f000001",
    "0177.0.0.1", "0", "10.0.0.8", "192.168.1.1", "172.16.3.4", "169.254.169.254", "100.64.0.1", "[::1]", "::",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%eth0", "fd00::1", "127.0.0.1.nip.io", "10-0-0-1.sslip.io",
    "localtest.me", "a.localtest.me", "%31%32%37.0.0.1", "224.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_hosts_inside_are_found(host):
    """Loopback, private, link-local, metadata, multicast, in all their spellings."""
    assert inside(host)


@pytest.mark.parametrize("host", ["example.com", "8.8.8.8", "2606:4700::1111", "local.example.com", "8.8.8.8.nip.io"])
def test_hosts_outside_pass(host):
    """Names and addresses of the Internet at large."""
    assert not inside(host)


def test_an_allowed_host_is_as_good_as_outside():
    """The operator may name hosts of the network."""
    assert not inside("wiki.internal", ("wiki.internal",))
    assert public("8.8.8.8")
    assert not public("2002:7f00:0001::")


def test_hosts_and_schemes_are_read_as_clients_read_them():
    """User names, backslashes, spaces and case change nothing."""
    assert host_of("http://example.com@127.0.0.1:80/x") == "127.0.0.1"
    assert host_of("http:\\\\127.0.0.1\\x") == "127.0.0.1"
    assert host_of("http://[::1") is None
    assert scheme_of(" java\nscript:alert(1)") == "javascript"
    assert scheme_of("notes.txt") == ""
