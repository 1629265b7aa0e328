"""A server: what it may not ask follows from the settings."""

from tests.mcp.standing import server_at


def test_what_is_not_allowed_is_denied(tmp_path):
    """All three by default."""
    assert server_at(tmp_path).denied == {"sampling", "elicitation", "roots"}
    assert server_at(tmp_path, sampling="allow", roots="allow").denied == {"elicitation"}
