"""API keys: `bz_ID.SECRET`, where the secret ends in a checksum. The book holds no secret, only peppered hashes.

A key has up to two live secrets, so that it can be rotated while both work. A mistyped key is told from a wrong one
without looking anything up. The book is a file that only its owner can read; a change is seen within a second.
"""

import contextlib
import hashlib
import hmac
import secrets
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.core.files import held, write_private
from bartizan.gateway.grants import EVERYTHING, Grant

_ID_LETTERS = string.ascii_lowercase + string.digits
_CHECK = 6
DAY_NS = 86_400_000_000_000
HOUR_NS = 3_600_000_000_000
OWNERS = ("organisation", "team", "user")


class Secret(Struct, frozen=True, forbid_unknown_fields=True):
    """One live secret of a key: its peppered hash and until when it works (0: as long as the key)."""

    hash: str
    created_ns: int
    expires_ns: int = 0


class Key(Struct, frozen=True, forbid_unknown_fields=True):
    """A key: who, until when, with which rights. `admin` keys manage and measure; they may not talk to models."""

    id: str
    name: str
    created_ns: int
    expires_ns: int
    secrets: tuple[Secret, ...]
    grant: Grant = EVERYTHING
    admin: bool = False
    revoked: bool = False
    organisation: str = ""
    team: str = ""
    user: str = ""
    canary: bool = False

    def scopes(self) -> tuple[str, ...]:
        """Return whom the key's use is also counted for, as `KIND:NAME`."""
        owners = zip(OWNERS, (self.organisation, self.team, self.user), strict=True)
        return tuple(f"{kind}:{name}" for kind, name in owners if name)

    def state(self, now_ns: int) -> str:
        """Return live, expired or revoked."""
        if self.revoked:
            return "revoked"
        return "expired" if now_ns >= self.expires_ns else "live"


def minted(key_id: str) -> str:
    """Return a new key text for `key_id`, with a fresh secret and its checksum."""
    secret = secrets.token_urlsafe(32)
    return f"bz_{key_id}.{secret}{_checksum(key_id, secret)}"


def taken_apart(presented: str) -> tuple[str, str] | None:
    """Return id and secret of a key text whose checksum is right, else None."""
    head, dot, tail = presented.partition(".")
    key_id, secret, check = head[3:], tail[:-_CHECK], tail[-_CHECK:]
    if not dot or head[:3] != "bz_" or len(tail) <= _CHECK or check != _checksum(key_id, secret):
        return None
    return key_id, secret


class KeyBook:
    """The file of keys and its pepper. Reading never writes; every change is locked and atomic."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Use the book at `path`; its pepper lies beside it, in `path` + `.pepper`."""
        self._path = path
        self._pepper_path = path.with_name(path.name + ".pepper")
        self._clock = clock
        self._pepper = b""
        self._keys: dict[str, Key] = {}
        self._opened: dict[bytes, tuple[Key, Secret]] = {}
        self._stamp = (0, 0)
        self._looked_ns = -DAY_NS

    def keys(self) -> list[Key]:
        """Return all keys, newest last."""
        self._refresh(0)
        return list(self._keys.values())

    def find(self, presented: str) -> Key | None:
        """Return the live key that `presented` opens, or None."""
        self._refresh(1_000_000_000)
        digest = hashlib.sha256(presented.encode()).digest()
        opened = self._opened.get(digest) or self._open(presented, digest)
        now = self._clock.wall_ns()
        if opened is None or opened[0].state(now) != "live":
            return None
        key, secret = opened
        return key if not secret.expires_ns or now < secret.expires_ns else None

    def _open(self, presented: str, digest: bytes) -> tuple[Key, Secret] | None:
        """Return the key and the secret that `presented` names; remembered until the book changes."""
        parts = taken_apart(presented)
        key = self._keys.get(parts[0]) if parts else None
        if parts is None or key is None:
            return None
        wanted = self._hash(*parts)
        for secret in key.secrets:
            if hmac.compare_digest(wanted, secret.hash):
                self._opened[digest] = (key, secret)
                return key, secret
        return None

    def create(
        self,
        name: str,
        *,
        days: float,
        grant: Grant = EVERYTHING,
        admin: bool = False,
        owners: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Key, str]:
        """Add a key and return it with its text, which is shown once and kept nowhere.

        `owners` (organisation, team, user) are those whom its use is also counted for.
        """
        with self._changing():
            key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
            text = minted(key_id)
            now = self._clock.wall_ns()
            first = Secret(self._hash_of(text), now)
            key = Key(
                key_id,
                name,
                now,
                now + int(days * DAY_NS),
                (first,),
                grant,
                admin,
                False,
                *_three(owners),
            )
            self._keys[key_id] = key
        return key, text

    def rotate(self, key_id: str, *, overlap_hours: float) -> str:
        """Add a second secret; the old one works for `overlap_hours` more. Return the new key text."""
        with self._changing():
            key = self._known(key_id)
            now = self._clock.wall_ns()
            old = replace(key.secrets[-1], expires_ns=now + int(overlap_hours * HOUR_NS))
            text = minted(key_id)
            self._keys[key_id] = replace(key, secrets=(old, Secret(self._hash_of(text), now)))
        return text

    def lay_out(self, name: str, *, days: float) -> tuple[Key, str]:
        """Add a canary: a key that nobody uses, to be left where thieves look. Return it with its text."""
        key, text = self.create(name, days=days)
        with self._changing():
            key = self._keys[key.id] = replace(key, canary=True)
        return key, text

    def revoke(self, key_id: str) -> None:
        """End a key at once."""
        with self._changing():
            self._keys[key_id] = replace(self._known(key_id), revoked=True, secrets=())

    def _known(self, key_id: str) -> Key:
        key = self._keys.get(key_id)
        if key is None or key.revoked:
            raise BadSettings(
                f"key {key_id!r}: not in {self._path}, or revoked", hint="`bartizan keys list` shows all."
            )
        return key

    def _hash_of(self, text: str) -> str:
        parts = taken_apart(text)
        assert parts is not None  # noqa: S101 - a key we have just made
        return self._hash(*parts)

    def _hash(self, key_id: str, secret: str) -> str:
        return hmac.digest(self._pepper, f"{key_id}.{secret}".encode(), "sha256").hex()

    def _refresh(self, every_ns: int) -> None:
        now = self._clock.monotonic_ns()
        if every_ns and now - self._looked_ns < every_ns:
            return
        self._looked_ns = now
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._opened = {}
                self._keys = {key.id: key for key in msgspec.json.decode(self._path.read_bytes(), type=list[Key])}
                self._pepper = bytes.fromhex(self._pepper_path.read_text("ascii"))
                self._stamp = stamp
        except FileNotFoundError:
            self._keys, self._opened, self._stamp = {}, {}, (0, 0)
        except (OSError, ValueError) as error:
            raise BadSettings(f"{self._path}: cannot be read as a book of keys: {error}") from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with held(self._path):
            if not self._pepper_path.exists():
                write_private(self._pepper_path, secrets.token_bytes(32).hex().encode())
            self._pepper = bytes.fromhex(self._pepper_path.read_text("ascii"))
            self._refresh(0)
            self._opened = {}
            yield
            write_private(self._path, msgspec.json.format(msgspec.json.encode(list(self._keys.values()))))


def _three(owners: Mapping[str, str]) -> tuple[str, str, str]:
    return owners.get("organisation", ""), owners.get("team", ""), owners.get("user", "")


def _checksum(key_id: str, secret: str) -> str:
    return hashlib.sha256(f"{key_id}.{secret}".encode()).hexdigest()[:_CHECK]
