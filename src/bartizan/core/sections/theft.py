"""`[theft]`: keys that do not behave as their owners', and canary keys."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Theft(Struct, frozen=True, forbid_unknown_fields=True):
    """Stolen keys: what each key usually does is learnt; a key that does several things it never did is stopped."""

    mode: Annotated[
        Literal["enforce", "alert", "off"],
        Meta(description="enforce: alert, then slow the key down, then stop it; alert: only say so; off."),
    ] = "off"
    webhook: Annotated[
        str, Meta(pattern="^(https?://.*)?$", description="Alerts are posted here as JSON; empty: only recorded.")
    ] = ""
