"""Keyless signatures: a person or workflow signs with an identity, not with a key that has to be kept (Sigstore).

The extra `sigstore` does the work: the certificate's chain and its entry in a certificate log, the signature's entry
in a transparency log with proof and time, then identity and issuer, which the caller must name. Verifying needs no
network: the trusted root is a file that the caller names. Signing talks to the services of a trust configuration.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadEvidence, BadSettings, UpstreamFailed
from bartizan.supply import signing
from bartizan.supply.manifest import Manifest


@dataclass(frozen=True)
class TrustedIdentity:
    """Who must have signed, and whom to believe about it."""

    identity: str
    """An e-mail address, or the URI of a workflow, exactly as the certificate says it."""
    issuer: str
    """Who vouched for the identity when the certificate was issued."""
    root: Path
    """A trusted root of Sigstore (trusted_root.json)."""


def verify(bundle: bytes, trust: TrustedIdentity) -> Manifest:
    """Return the manifest that this identity signed. Raises BadEvidence for anything else."""
    if not trust.identity or not trust.issuer:
        raise BadSettings("a keyless signature: expected both the signer's identity and its issuer")
    models, verifying, policies = (_part(name) for name in ("models", "verify.verifier", "verify.policy"))
    try:
        root = models.TrustedRoot.from_file(str(trust.root))
    except (OSError, ValueError, _part("errors").Error) as error:
        raise BadSettings(f"{trust.root}: no trusted root of Sigstore: {_short(error)}") from error
    try:
        signed = models.Bundle.from_json(bundle)
        policy = policies.Identity(identity=trust.identity, issuer=trust.issuer)
        kind, payload = verifying.Verifier(trusted_root=root).verify_dsse(signed, policy)
    except Exception as error:
        # The library answers damage with errors of many libraries; whatever it was, nothing was verified.
        raise BadEvidence(f"the keyless signature does not verify: {_short(error)}") from error
    if kind != signing.PAYLOAD:
        raise BadEvidence(f"the signed payload is of type {kind[:80]!r}, expected {signing.PAYLOAD!r}")
    return signing.manifest_of(payload)


def sign(manifest: Manifest, token: str, configuration: Path | None = None) -> bytes:
    """Return the bundle, signed as the identity of `token` through the services of `configuration`.

    Without one it is Sigstore's public instance, whose log anybody can read: identity and digests become public.
    """
    models, oidc, signer, dsse = (_part(name) for name in ("models", "oidc", "sign", "dsse"))
    try:
        trust = (
            models.ClientTrustConfig.from_json(configuration.read_text(encoding="utf-8"))
            if configuration is not None
            else models.ClientTrustConfig.production()
        )
        identity = oidc.IdentityToken(token)
        with signer.SigningContext.from_trust_config(trust).signer(identity) as one:
            bundle = one.sign_dsse(dsse.Statement(signing.statement_of(manifest)))
    except Exception as error:
        what = "the services cannot be reached, or refused" if configuration is None else str(configuration)
        raise UpstreamFailed(f"keyless signing failed ({what}): {_short(error)}") from error
    return str(bundle.to_json()).encode()


def ambient_token() -> str:
    """Return the token of the workflow that this runs in. Raises BadSettings where there is none."""
    token = _part("oidc").detect_credential()
    if not token:
        hint = "In a CI job with an OIDC token it is found; else give one with --token FILE."
        raise BadSettings("no identity token here", hint=hint)
    return str(token)


def _part(name: str) -> Any:
    try:
        return importlib.import_module(f"sigstore.{name}")
    except ImportError as error:
        raise BadSettings("sigstore is not installed", hint="pip install 'bartizan[sigstore]'") from error


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300]
