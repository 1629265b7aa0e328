"""`[tokens]`: bearer tokens of an identity provider, and what their holders may do."""

from typing import Annotated

from msgspec import Meta, Struct


class TokenRole(Struct, frozen=True, forbid_unknown_fields=True):
    """What the holders of one role of the identity provider may do."""

    name: Annotated[str, Meta(min_length=1, description="The role, as it stands in the token.")] = "bartizan-user"
    routes: Annotated[tuple[str, ...], Meta(description="Routes, as patterns with *.")] = ("*",)
    models: Annotated[tuple[str, ...], Meta(description="Models, as patterns with *.")] = ("*",)
    tools: Annotated[tuple[str, ...], Meta(description="Tools they may offer, as patterns with *.")] = ("*",)
    messages: Annotated[tuple[str, ...], Meta(description="Roles of messages they may send.")] = (
        "system",
        "developer",
        "user",
        "assistant",
        "tool",
    )
    admin: Annotated[bool, Meta(description="May manage and measure, and not talk to models.")] = False


class Tokens(Struct, frozen=True, forbid_unknown_fields=True):
    """Bearer tokens of an identity provider (OIDC). Without an issuer none are taken."""

    issuer: Annotated[str, Meta(description="The `iss` of the tokens; empty: no tokens are taken.")] = ""
    audience: Annotated[str, Meta(description="The `aud` that names this gateway.")] = ""
    keys_url: Annotated[str, Meta(description="The provider's JSON Web Key Set; https, or http on this machine.")] = ""
    keys_file: Annotated[str, Meta(description="The key set in a file instead.")] = ""
    algorithms: Annotated[tuple[str, ...], Meta(min_length=1, description="Signature algorithms that are taken.")] = (
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
    )
    role_claim: Annotated[str, Meta(min_length=1, description="The claim that lists the roles.")] = "roles"
    leeway_s: Annotated[float, Meta(ge=0, le=300, description="How far clocks may differ.")] = 30.0
    refresh_s: Annotated[float, Meta(ge=1, le=86400, description="How often the keys are read again.")] = 300.0
    stale_s: Annotated[float, Meta(ge=60, le=604800, description="Keys older than this are not trusted any more.")] = (
        86400.0
    )
    roles: Annotated[
        tuple[TokenRole, ...], Meta(min_length=1, description="The roles that may call; the first held counts.")
    ] = (TokenRole(),)
