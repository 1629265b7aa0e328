"""Resources: addresses that lead out of a folder or into the network are refused."""

import pytest

from bartizan.mcp.uris import refused_uri


@pytest.mark.parametrize("uri", ["file:///srv/../etc/passwd", "javascript:x", "http://10.0.0.1/", "", 7, "a\nb:c"])
def test_bad_addresses_are_refused(uri):
    """Each for its own reason."""
    assert refused_uri(uri)


@pytest.mark.parametrize("uri", ["file:///srv/a.txt", "test://static/1", "https://example.com/x", "note://a b"])
def test_others_pass(uri):
    """Servers have schemes of their own."""
    assert not refused_uri(uri)
