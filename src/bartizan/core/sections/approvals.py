"""`[approvals]`: tool calls that wait for a person."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Effect = Literal["read", "fetch", "write", "share", "send", "execute", "delete", "pay"]


class Approvals(Struct, frozen=True, forbid_unknown_fields=True):
    """The queue of held calls: what the policy asks a person about, where policy.tool_calls is enforce."""

    mode: Annotated[
        Literal["wait", "later", "off"],
        Meta(
            description="wait: hold the answer until a person decides or wait_s is over; later: deny the call, and let "
            "the same call through once a person has approved it; off: deny it and ask nobody."
        ),
    ] = "off"
    database: Annotated[
        str, Meta(min_length=1, description="Where held calls are kept: a SQLite file, or a postgresql:// URL.")
    ] = "bartizan-data/approvals.sqlite"
    wait_s: Annotated[float, Meta(gt=0, le=3600, description="Longest time that an answer is held for a person.")] = (
        120.0
    )
    hold_s: Annotated[
        float, Meta(gt=0, le=604800, description="How long a question stays open, and an approval may be used.")
    ] = 86400.0
    most_waiting: Annotated[
        int, Meta(ge=1, le=100000, description="Most open questions of one caller; further calls are denied.")
    ] = 50
    two_people: Annotated[
        tuple[Effect, ...], Meta(description="Effects that two people must approve, in the dashboard: pay, delete.")
    ] = ()
    webhook: Annotated[
        str,
        Meta(pattern="^(https?://.*)?$", description="Each question is posted here, signed (Standard Webhooks)."),
    ] = ""
    secret_env: Annotated[
        str, Meta(description="Environment variable with the webhook's secret; it also signs answers.")
    ] = ""
    secret_file: Annotated[str, Meta(description="Or the file that holds it.")] = ""
