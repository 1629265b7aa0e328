"""Who may sign in: names, roles and passwords as Argon2id hashes (RFC 9106), in one private file.

The file is read again when it changed, so that a person who is removed is out at the next request.
"""

import functools
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.core.files import held, write_private

SHORTEST = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_MEMORY_KIB = 19456
_PASSES = 2
"""Memory and passes as OWASP's password storage cheat sheet asks at least for Argon2id with one lane."""


class Role(IntEnum):
    """What a person may do; each may do what those below it may."""

    VIEWER = 1
    """Read."""
    REVIEWER = 2
    """Approve, deny, release, label."""
    OPERATOR = 3
    """Change keys, limits and switches."""
    ADMIN = 4
    """Say who may sign in."""


class Passkey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key pair on a device of theirs; `id` and `public_key` (COSE) in base64url."""

    id: str
    public_key: str
    sign_count: int
    """What the authenticator counted last; some always say 0."""
    label: str
    created_ns: int


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account."""

    name: str
    role: str
    password: str
    """The hash, in PHC form."""
    created_ns: int
    passkeys: tuple[Passkey, ...] = ()

    def rank(self) -> Role:
        """Return the role."""
        return Role[self.role.upper()]


class People:
    """The accounts in one file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Use the file at `path`; it need not exist yet."""
        self._path, self._clock = path, clock
        self._people: dict[str, Person] = {}
        self._stamp: tuple[int, int] | None = None

    def everybody(self) -> list[Person]:
        """Return all accounts by name. Raises BadSettings when the file cannot be read."""
        self._refresh()
        return sorted(self._people.values(), key=lambda one: one.name)

    def find(self, name: str) -> Person | None:
        """Return the account called `name`."""
        self._refresh()
        return self._people.get(name)

    def check(self, name: str, password: str) -> Person | None:
        """Return the account if the password is its own. Takes as long for a name that nobody has."""
        person, nobody = self.find(name), _nobody()
        try:
            Argon2id.verify_phc_encoded(password.encode(), person.password if person else nobody)
        except InvalidKey:
            return None
        return person

    def add(self, name: str, role: Role, password: str) -> None:
        """Add an account. Raises BadSettings for a name that is taken or odd, and for a short password."""
        if not _NAME.fullmatch(name):
            raise BadSettings(f"name {name!r}: expected 1 to 64 letters, digits, dots, dashes or @")
        if len(password) < SHORTEST:
            raise BadSettings(f"a password of {len(password)} characters: expected {SHORTEST} or more")
        with self._changing():
            if name in self._people:
                raise BadSettings(f"name {name!r}: somebody is called that already")
            self._people[name] = Person(name, role.name.lower(), hashed(password), self._clock.wall_ns())

    def remove(self, name: str) -> None:
        """Remove an account. Raises BadSettings when there is none, or when it is the last admin."""
        with self._changing():
            self._must_keep_an_admin(name)
            del self._people[name]

    def promote(self, name: str, role: Role) -> None:
        """Give an account another role. Raises BadSettings when there is none, or when it is the last admin."""
        with self._changing():
            if role < Role.ADMIN:
                self._must_keep_an_admin(name)
            self._people[name] = msgspec.structs.replace(self._known(name), role=role.name.lower())

    def holder(self, passkey: str) -> tuple[Person, Passkey] | None:
        """Return whose passkey has this id, and the passkey."""
        self._refresh()
        found = ((one, key) for one in self._people.values() for key in one.passkeys if key.id == passkey)
        return next(found, None)

    def add_passkey(self, name: str, passkey: Passkey, most: int) -> None:
        """Give an account a passkey. Raises BadSettings when it has `most`, or when somebody has that very one."""
        with self._changing():
            person = self._known(name)
            if len(person.passkeys) >= most:
                raise BadSettings(f"{name} has {most} passkeys", hint="Remove one first.")
            if any(key.id == passkey.id for one in self._people.values() for key in one.passkeys):
                raise BadSettings("this passkey is known already")
            self._people[name] = msgspec.structs.replace(person, passkeys=(*person.passkeys, passkey))

    def remove_passkey(self, name: str, passkey: str) -> str:
        """Take a passkey away and return what it was called. Raises BadSettings when there is none of that id."""
        with self._changing():
            person = self._known(name)
            gone = next((one for one in person.passkeys if one.id == passkey), None)
            if gone is None:
                raise BadSettings(f"{name} has no such passkey")
            kept = tuple(one for one in person.passkeys if one.id != passkey)
            self._people[name] = msgspec.structs.replace(person, passkeys=kept)
        return gone.label

    def used(self, name: str, passkey: str, sign_count: int) -> None:
        """Note how often the authenticator says it was used; most say nothing (0), and then nothing is written."""
        if sign_count == 0:
            return
        with self._changing():
            person = self._known(name)
            keys = tuple(
                msgspec.structs.replace(one, sign_count=sign_count) if one.id == passkey else one
                for one in person.passkeys
            )
            self._people[name] = msgspec.structs.replace(person, passkeys=keys)

    def forget_passkeys(self, name: str) -> int:
        """Take every passkey of an account away, for instance of a lost device; return how many there were."""
        with self._changing():
            person = self._known(name)
            self._people[name] = msgspec.structs.replace(person, passkeys=())
        return len(person.passkeys)

    def _known(self, name: str) -> Person:
        if name not in self._people:
            raise BadSettings(
                f"name {name!r}: nobody is called that", hint="`bartizan people list` shows who there is."
            )
        return self._people[name]

    def _must_keep_an_admin(self, name: str) -> None:
        gone = self._known(name)
        others = [one for one in self._people.values() if one.name != name and one.rank() is Role.ADMIN]
        if gone.rank() is Role.ADMIN and not others:
            raise BadSettings(f"{name} is the last admin", hint="Make somebody else an admin first.")

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                people = msgspec.json.decode(self._path.read_bytes(), type=list[Person])
                self._people = {one.name: one for one in people if one.rank()}
                self._stamp = stamp
        except FileNotFoundError:
            self._people, self._stamp = {}, None
        except (OSError, ValueError, KeyError) as error:
            raise BadSettings(f"{self._path}: cannot be read as a list of people: {error}") from error

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with held(self._path):
            self._stamp = None
            self._refresh()
            yield
            write_private(self._path, msgspec.json.format(msgspec.json.encode(list(self._people.values()))))


@functools.cache
def _nobody() -> str:
    """Return a hash that no password has, made once: it takes as long as somebody's."""
    return hashed(secrets.token_urlsafe(16))


def hashed(password: str) -> str:
    """Return the hash of a password in PHC form."""
    derive = Argon2id(
        salt=secrets.token_bytes(16), length=32, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB
    ).derive_phc_encoded
    return str(derive(password.encode()))
