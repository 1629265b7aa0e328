"""`[mcp]`: what the proxy for the Model Context Protocol does with servers, calls and results."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bartizan.core.sections.gateway import Mode

Ask = Literal["deny", "allow"]


class Mcp(Struct, frozen=True, forbid_unknown_fields=True):
    """The MCP proxy: what servers offer is pinned, calls are decided, results screened."""

    lock_file: Annotated[str, Meta(min_length=1, description="What servers offer, as it was approved.")] = (
        "bartizan-data/mcp-lock.json"
    )
    first_use: Annotated[
        Literal["pin", "ask"],
        Meta(description="A server's first list of tools: pin what no check doubts, or ask for all of it."),
    ] = "pin"
    namespaced: Annotated[
        bool, Meta(description="Show each tool as SERVER__TOOL, for clients that do not tell servers apart.")
    ] = False
    decision: Annotated[
        Literal["required", "after-reading", "when-known", "off"],
        Meta(
            description="Which calls need a decision of the chat side (policy.decisions_file): all; those that change "
            "something once a result was read; those of tools that the chat side decides about; none."
        ),
    ] = "when-known"
    called_as: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="Names that a tool has on the chat side, with {server} and {tool}."),
    ] = ("{tool}", "{server}__{tool}", "mcp__{server}__{tool}")
    arguments: Annotated[
        Mode, Meta(description="Ways out of folders, into the network, into a shell: enforce, monitor (record), off.")
    ] = "enforce"
    inside_hosts: Annotated[
        tuple[str, ...], Meta(description="Hosts of this machine or network that arguments and links may name.")
    ] = ()
    results: Annotated[
        Mode, Meta(description="Injections in what servers return: enforce (withhold), monitor (record), off.")
    ] = "enforce"
    sampling: Annotated[Ask, Meta(description="Whether servers may ask the client's model.")] = "deny"
    elicitation: Annotated[Ask, Meta(description="Whether servers may ask the user.")] = "deny"
    roots: Annotated[Ask, Meta(description="Whether servers may ask which folders the client works in.")] = "deny"
    message_bytes: Annotated[int, Meta(ge=1024, le=268435456, description="Largest message either way.")] = 16777216
    requests_at_once: Annotated[int, Meta(ge=1, le=10000, description="Most unanswered requests of one client.")] = 64
    calls_per_minute: Annotated[
        int, Meta(ge=1, le=1000000, description="Most calls of tools within any minute of one conversation.")
    ] = 600
    call_timeout_s: Annotated[float, Meta(gt=0, le=86400, description="Longest wait for an answer of a server.")] = (
        300.0
    )
