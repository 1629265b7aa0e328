"""`[sso]`: sign-in to the dashboard at an identity provider (OpenID Connect)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class SsoRole(Struct, frozen=True, forbid_unknown_fields=True):
    """Which role of the dashboard the holders of a role of the provider get."""

    claim: Annotated[str, Meta(min_length=1, description="The role or group, as it stands in the token.")] = (
        "bartizan-viewers"
    )
    role: Annotated[
        Literal["viewer", "reviewer", "operator", "admin"], Meta(description="What its holders may do here.")
    ] = "viewer"


class Sso(Struct, frozen=True, forbid_unknown_fields=True):
    """Sign-in to the dashboard at an identity provider (OpenID Connect). Without an issuer there is none."""

    issuer: Annotated[
        str, Meta(description="The provider's issuer; https, or http on this machine. Empty: passwords only.")
    ] = ""
    client_id: Annotated[str, Meta(description="The id under which the provider knows the dashboard.")] = ""
    client_secret_env: Annotated[
        str, Meta(description="Environment variable that holds the client's secret; empty: a public client.")
    ] = ""
    client_secret_file: Annotated[str, Meta(description="File that holds the client's secret instead.")] = ""
    return_url: Annotated[
        str, Meta(description="The dashboard's own address + /sso/return, exactly as the provider has it registered.")
    ] = "http://localhost:8788/sso/return"
    scopes: Annotated[tuple[str, ...], Meta(min_length=1, description="What is asked for; `openid` must be there.")] = (
        "openid",
        "profile",
    )
    name_claim: Annotated[
        str,
        Meta(
            min_length=1,
            description="The claim people are called by here; it must be unique, and never be given to another.",
        ),
    ] = "sub"
    role_claim: Annotated[str, Meta(min_length=1, description="The claim that lists the roles or groups.")] = "roles"
    roles: Annotated[
        tuple[SsoRole, ...], Meta(description="What the provider's roles may do; the highest one held counts.")
    ] = ()
    algorithms: Annotated[tuple[str, ...], Meta(min_length=1, description="Signature algorithms that are taken.")] = (
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
    )
    leeway_s: Annotated[float, Meta(ge=0, le=300, description="How far clocks may differ.")] = 30.0
