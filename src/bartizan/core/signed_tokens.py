"""JSON Web Tokens of an identity provider, checked against its published keys. Pure: whoever calls fetches the keys.

Promises (RFC 8725): the signature is checked by one of the algorithms the operator listed, never one the token chose
alone; a symmetric algorithm is never taken; issuer, audience, subject and expiry are required; a key comes from the set
that the caller trusts, never from the token. A token is never repeated in an error.
"""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from bartizan.core.errors import BadSettings, Refused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
LARGEST_TOKEN = 8192
LARGEST_KEY_SET = 262144
"""Bytes of a key set that are read at most."""
_MOST_KEYS = 64

KeySet = Mapping[str, jwt.PyJWK]
"""Public signing keys by their id."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to be trusted."""

    issuer: str
    audience: str | tuple[str, ...]
    """For whom it must be made; of several, for one of them."""
    algorithms: tuple[str, ...]
    leeway_s: float
    """How far the clocks may differ."""


def check(token: str, key_of: Callable[[str], jwt.PyJWK], expected: Expected, now_s: float) -> Mapping[str, Any]:
    """Return the claims of `token`; `key_of` gives the key of an id or raises Refused. Raises Refused with the reason.

    `now_s` is the time in seconds since 1970.
    """
    if len(token) > LARGEST_TOKEN:
        raise Refused(f"this token is longer than {LARGEST_TOKEN} bytes")
    try:
        header = jwt.get_unverified_header(token)
        key = key_of(str(header.get("kid", "")))
        if key.algorithm_name != header.get("alg"):
            raise Refused("this token does not hold: its algorithm is not its key's")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[name for name in expected.algorithms if name in ALGORITHMS],
            audience=expected.audience,
            issuer=expected.issuer,
            leeway=expected.leeway_s,
            options={"require": ["exp", "iss", "aud", "sub"], "verify_exp": False, "verify_nbf": False},
        )
    except jwt.PyJWTError as error:
        raise Refused(f"this token does not hold: {_reason(error)}") from None
    for name, ends in (("exp", True), ("nbf", False)):
        moment = claims.get(name, now_s)
        if isinstance(moment, bool) or not isinstance(moment, int | float):
            raise Refused(f"this token does not hold: its {name} is no time")
        if ends and now_s >= moment + expected.leeway_s:
            raise Refused("this token does not hold: it has expired")
        if not ends and now_s < moment - expected.leeway_s:
            raise Refused("this token does not hold: it is not valid yet")
    return claims


def key_set(raw: bytes) -> dict[str, jwt.PyJWK]:
    """Return the asymmetric signing keys of a JSON Web Key Set by key id. Raises BadSettings when there is none."""
    try:
        entries = json.loads(raw)["keys"]
        entries = [entry for entry in entries if isinstance(entry, dict)][:_MOST_KEYS]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSettings(f"not a JSON Web Key Set: {type(error).__name__}") from error
    keys = {}
    for entry in entries:
        if entry.get("use", "sig") != "sig" or entry.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        with contextlib.suppress(jwt.PyJWTError, ValueError, TypeError, KeyError):
            keys[str(entry.get("kid", ""))] = jwt.PyJWK(entry)
    if not keys:
        raise BadSettings("a JSON Web Key Set without a public signing key that can be used")
    return keys


def words(claim: object) -> tuple[str, ...]:
    """Return the roles in a claim: a list, or words between spaces as in `scope` (RFC 8693)."""
    if isinstance(claim, str):
        return tuple(claim.split())
    return tuple(item for item in claim if isinstance(item, str)) if isinstance(claim, list) else ()


def must_be_known(algorithms: tuple[str, ...], what: str) -> None:
    """Refuse algorithms that are not taken. `what` names the setting. Raises BadSettings."""
    unknown = sorted(set(algorithms) - set(ALGORITHMS))
    if unknown:
        raise BadSettings(f"{what} = {unknown}: expected some of {', '.join(ALGORITHMS)}")


def _reason(error: jwt.PyJWTError) -> str:
    """Return why, in words of ours: the library's may repeat what stands in the token."""
    for kind, why in (
        (jwt.InvalidSignatureError, "its signature is wrong"),
        (jwt.InvalidAudienceError, "it is meant for somebody else"),
        (jwt.InvalidIssuerError, "somebody else issued it"),
        (jwt.MissingRequiredClaimError, "a claim that it must have is missing"),
        (jwt.InvalidAlgorithmError, "its algorithm is not allowed here"),
    ):
        if isinstance(error, kind):
            return why
    return "it is malformed"
