"""An authenticator in software: makes passkeys and answers challenges as a security key with a PIN does.

Everything that a thief, a phisher or a broken device would say differently is an argument.
"""

import base64
import hashlib
import json

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

UP, UV, AT = 0x01, 0x04, 0x40
"""Flags of authenticator data: somebody was there; who it was was verified; a new key is attached."""


def packed(data):
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """One passkey. `origin` is the page that the browser is on, whatever that page says it is."""

    def __init__(self, origin, name=b"credential-one", host="localhost"):
        """Make a key pair for `host`."""
        self.origin, self.name, self.host = origin, name, host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.count, self.handle = 0, None

    def make(self, asked, flags=UP | UV):
        """Answer the options of a registration: JSON."""
        options = json.loads(asked)
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attached = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + cose
        data = self._data(flags | AT) + attached
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._said({"clientDataJSON": packed(client), "attestationObject": packed(statement)})

    def answer(self, asked, flags=UP | UV, **changed):
        """Answer the options of a sign-in: JSON. `changed` replaces parts of the response."""
        self.count += 1
        client, data = self._client("webauthn.get", json.loads(asked)["challenge"]), self._data(flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        said = {"clientDataJSON": packed(client), "authenticatorData": packed(data), "signature": packed(signature)}
        return self._said({**said, "userHandle": self.handle, **changed})

    def _said(self, response):
        name = packed(self.name)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _client(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, flags):
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")
