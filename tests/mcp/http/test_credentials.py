"""Our own credentials: none, or a key that cannot be had anew."""

from bartizan.mcp.http.credentials import FixedKey, NoCredential


async def test_a_key_is_shown_as_a_bearer_token():
    """And no other can be had when it is refused."""
    assert await FixedKey("k").headers() == [("authorization", "Bearer k")]
    assert await NoCredential().headers() == []
    assert not await FixedKey("k").renew()
    assert not await NoCredential().renew()
