"""Which resources a client may ask for: no way out of a folder, no address inside the network, nothing that runs."""

from collections.abc import Collection

from bartizan.mcp.arguments import climbs
from bartizan.mcp.places import host_of, inside, scheme_of

_RUNS = frozenset(("javascript", "vbscript", "data"))
_LONGEST = 8192


def refused_uri(uri: object, hosts: Collection[str] = ()) -> str:
    """Return why a resource may not be asked for, or nothing."""
    if not isinstance(uri, str) or not 0 < len(uri) <= _LONGEST:
        return f"uri: expected a text of up to {_LONGEST} characters"
    if any(ord(ch) < 32 for ch in uri):
        return "uri: a control character in it"
    scheme = scheme_of(uri)
    if scheme in _RUNS:
        return f"uri: the kind {scheme} is not taken"
    if climbs(uri):
        return "uri: a path that leads out of its folder"
    if scheme in ("http", "https", "ws", "wss", "ftp"):
        return inside(host_of(uri) or "localhost", hosts)
    return ""
