"""Who is calling. One shared key for now of the simplest deployment; compared in constant time, never echoed."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol

from bartizan.core.errors import Refused

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `id` is public: it stands in records and metrics."""

    id: str


class Authenticator(Protocol):
    """Tells who is calling."""

    def identify(self, headers: Headers) -> Caller:
        """Return the caller. Raises Refused when there is none we know."""
        ...


class Anyone:
    """Lets everybody in: for a gateway that only listens on this machine."""

    def identify(self, headers: Headers) -> Caller:
        """Return the anonymous caller."""
        return Caller("anonymous")


class SharedKey:
    """One key that all clients present."""

    def __init__(self, key: str) -> None:
        """Keep only the hash of `key`."""
        self._digest = hashlib.sha256(key.encode()).digest()
        self._caller = Caller("shared-key")

    def identify(self, headers: Headers) -> Caller:
        """Return the caller that presented the key. Raises Refused otherwise."""
        presented = presented_key(headers)
        if not presented:
            raise Refused("no API key: send `Authorization: Bearer KEY` or `x-api-key: KEY`")
        if not hmac.compare_digest(hashlib.sha256(presented).digest(), self._digest):
            raise Refused("this API key is not known here")
        return self._caller


def presented_key(headers: Headers) -> bytes:
    """Return the key in the request's headers, or nothing. Two different keys at once are refused."""
    found = b""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            key = value[7:].strip()
        elif name == b"x-api-key":
            key = value.strip()
        else:
            continue
        if found and key != found:
            raise Refused("two different API keys in one request")
        found = key
    return found
