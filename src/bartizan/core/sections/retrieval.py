"""`[retrieval]`: retrieved text on its way into a prompt."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bartizan.core.sections.gateway import Mode

Mark = Literal["delimit", "datamark", "encode"]


class Retrieval(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /retrieval`: chunks are searched for orders, marked as data, and known again in later prompts."""

    filter: Annotated[
        Mode, Meta(description="Chunks with orders in them: enforce (withhold), monitor (say so), off.")
    ] = "enforce"
    mark: Annotated[
        Mark,
        Meta(
            description="How text is marked as data: delimit (between marks that cannot be guessed), datamark (also a "
            "sign between all words), encode (base64; for strong models)."
        ),
    ] = "delimit"
    most_chunks: Annotated[int, Meta(ge=1, le=10000, description="Most chunks of one request.")] = 100
    remembered_runs: Annotated[
        int,
        Meta(
            ge=0,
            le=10000000,
            description="Runs of eight words by which prepared text is known again in later prompts; 0: none.",
        ),
    ] = 200000
