"""`[assess]`: what is attacked and how much of it."""

from typing import Annotated

from msgspec import Meta, Struct


class Assess(Struct, frozen=True, forbid_unknown_fields=True):
    """The assessment: what is attacked, with how many requests, from which seed."""

    target: Annotated[
        str, Meta(description="Base URL of an OpenAI-compatible endpoint; empty means the embedded reference model.")
    ] = ""
    model: Annotated[str, Meta(description="Model name to ask for; empty means the first the endpoint lists.")] = ""
    api_key_env: Annotated[
        str, Meta(description="Environment variable that holds the endpoint's key; empty means no key.")
    ] = ""
    max_requests: Annotated[
        int, Meta(ge=10, le=1000000, description="The target never gets more requests than this.")
    ] = 400
    seed: Annotated[int, Meta(ge=0, description="Seed of everything random; the same seed gives the same attacks.")] = (
        20261124
    )
    output: Annotated[
        str,
        Meta(
            min_length=1,
            description="Folder for report.html, report.md, report.json, report.sarif and report.junit.xml.",
        ),
    ] = "."
