"""Who is calling: nobody in particular, the holder of the one shared key, or the holder of a key from the book.

Keys are compared in constant time and never repeated in an error, a record or a log.
"""

import hashlib
import hmac
import logging
from dataclasses import dataclass
from typing import Protocol

from bartizan.core.errors import BadSettings, Refused
from bartizan.gateway.grants import EVERYTHING, Grant
from bartizan.gateway.keys import Key, KeyBook, taken_apart

_log = logging.getLogger("bartizan.gateway")

Headers = list[tuple[bytes, bytes]]
_MOST_CALLERS = 4096


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `id` is public: it stands in records and metrics."""

    id: str
    grant: Grant = EVERYTHING
    admin: bool = False
    """May manage and measure."""
    admin_only: bool = False
    """May not talk to models."""
    canary: bool = False
    """Nobody has a reason to use it: whoever does has stolen it."""
    scopes: tuple[str, ...] = ()
    """Whom its use is also counted for, as `KIND:NAME`: organisation, team, user."""


class Authenticator(Protocol):
    """Tells who is calling."""

    def identify(self, headers: Headers) -> Caller:
        """Return the caller. Raises Refused when there is none we know."""
        ...


class Anyone:
    """Lets everybody in: for a gateway that only listens on this machine."""

    def identify(self, headers: Headers) -> Caller:
        """Return the anonymous caller."""
        return Caller("anonymous", admin=True)


class SharedKey:
    """One key that all clients present."""

    def __init__(self, key: str) -> None:
        """Keep only the hash of `key`."""
        self._digest = hashlib.sha256(key.encode()).digest()
        self._caller = Caller("shared-key", admin=True)

    def identify(self, headers: Headers) -> Caller:
        """Return the caller that presented the key. Raises Refused otherwise."""
        if not hmac.compare_digest(hashlib.sha256(presented_key(headers)).digest(), self._digest):
            raise Refused("this API key is not known here")
        return self._caller


class BookKeys:
    """Keys from the book: each with its own rights, expiry and secrets."""

    def __init__(self, book: KeyBook) -> None:
        """Look callers up in `book`."""
        self._book = book
        self._callers: dict[str, tuple[Key, Caller]] = {}

    def identify(self, headers: Headers) -> Caller:
        """Return the holder of the presented key. Raises Refused when it is mistyped, unknown, expired or revoked."""
        presented = presented_key(headers).decode("latin-1")
        try:
            key = self._book.find(presented)
        except BadSettings as error:
            _log.error("%s", error)
            raise Refused("keys cannot be checked at the moment") from error
        if key is None:
            if taken_apart(presented) is None:
                raise Refused("this API key is mistyped or not one of ours: its checksum is wrong")
            raise Refused("this API key is unknown, expired or revoked")
        known = self._callers.get(key.id)
        if known is None or known[0] is not key:
            if len(self._callers) >= _MOST_CALLERS:
                self._callers.clear()
            caller = Caller(key.id, key.grant, key.admin, key.admin, key.canary, key.scopes())
            known = self._callers[key.id] = (key, caller)
        return known[1]


def presented_key(headers: Headers) -> bytes:
    """Return the key in the request's headers. Raises Refused when there is none, or two that differ."""
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
    if not found:
        raise Refused("no API key: send `Authorization: Bearer KEY` or `x-api-key: KEY`")
    return found
