"""What the headers of a request to an MCP endpoint say, and whether it may come in at all. Functions of headers only.

Against pages in a browser that talk to this machine (DNS rebinding, CVE-2025-49596): the host must be one of ours, an
`Origin` must be ours or the operator's, and a body must say that it is JSON, which a page cannot without being asked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from bartizan.core.errors import BadRequest
from bartizan.gateway.call import Call
from bartizan.mcp.messages import HEADER_MISMATCH, INVALID_REQUEST, UNSUPPORTED_VERSION
from bartizan.mcp.methods import STATELESS_VERSIONS, VERSIONS

LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
SESSION = b"mcp-session-id"
VERSION = b"mcp-protocol-version"
LAST_EVENT = b"last-event-id"
_ONCE = frozenset((SESSION, VERSION, LAST_EVENT, b"mcp-method", b"mcp-name", b"host", b"origin", b"content-type"))


class NotTaken(BadRequest):
    """A request that gets no further. `status` is HTTP's; `code` JSON-RPC's, where a client reads it."""

    def __init__(self, status: int, what: str, code: int = INVALID_REQUEST) -> None:
        """Keep what an answer needs."""
        super().__init__(what)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Head:
    """What a request's headers say of MCP. Texts are empty when a header is not there."""

    version: str
    session: str
    last_event: str
    mirrors: tuple[tuple[str, str], ...]
    """The headers that repeat the body: `mcp-…`, names in lower case."""

    @property
    def stateless(self) -> bool:
        """Whether this request stands for itself (2026-07-28)."""
        return self.version in STATELESS_VERSIONS


@dataclass(frozen=True, slots=True)
class Doors:
    """Under which names the endpoint is reached. `hosts` empty: any, because everybody needs a key."""

    hosts: frozenset[str]
    origins: frozenset[str]

    def check(self, call: Call) -> None:
        """Raise NotTaken for a request that a page of somebody else's may have sent."""
        once(call)
        host = _header(call, b"host")
        if self.hosts and _name(host) not in self.hosts:
            raise NotTaken(403, f"Host: {host[:80]!r} is not a name of this server (mcp.hosts)")
        origin = _header(call, b"origin")
        if origin and origin not in self.origins and not self._is_ours(origin, host):
            raise NotTaken(403, f"Origin: {origin[:80]!r} may not talk to this server (mcp.origins)")

    def _is_ours(self, origin: str, host: str) -> bool:
        """Whether a page comes from this very server, which serves none but may be behind one name with others."""
        return bool(self.hosts) and origin in (f"http://{host}", f"https://{host}")


def doors(listens_on: str, hosts: Collection[str], origins: Collection[str]) -> Doors:
    """Return what is let in by an endpoint that listens on an address. On this machine alone: its own names only."""
    named = frozenset(host.lower() for host in hosts)
    own = LOOPBACK if listens_on in LOOPBACK or listens_on.startswith("127.") else frozenset[str]()
    return Doors(named | own, frozenset(origins))


def once(call: Call) -> None:
    """Raise NotTaken when a header that decides something is there twice: two readers could take different ones."""
    seen: set[bytes] = set()
    for name, _ in call.headers:
        if name in _ONCE and name in seen:
            raise NotTaken(400, f"the header {name.decode()} is there twice", HEADER_MISMATCH)
        seen.add(name)


def head_of(call: Call) -> Head:
    """Return what the headers say. Raises NotTaken for a protocol version that nobody here speaks."""
    mirrors = tuple(
        (name.decode("latin-1"), value.decode("latin-1").strip(" \t"))
        for name, value in call.headers
        if name.startswith(b"mcp-") and name not in (SESSION, VERSION)
    )
    head = Head(_header(call, VERSION), _header(call, SESSION), _header(call, LAST_EVENT), mirrors)
    if len(head.session) > 128 or len(head.last_event) > 128:
        raise NotTaken(400, "a session or event id that is none of ours")
    return head


def known(head: Head) -> None:
    """Raise NotTaken for a version that nobody here speaks."""
    if head.version and head.version not in VERSIONS:
        raise NotTaken(
            400,
            f"MCP-Protocol-Version {head.version[:40]!r}: expected one of {', '.join(VERSIONS)}",
            UNSUPPORTED_VERSION,
        )


def takes(call: Call, *kinds: str) -> None:
    """Raise NotTaken (406) when the client does not accept these kinds of answer."""
    accepted = {part.partition(";")[0].strip().lower() for part in _header(call, b"accept").split(",")}
    for kind in kinds:
        family = f"{kind.partition('/')[0]}/*"
        if not {kind, family, "*/*"} & accepted:
            raise NotTaken(406, f"Accept must list {' and '.join(kinds)}")


def brings_json(call: Call) -> None:
    """Raise NotTaken (415) for a body that does not say that it is JSON, or is compressed."""
    if _header(call, b"content-type").partition(";")[0].strip().lower() != "application/json":
        raise NotTaken(415, "Content-Type: expected application/json")
    if _header(call, b"content-encoding").lower() not in ("", "identity"):
        raise NotTaken(415, "compressed request bodies are not taken: what is not read cannot be judged")


def _header(call: Call, name: bytes) -> str:
    return b",".join(value for given, value in call.headers if given == name).decode("latin-1").strip()


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
