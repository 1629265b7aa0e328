"""`[assess]`: what is attacked and how much of it."""

from typing import Annotated, Literal

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
        int,
        Meta(
            ge=0,
            le=1000000,
            description="The target never gets more requests than this; 0 means 1000, or 4000 in the full profile.",
        ),
    ] = 0
    seed: Annotated[int, Meta(ge=0, description="Seed of everything random; the same seed gives the same attacks.")] = (
        20261124
    )
    profile: Annotated[
        Literal["quick", "full"],
        Meta(description="quick: all ten in about ten minutes on two cores; full: four times the samples."),
    ] = "quick"
    jobs: Annotated[int, Meta(ge=1, le=64, description="Proofs that run at the same time, each on its own cores.")] = 2
    proof_timeout_s: Annotated[
        float, Meta(gt=0, le=86400, description="A proof that takes longer is stopped and its threat is untested.")
    ] = 1800.0
    evidence: Annotated[
        tuple[str, ...],
        Meta(
            description="Result files of garak (JSON lines) or promptfoo (JSON) that the report shows beside its own."
        ),
    ] = ()
    history: Annotated[
        str, Meta(description="Folder where every finished run is kept for `bartizan runs`; empty keeps none.")
    ] = "bartizan-data/runs"
    output: Annotated[
        str,
        Meta(
            min_length=1,
            description="Folder for report.html, report.md, report.json, report.sarif and report.junit.xml.",
        ),
    ] = "."

    def effort(self) -> int:
        """Return how many times the quick profile's samples are taken."""
        return 4 if self.profile == "full" else 1

    def cap(self) -> int:
        """Return the most requests the target gets."""
        return self.max_requests or 1000 * self.effort()
