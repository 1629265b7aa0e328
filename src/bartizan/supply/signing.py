"""Signs and verifies manifests in the OpenSSF model-signing format: an in-toto statement, DSSE envelope, one bundle.

Keys are elliptic-curve ones (P-256, P-384, P-521), bare or with a certificate. A certificate is checked as of now, for
there is no trusted timestamp: one that has expired does not verify. Keyless signatures: `supply/keyless.py`.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.supply.manifest import GIT, ITSELF, Manifest

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
PAYLOAD = "application/vnd.in-toto+json"
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Trust(Protocol):
    """Who may have signed."""

    def key_of(self, material: dict[str, Any]) -> ec.EllipticCurvePublicKey:
        """Return the key that must have signed, or raise BadEvidence when the bundle names nobody who is trusted."""


@dataclass(frozen=True)
class TrustedKey:
    """One public key."""

    key: ec.EllipticCurvePublicKey

    def key_of(self, material: dict[str, Any]) -> ec.EllipticCurvePublicKey:
        """Return the key unless the bundle says that another one signed."""
        hint = material.get("publicKey", {}).get("hint")
        if hint is not None and hint != fingerprint(self.key):
            raise BadEvidence(f"signed by key {str(hint)[:16]}…, expected {fingerprint(self.key)[:16]}…")
        return self.key


@dataclass(frozen=True)
class TrustedRoots:
    """Certificate authorities, each of which may vouch for signers."""

    roots: tuple[x509.Certificate, ...]

    def key_of(self, material: dict[str, Any]) -> ec.EllipticCurvePublicKey:
        """Return the key of the signer's certificate once its chain leads to a root and it may sign."""
        try:
            encoded = material["x509CertificateChain"]["certificates"]
            chain = [x509.load_der_x509_certificate(base64.b64decode(one["rawBytes"])) for one in encoded]
            leaf, *between = chain
        except (KeyError, TypeError, ValueError) as error:
            raise BadEvidence("the bundle holds no certificate chain that can be read") from error
        everything = verification.ExtensionPolicy.permit_all()
        authority = everything.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _is_authority)
        authority = authority.require_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_certify)
        builder = verification.PolicyBuilder().store(verification.Store(list(self.roots)))
        builder = builder.extension_policies(ca_policy=authority, ee_policy=everything)
        try:
            builder.build_client_verifier().verify(leaf, between)
            _may_sign(leaf)
        except (verification.VerificationError, ValueError) as error:
            raise BadEvidence(f"the signer's certificate is not trusted: {error}") from error
        return _supported(leaf.public_key())


def _is_authority(_: object, __: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("issued by a certificate that is no authority")


def _may_certify(_: object, __: x509.Certificate, extension: x509.KeyUsage) -> None:
    if not extension.key_cert_sign:
        raise ValueError("issued by a certificate that may not issue")


def _may_sign(leaf: x509.Certificate) -> None:
    try:
        if leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            return
    except x509.ExtensionNotFound:
        pass
    raise ValueError("its key usage does not include digital signatures")


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of the key's PEM, by which bundles name it."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(pem).hexdigest()


def private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the signing key in `pem`."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise BadSettings(f"no private key that can be used: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _HASHES:
        raise BadSettings("expected an elliptic-curve key (P-256, P-384 or P-521)")
    return key


def public_key(pem: bytes) -> ec.EllipticCurvePublicKey:
    """Return the verification key in `pem`."""
    try:
        return _supported(serialization.load_pem_public_key(pem))
    except (ValueError, TypeError) as error:
        raise BadSettings(f"no public key that can be used: {error}") from error


def certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Return the certificates in `pem`, at least one."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise BadSettings(f"no certificates that can be used: {error}") from error


def _supported(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise ValueError("expected an elliptic-curve key (P-256, P-384 or P-521)")
    return key


def sign(
    manifest: Manifest, key: ec.EllipticCurvePrivateKey, chain: tuple[x509.Certificate, ...] = ()
) -> dict[str, Any]:
    """Return the bundle. The first certificate of `chain` is the key's; without a chain the key itself is named."""
    if chain and chain[0].public_key() != key.public_key():
        raise BadSettings("the first certificate does not belong to the private key")
    payload = statement_of(manifest)
    signature = key.sign(_signed(payload), ec.ECDSA(_HASHES[key.curve.name]()))
    material: dict[str, Any] = {"tlogEntries": []}
    if chain:
        encoded = [one.public_bytes(serialization.Encoding.DER) for one in chain]
        material["x509CertificateChain"] = {"certificates": [{"rawBytes": _base64(one)} for one in encoded]}
    else:
        material["publicKey"] = {"hint": fingerprint(key.public_key())}
    return {
        "mediaType": BUNDLE,
        "verificationMaterial": material,
        "dsseEnvelope": {
            "payload": _base64(payload),
            "payloadType": PAYLOAD,
            "signatures": [{"sig": _base64(signature), "keyid": ""}],
        },
    }


def statement_of(manifest: Manifest) -> bytes:
    """Return what is signed: an in-toto statement about every file."""
    return json.dumps(_statement(manifest), indent=2).encode()


def _statement(manifest: Manifest) -> dict[str, Any]:
    return {
        "_type": STATEMENT,
        "subject": [{"name": manifest.name, "digest": {"sha256": manifest.root()}}],
        "predicateType": PREDICATE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": list(GIT),
            },
            "resources": [
                {"name": name, "algorithm": "sha256", "digest": digest} for name, digest in manifest.digests.items()
            ],
        },
    }


