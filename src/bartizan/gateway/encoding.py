"""Undoes the compression of an answer, within a bound: what cannot be read cannot be screened.

We ask upstreams not to compress; some do anyway.
"""

import zlib

from bartizan.core.errors import UpstreamFailed

_WINDOW = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


class Expander:
    """Expands one answer, piece by piece. Raises UpstreamFailed when it cannot, or when it grows past `limit`."""

    def __init__(self, encoding: bytes, limit: int) -> None:
        """Expand `encoding`; `identity` and nothing pass through."""
        self._limit = limit
        self._expanding = None
        if encoding not in (b"", b"identity"):
            if encoding not in _WINDOW:
                raise UpstreamFailed(f"answer compressed as {encoding!r}, which we cannot read")
            self._expanding = zlib.decompressobj(_WINDOW[encoding])
        self._grown = 0

    @property
    def changes(self) -> bool:
        """Whether bytes come out other than they went in."""
        return self._expanding is not None

    def feed(self, data: bytes) -> bytes:
        """Return the next bytes, expanded."""
        if self._expanding is None:
            return data
        try:
            out = self._expanding.decompress(data, self._limit - self._grown + 1)
        except zlib.error as error:
            raise UpstreamFailed(f"answer that cannot be expanded: {error}") from error
        self._grown += len(out)
        if self._grown > self._limit:
            raise UpstreamFailed(f"answer that expands to more than {self._limit} bytes")
        return out


def encoding_of(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the content-encoding of an answer, in lower case."""
    return next((value.lower() for name, value in headers if name == b"content-encoding"), b"")
