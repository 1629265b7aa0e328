"""Passkeys (WebAuthn): what a browser is asked, and whether its answer holds. Checked by py_webauthn.

Promises: a passkey counts for the host name in `dashboard.passkey_host` and the page's own origin only; the person was
verified by the authenticator (PIN, finger, face), so that a stolen key alone opens nothing; a challenge is made here,
holds for five minutes, serves one purpose, and works once; a counter that goes back is refused. What a browser is asked
at sign-in names nobody, so it says of no name whether somebody has it.
"""

import base64
import hashlib
import hmac
import importlib
import json
import secrets
from typing import Any

from bartizan.core.clock import Clock
from bartizan.core.errors import BadRequest, BadSettings, Refused
from bartizan.dashboard.people import Passkey, People, Person

HOLDS_S = 300
MOST = 10
"""Passkeys of one person."""
_TIMEOUT_MS = 1000 * HOLDS_S
_LARGEST = 16384
_SIGN_IN = b"sign-in"


class Challenges:
    """Makes challenges that carry their own proof, so that nobody can fill a memory of them; remembers used ones."""

    def __init__(self, clock: Clock) -> None:
        """Make a key; a restart voids what is under way."""
        self._clock, self._key = clock, secrets.token_bytes(32)
        self._used: dict[bytes, int] = {}

    def make(self, purpose: bytes) -> bytes:
        """Return a challenge for `purpose`: random, time, and a proof of both."""
        head = secrets.token_bytes(16) + self._clock.monotonic_ns().to_bytes(8, "big")
        return head + self._proof(head, purpose)

    def spend(self, challenge: bytes, purpose: bytes) -> bool:
        """Whether `challenge` was made for `purpose`, is not too old and was not spent before; it is spent then."""
        head, now = challenge[:24], self._clock.monotonic_ns()
        if not hmac.compare_digest(challenge[24:], self._proof(head, purpose)):
            return False
        born = int.from_bytes(head[16:], "big")
        self._used = {one: at for one, at in self._used.items() if now - at <= HOLDS_S * 1e9}
        if now - born > HOLDS_S * 1e9 or head in self._used:
            return False
        self._used[head] = born
        return True

    def _proof(self, head: bytes, purpose: bytes) -> bytes:
        return hmac.digest(self._key, head + purpose, "sha256")


class Passkeys:
    """Registers passkeys of `people` and signs them in."""

    def __init__(self, people: People, clock: Clock, host: str, *, https: bool) -> None:
        """Serve pages under `host`, behind a TLS proxy when `https`."""
        self._people, self._clock, self.host, self._https = people, clock, host, https
        self._challenges = Challenges(clock)
        self._webauthn = _library()

    def offered(self, host_header: str) -> bool:
        """Whether a page under this name can use them."""
        return self._webauthn is not None and bool(self.host) and _name(host_header) == self.host

    def ask_new(self, person: Person, session: str) -> str:
        """Return what the browser of a signed-in person is asked, to make a passkey: JSON."""
        lib, made = self._lib(), self._structs()
        if len(person.passkeys) >= MOST:
            raise BadRequest(f"{person.name} has {MOST} passkeys: remove one first")
        options = lib.generate_registration_options(
            rp_id=self.host,
            rp_name="Bartizan",
            user_name=person.name,
            user_id=_handle(person),
            challenge=self._challenges.make(session.encode()),
            timeout=_TIMEOUT_MS,
            authenticator_selection=made.AuthenticatorSelectionCriteria(
                resident_key=made.ResidentKeyRequirement.REQUIRED,
                user_verification=made.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                made.PublicKeyCredentialDescriptor(id=lib.base64url_to_bytes(one.id)) for one in person.passkeys
            ],
        )
        return str(lib.options_to_json(options))

    def add(self, person: Person, session: str, answer: str, label: str, host_header: str) -> None:
        """Keep the passkey that a browser made. Raises BadRequest when the answer does not hold."""
        lib, challenge = self._lib(), self._challenge(answer)
        if not self._challenges.spend(challenge, session.encode()):
            raise BadRequest("this passkey was not asked for in this session, or too long ago", hint="Try again.")
        try:
            found = lib.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self._origin(host_header),
                require_user_verification=True,
            )
        except _errors() as error:
            raise BadRequest(f"this passkey does not hold: {type(error).__name__}") from None
        named, key = (_text(data) for data in (found.credential_id, found.credential_public_key))
        passkey = Passkey(named, key, found.sign_count, label, self._clock.wall_ns())
        self._people.add_passkey(person.name, passkey, MOST)

    def ask(self) -> str:
        """Return what a browser is asked to sign somebody in: JSON. The same for everybody, but for the challenge."""
        lib, made = self._lib(), self._structs()
        options = lib.generate_authentication_options(
            rp_id=self.host,
            challenge=self._challenges.make(_SIGN_IN),
            timeout=_TIMEOUT_MS,
            user_verification=made.UserVerificationRequirement.REQUIRED,
        )
        return str(lib.options_to_json(options))

    def check(self, answer: str, host_header: str) -> Person:
        """Return whose passkey answered. Raises Refused when the answer does not hold, and says no more than that."""
        lib, no = self._lib(), Refused("this passkey does not sign anybody in", hint="Try again, or use a password.")
        try:
            challenge, said = self._challenge(answer), json.loads(answer)
            found = self._people.holder(str(said["id"]))
            handle = said["response"].get("userHandle")
        except (BadRequest, KeyError, TypeError, AttributeError, ValueError):
            raise no from None
        if found is None or handle not in (None, "", _text(_handle(found[0]))):
            raise no
        person, passkey = found
        if not self._challenges.spend(challenge, _SIGN_IN):
            raise no
        try:
            verified = lib.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self._origin(host_header),
                credential_public_key=lib.base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except _errors():
            raise no from None
        self._people.used(person.name, passkey.id, verified.new_sign_count)
        return person

    def _challenge(self, answer: str) -> bytes:
        """Return the challenge that an answer speaks of; whether it holds is looked at later."""
        if len(answer) > _LARGEST:
            raise BadRequest(f"an answer of {len(answer)} characters: expected at most {_LARGEST}")
        try:
            lib = self._lib()
            client = json.loads(lib.base64url_to_bytes(json.loads(answer)["response"]["clientDataJSON"]))
            return bytes(lib.base64url_to_bytes(client["challenge"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BadRequest("an answer that no browser gives") from None

    def _origin(self, host_header: str) -> str:
        return f"{'https' if self._https else 'http'}://{host_header}"

    def _lib(self) -> Any:
        if self._webauthn is None:
            raise BadSettings("passkeys need a package that is not there", hint="pip install 'bartizan[passkeys]'")
        return self._webauthn

    def _structs(self) -> Any:
        return importlib.import_module("webauthn.helpers.structs")


def _library() -> Any:
    """Return py_webauthn, or nothing where the extra is not installed."""
    try:
        return importlib.import_module("webauthn")
    except ImportError:
        return None


def _errors() -> tuple[type[Exception], ...]:
    """Return what the library raises on an answer that does not hold, or is malformed in a way it did not foresee."""
    known: type[Exception] = importlib.import_module("webauthn.helpers.exceptions").WebAuthnException
    return (known, ValueError, KeyError, TypeError, IndexError)


def _handle(person: Person) -> bytes:
    """Return what an authenticator knows an account by: not its name, and another for a later account of that name."""
    return hashlib.sha256(f"bartizan {person.created_ns} {person.name}".encode()).digest()


def _text(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _name(host_header: str) -> str:
    return host_header.rpartition(":")[0] if host_header.rpartition(":")[2].isdecimal() else host_header
