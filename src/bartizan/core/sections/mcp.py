"""`[mcp]`: which servers of the Model Context Protocol may be used, and what each control does."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bartizan.core.sections.gateway import Mode

Ask = Literal["deny", "allow"]


class McpServer(Struct, frozen=True, forbid_unknown_fields=True):
    """One server that `bartizan mcp serve` puts behind /mcp/NAME. It is reached over HTTP."""

    name: Annotated[
        str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$", description="Its name in paths, pins and the ledger.")
    ] = "tools"
    url: Annotated[str, Meta(pattern="^https?://", description="Its endpoint; http only on this machine.")] = (
        "http://127.0.0.1:8000/mcp"
    )
    inside: Annotated[
        bool, Meta(description="Whether it may have an address of this machine or its network (true for the default).")
    ] = True
    token_env: Annotated[str, Meta(description="Environment variable with the token that this server takes.")] = ""
    token_file: Annotated[str, Meta(description="File whose first line is that token.")] = ""
    timeout_s: Annotated[float, Meta(gt=0, le=3600, description="Longest wait for the next byte.")] = 120.0


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
    host: Annotated[str, Meta(min_length=1, description="Address that `bartizan mcp serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Its port; 0 picks a free one.")] = 8788
    hosts: Annotated[
        tuple[str, ...],
        Meta(description="Host headers that are taken, with port; none: those of the loopback address it listens on."),
    ] = ()
    origins: Annotated[
        tuple[str, ...], Meta(description="Origins of web pages that may call; none: pages of this machine's own port.")
    ] = ()
    api_key_env: Annotated[str, Meta(description="Environment variable with the key that clients must present.")] = ""
    api_key_file: Annotated[str, Meta(description="File whose first line is that key.")] = ""
    sessions: Annotated[int, Meta(ge=1, le=1000000, description="Most sessions at once.")] = 1024
    session_idle_s: Annotated[float, Meta(ge=1, le=604800, description="A session unused for so long is over.")] = (
        3600.0
    )
    servers: Annotated[tuple[McpServer, ...], Meta(description="The servers behind `bartizan mcp serve`.")] = ()
