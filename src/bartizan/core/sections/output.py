"""`[output]`: what must not leave in a model's answer, and what happens when it tries to."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Action = Literal["block", "redact", "monitor", "off"]


class Output(Struct, frozen=True, forbid_unknown_fields=True):
    """Controls on answers. Each is block (end the answer), redact (cut the span out), monitor (record only) or off."""

    secrets: Annotated[Action, Meta(description="Credentials by shape: provider keys and private keys.")] = "redact"
    personal_data: Annotated[Action, Meta(description="Personal data that a checksum or a strict shape confirms.")] = (
        "redact"
    )
    personal_kinds: Annotated[
        tuple[Literal["card", "iban", "ssn", "email"], ...], Meta(description="Which personal data is looked for.")
    ] = ("card", "iban", "ssn")
    leak: Annotated[
        Action, Meta(description="Canaries, values that the system prompt marks as secret, and quotes of it.")
    ] = "block"
    canaries: Annotated[
        tuple[str, ...], Meta(description="Strings of at least 8 letters and digits that must never be in an answer.")
    ] = ()
    quotes: Annotated[
        Literal["marked", "always", "off"],
        Meta(description="Whether quotes of the system prompt are leaks: where it says so (marked), always, or never."),
    ] = "marked"
    quote_words: Annotated[
        int, Meta(ge=5, le=200, description="This many words of the system prompt in a row count as a leak.")
    ] = 12
    links: Annotated[Action, Meta(description="Images from hosts not listed, and links to them that carry data.")] = (
        "redact"
    )
    conduct: Annotated[
        Literal["block", "monitor", "off"],
        Meta(description="An answer that gives in, where the conversation before it was nearly stopped already."),
    ] = "block"
    link_hosts: Annotated[
        tuple[str, ...], Meta(description="Hosts that answers may link to, with their subdomains.")
    ] = ()
