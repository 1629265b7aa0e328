"""Whole requests out of bytes, within bounds: sans-I/O, bytes in, requests or one refusal out.

What could be read in two ways is refused: two lengths, a length beside a chunked body, a fragment in an address. The
first refusal is the last thing that is read. Trailers are dropped, offers of another protocol are declined. A large
body is read only from those who may send one, and only while there is room for it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import httptools

from bartizan.core.sections.gateway import Gateway
from bartizan.gateway.auth import Headers
from bartizan.gateway.call import Answer, Call

_MOST_AHEAD = 100
SMALL = 65536
"""A body of so many bytes is read from anybody; what goes beyond needs a key, where there are keys, and room."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much, how many and how long. Zero connections and zero bytes held mean no limit."""

    head_bytes: int = 65536
    head_lines: int = 128
    url_bytes: int = 8192
    head_s: float = 15.0
    body_s: float = 30.0
    idle_s: float = 75.0
    stall_s: float = 60.0
    connections: int = 8192
    connections_per_client: int = 1024
    held_bytes: int = 268435456


def bounds_of(gateway: Gateway) -> Bounds:
    """Return the bounds that the settings name."""
    return Bounds(
        connections=gateway.connections,
        connections_per_client=gateway.connections_per_client,
        held_bytes=gateway.held_bytes,
    )


class Room:
    """How many bytes of bodies all connections together may hold, beyond the small ones."""

    def __init__(self, most: int) -> None:
        """Hold at most `most`; zero means no limit."""
        self.most = most
        self.used = 0

    def take(self, size: int) -> bool:
        """Return whether there is room for `size` more, which are then counted."""
        if self.most and self.used + size > self.most:
            return False
        self.used += size
        return True

    def give(self, size: int) -> None:
        """Give room back."""
        self.used -= size


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader is told: how much it may read, who may send a large body, how a refusal looks."""

    bounds: Bounds
    body_bytes: int
    refusal: Callable[[str, int, str, str], Answer]
    """Makes an answer of path, status, code and message."""
    admits: Callable[[Headers], str]
    """Returns why who sends these headers may not send a large body, or nothing."""
    room: Room


class _Unreadable(ValueError):
    """A request that ends the connection: its answer's status, code and message."""


@dataclass(slots=True)
class Asking:
    """A whole request or what is said instead, and how the answer is sent."""

    call: Call | None
    answer: Answer | None
    keep: bool
    chunks: bool = True
    body: bool = True
    held: int = 0
    """How much room its body takes, until it is answered."""


