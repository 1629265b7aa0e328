"""What we show a server to be let in: a credential of our own, never the client's (token passthrough is forbidden)."""

from typing import Protocol


class Credential(Protocol):
    """Who we are to a server."""

    async def headers(self) -> list[tuple[str, str]]:
        """Return the headers that say so. Raises UpstreamFailed when there is none to be had."""
        ...

    async def renew(self) -> bool:
        """Take note that it was refused; return whether another may do better."""
        ...


class NoCredential:
    """For a server that asks for none."""

    async def headers(self) -> list[tuple[str, str]]:
        """Return nothing."""
        return []

    async def renew(self) -> bool:
        """Return that there is no other."""
        return False


class FixedKey:
    """A key that the operator was given, shown as a bearer token."""

    def __init__(self, key: str) -> None:
        """Show `key`."""
        self._key = key

    async def headers(self) -> list[tuple[str, str]]:
        """Return the key."""
        return [("authorization", f"Bearer {self._key}")]

    async def renew(self) -> bool:
        """Return that there is no other."""
        return False