def verify(bundle: bytes, trust: Trust) -> Manifest:
    """Return the manifest that somebody in `trust` signed. Raises BadEvidence for anything else."""
    # (1) The bundle is of the version we know, with one signature over an in-toto statement.
    try:
        outer = json.loads(bundle)
        envelope, material = outer["dsseEnvelope"], outer["verificationMaterial"]
        (signature,) = envelope["signatures"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        raw = base64.b64decode(signature["sig"], validate=True)
        known = outer["mediaType"] == BUNDLE and envelope["payloadType"] == PAYLOAD and isinstance(material, dict)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadEvidence(f"no signature bundle with one signature: {type(error).__name__}") from error
    if not known:
        raise BadEvidence(f"expected a bundle of type {BUNDLE} with a payload of type {PAYLOAD}")
    # (2) The signer is one we trust.
    try:
        key = trust.key_of(material)
    except (AttributeError, ValueError) as error:
        raise BadEvidence(f"the bundle does not say who signed: {error}") from error
    # (3) The signature covers these bytes. Nothing of the payload is looked at before.
    try:
        key.verify(raw, _signed(payload), ec.ECDSA(_HASHES[key.curve.name]()))
    except InvalidSignature:
        raise BadEvidence("the signature does not belong to this content and key") from None
    # (4) The statement is about files by SHA-256, consistent in itself.
    return manifest_of(payload)


def manifest_of(payload: bytes) -> Manifest:
    """Return the manifest in a statement whose signature was verified. Raises BadEvidence for any other statement."""
    try:
        statement = json.loads(payload)
        kinds = (statement["_type"], statement["predicateType"])
        (subject,) = statement["subject"]
        serialization_, resources = statement["predicate"]["serialization"], statement["predicate"]["resources"]
        pairs = [(one["name"], one["algorithm"], one["digest"]) for one in resources]
        manifest = Manifest(str(subject["name"]), {name: digest for name, _, digest in pairs})
        root, method = subject["digest"]["sha256"], (serialization_["method"], serialization_["hash_type"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadEvidence(f"the signed statement cannot be read: {type(error).__name__}") from error
    if kinds != (STATEMENT, PREDICATE):
        raise BadEvidence(f"the signed statement is of type {kinds}, expected {(STATEMENT, PREDICATE)}")
    if method != ("files", "sha256") or any(algorithm != "sha256" for _, algorithm, _ in pairs):
        raise BadEvidence(f"files were measured by {method}; only whole files by SHA-256 can be checked here")
    if not pairs or len(manifest.digests) != len(pairs) or not all(_is_sound(*pair) for pair in pairs):
        raise BadEvidence("the signed statement lists no files, one twice, or one outside of the model")
    if manifest.root() != root:
        raise BadEvidence("the signed digest is not that of the listed files")
    return manifest


def _is_sound(name: object, _: object, digest: object) -> bool:
    if not (isinstance(name, str) and isinstance(digest, str) and _SHA256.fullmatch(digest)):
        return False
    return name == ITSELF or not any(part in ("", ".", "..") for part in name.split("/"))


def seal(payload: bytes, kind: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """Return `payload` in a DSSE envelope of type `kind`, signed with `key`."""
    signature = key.sign(_signed(payload, kind), ec.ECDSA(_HASHES[key.curve.name]()))
    signer = {"sig": _base64(signature), "keyid": fingerprint(key.public_key())}
    return {"payload": _base64(payload), "payloadType": kind, "signatures": [signer]}


def unseal(envelope: Any, kind: str, key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the payload of an envelope of type `kind` that `key` signed. Raises BadEvidence for anything else."""
    try:
        (signature,) = envelope["signatures"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        raw = base64.b64decode(signature["sig"], validate=True)
        said = envelope["payloadType"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadEvidence(f"no envelope with one signature: {type(error).__name__}") from error
    if said != kind:
        raise BadEvidence(f"an envelope of type {str(said)[:80]!r}, expected {kind!r}")
    try:
        key.verify(raw, _signed(payload, kind), ec.ECDSA(_HASHES[key.curve.name]()))
    except InvalidSignature:
        raise BadEvidence("the signature does not belong to this content and key") from None
    return payload


def _signed(payload: bytes, kind: str = PAYLOAD) -> bytes:
    """Return what a DSSE signature covers (DSSE protocol, pre-authentication encoding)."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
