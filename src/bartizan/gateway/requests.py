"""Whole requests out of bytes, within bounds: sans-I/O, bytes in, requests or one refusal out.

What could be read in two ways is refused: two lengths, a length beside a chunked body, a fragment in an address. The
first refusal is the last thing that is read. Trailers are dropped, offers of another protocol are declined.
"""

from collections.abc import Callable
from dataclasses import dataclass

import httptools

from bartizan.gateway.call import Answer, Call

_MOST_AHEAD = 100


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much, how many and how long. Zero connections means no limit."""

    head_bytes: int = 65536
    head_lines: int = 128
    url_bytes: int = 8192
    head_s: float = 15.0
    body_s: float = 30.0
    idle_s: float = 75.0
    stall_s: float = 60.0
    connections: int = 8192
    connections_per_client: int = 1024


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


class RequestReader:
    """Reads the requests of one connection."""

    def __init__(
        self, bounds: Bounds, body_bytes: int, address: str, refusal: Callable[[str, int, str, str], Answer]
    ) -> None:
        """Read within `bounds` what comes from `address`; `refusal` makes an answer of path, status, code, message."""
        self._bounds = bounds
        self._body_bytes = body_bytes
        self._address = address
        self._refusal = refusal
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
        self._found.append(Asking(None, self._refusal(path, status, code, message), keep=False))
        self.over = self.unread = True

    def _too_large(self) -> None:
        limit = self._body_bytes
        raise _Unreadable(413, "request_too_large", f"Request body of more than {limit} bytes.")

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
            if name == b"expect" and value.lower() == b"100-continue":
                self.expects = True

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        if not self._body:
            self._body = data
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += data
        if len(self._body) > self._body_bytes:
            self._too_large()

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
        self._found.append(
            Asking(call, None, keep and version == "1.1", chunks=version == "1.1", body=method != "HEAD")
        )
        self._begin()

    def _target(self) -> str:
        url = self._url
        if not url.startswith(b"/"):
            parsed = httptools.parse_url(url)
            url = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
        if b"#" in url:
            raise _Unreadable(400, "bad_request", "The request's address holds a fragment.")
        return url.decode("latin-1")
