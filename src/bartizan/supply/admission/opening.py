"""Opens what the settings name: the lock's key (made on first use), the desk over the ledger."""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.core.sections.supply import Supply
from bartizan.ledger.log import Ledger
from bartizan.supply import signing
from bartizan.supply.admission.desk import Desk


def open_desk(policy: Supply, ledger: Ledger, clock: Clock) -> Desk:
    """Return the desk of these settings; its key is made when there is none."""
    return Desk(policy, ledger, _private(Path(policy.key_file)), clock)


def public_key(policy: Supply, named: Path | None = None) -> ec.EllipticCurvePublicKey:
    """Return the key that locks must be signed with: the one in `named`, or the public half beside the private one."""
    file = named or _public_file(Path(policy.key_file))
    try:
        return signing.public_key(file.read_bytes())
    except OSError as error:
        hint = "It is written when the first artefact is proposed; copy it to the machines that check the lock."
        raise BadSettings(f"{file}: no key of the lock: {error.strerror or error}", hint=hint) from error


def _public_file(path: Path) -> Path:
    return path.with_name(path.name + ".pub")


def _private(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        if path.exists():
            return signing.private_key(path.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            form = serialization.PrivateFormat.PKCS8
            file.write(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _public_file(path).write_bytes(public)
    except OSError as error:
        raise BadSettings(f"{path}: the lock's key cannot be used: {error.strerror or error}") from error
    return key