class RequestReader:
    """Reads the requests of one connection."""

    def __init__(self, reading: Reading, address: str) -> None:
        """Read what comes from `address`."""
        self._bounds = reading.bounds
        self._body_bytes = reading.body_bytes
        self._address = address
        self._refusal = reading.refusal
        self._admits = reading.admits
        self._room = reading.room
        self._parser = httptools.HttpRequestParser(self)
        self._found: list[Asking] = []
        self.over = False
        """Nothing more is read."""
        self.unread = False
        """A request was not read to its end."""
        self.expects = False
        """The client waits to be asked for the body."""
        self._begin()

    def _begin(self) -> None:
        self.begun = False
        self.in_body = False
        self._head_bytes = 0
        self._seen_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._lengths = 0
        self._unparsed = 0
        self._body: bytes | bytearray = b""
        self._held = 0

    def feed(self, data: bytes) -> list[Asking]:
        """Return the requests that are whole now; a refusal is the last."""
        if self.over:
            return []
        self._found = []
        if not self.in_body:
            self._head_bytes += len(data)
        try:
            self._parse(data)
            if not self.in_body and self._head_bytes > self._bounds.head_bytes:
                raise _Unreadable(431, "headers_too_large", "The request's head is too large.")
        except httptools.HttpParserCallbackError as error:
            self._refused(error.__context__)
        except (httptools.HttpParserError, _Unreadable) as error:
            self._refused(error)
        return self._found

    def _parse(self, data: bytes) -> None:
        if self._unparsed:
            self._beside(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._beside(data[offer.args[0] :])

    def late(self, what: str, within_s: float) -> Asking:
        """Return the refusal of a request that does not come to its end."""
        self._found = []
        self._refuse(408, "request_timeout", f"Request {what} not complete within {within_s:g} s.")
        return self._found[0]

    def _refused(self, error: BaseException | None) -> None:
        if isinstance(error, _Unreadable):
            self._refuse(*error.args)
        else:
            self._refuse(400, "bad_request", "This is not an HTTP request that can be read without doubt.")

    def _refuse(self, status: int, code: str, message: str) -> None:
        path = self._url.decode("latin-1").partition("?")[0]
        refused = self._refusal(path, status, code, message)
        if status == 503:
            refused.headers.append((b"retry-after", b"1"))
        self._found.append(Asking(None, refused, keep=False))
        self.over = self.unread = True
        self.drop()

    def drop(self) -> None:
        """Forget the body that is being read."""
        self._room.give(self._held)
        self._held, self._body = 0, b""

    def _too_large(self) -> None:
        limit = self._body_bytes
        raise _Unreadable(413, "request_too_large", f"Request body of more than {limit} bytes.")

    def _hold(self, size: int) -> None:
        """Make room for a body of `size` bytes so far, if its sender may send a large one."""
        if not self._held and (why := self._admits(self._headers)):
            raise _Unreadable(401, "invalid_api_key", why)
        more = size - SMALL - self._held
        if not self._room.take(more):
            raise _Unreadable(503, "overloaded", "Too many large requests at once.")
        self._held += more

    # httptools callbacks

    def on_message_begin(self) -> None:
        """Another request begins."""
        self.begun = True

    def on_url(self, url: bytes) -> None:
        """Keep the target within its bound."""
        self._url += url
        if len(self._url) > self._bounds.url_bytes:
            raise _Unreadable(414, "uri_too_long", "The request's address is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. Trailers are dropped: they arrive after the request was judged."""
        if self.in_body:
            return
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._lengths += 1
        self._headers.append((name, value))
        self._seen_bytes += len(name) + len(value)
        if self._lengths > 1 or b"\x00" in value:
            raise _Unreadable(400, "bad_request", "The request says twice how long it is, or holds a null byte.")
        if len(self._headers) > self._bounds.head_lines or self._seen_bytes > self._bounds.head_bytes:
            raise _Unreadable(431, "headers_too_large", "The request's head is too large.")

    def on_headers_complete(self) -> None:
        """The head is whole: what it says about the body is judged before any of the body is kept."""
        self.in_body = True
        for name, value in self._headers:
            if name == b"content-length" and (len(value) > 12 or int(value) > self._body_bytes):
                self._too_large()
            if name == b"content-length" and int(value) > SMALL and (why := self._admits(self._headers)):
                raise _Unreadable(401, "invalid_api_key", why)
            if name == b"expect" and value.lower() == b"100-continue":
                self.expects = True

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        if not self._body:
            self._body = data
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += data
        size = len(self._body)
        if size > SMALL:
            if size > self._body_bytes:
                self._too_large()
            self._hold(size)

    def _beside(self, data: bytes) -> None:
        """Read the body of a request that offers another protocol: the parser stops at its head, and we decline.

        Java's own client offers HTTP/2 in each first request. The connection is not kept afterwards.
        """
        data = data[: self._unparsed]
        self._unparsed -= len(data)
        if data:
            self.on_body(data)
        if not self._unparsed:
            self._complete(keep=False)
            self.over = True

    def on_message_complete(self) -> None:
        """The request is whole, unless it offers another protocol."""
        if not self._parser.should_upgrade():
            self._complete(keep=self._parser.should_keep_alive())
            return
        given = dict(self._headers)
        if b"transfer-encoding" in given:
            raise _Unreadable(400, "bad_request", "A request that offers another protocol must say how long it is.")
        self._unparsed = int(given.get(b"content-length", b"0"))

    def _complete(self, *, keep: bool) -> None:
        if len(self._body) > self._body_bytes:
            self._too_large()
        if len(self._found) >= _MOST_AHEAD:
            raise _Unreadable(429, "too_many_requests", f"More than {_MOST_AHEAD} requests sent ahead.")
        version = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise _Unreadable(505, "version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        method = self._parser.get_method().decode("ascii")
        call = Call(method, self._target(), self._headers, bytes(self._body), self._address)
        chunks = version == "1.1"
        self._found.append(Asking(call, None, keep and chunks, chunks, body=method != "HEAD", held=self._held))
        self._begin()

    def _target(self) -> str:
        url = self._url
        if not url.startswith(b"/"):
            parsed = httptools.parse_url(url)
            url = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
        if b"#" in url:
            raise _Unreadable(400, "bad_request", "The request's address holds a fragment.")
        return url.decode("latin-1")
