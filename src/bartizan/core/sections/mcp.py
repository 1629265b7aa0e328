"""`[mcp]`: what the proxy for the Model Context Protocol does with servers, calls and results."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bartizan.core.sections.gateway import Mode

Ask = Literal["deny", "allow"]


class McpServer(Struct, frozen=True, forbid_unknown_fields=True):
    """One server that `bartizan mcp serve` stands in front of: an address, or a command that starts it."""

    name: Annotated[
        str,
        Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$", description="Name in pins, rules, records and the path /NAME/mcp."),
    ] = "server"
    url: Annotated[str, Meta(description="Where it is reached over Streamable HTTP; or a command.")] = ""
    command: Annotated[tuple[str, ...], Meta(description="What starts it; one child for each session.")] = ()
    api_key_env: Annotated[str, Meta(description="Environment variable that holds our key for it.")] = ""
    api_key_file: Annotated[str, Meta(description="File whose first line is our key for it.")] = ""
    client_id: Annotated[
        str,
        Meta(
            description="Our id at its authorization server (OAuth); with a consent_file and no id, we register there."
        ),
    ] = ""
    client_secret_env: Annotated[str, Meta(description="Environment variable that holds our secret there.")] = ""
    client_secret_file: Annotated[str, Meta(description="File whose first line is our secret there.")] = ""
    consent_file: Annotated[
        str,
        Meta(description="File for the token that a person consents to (`bartizan mcp login`); empty: none."),
    ] = ""
    scope: Annotated[str, Meta(description="Scopes to ask for, with spaces between; empty: none.")] = ""
    issuer: Annotated[
        str, Meta(description="The one authorization server that is trusted; empty: the server's own.")
    ] = ""


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
    host: Annotated[str, Meta(min_length=1, description="Address that `mcp serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Its port; 0 picks a free one.")] = 8788
    hosts: Annotated[
        tuple[str, ...], Meta(description="Names under which clients reach it; on this machine alone also localhost.")
    ] = ()
    origins: Annotated[
        tuple[str, ...], Meta(description="Origins of web pages whose scripts may talk to it, as https://host[:port].")
    ] = ()
    public_url: Annotated[
        str,
        Meta(
            pattern="^$|^https?://[^/?#]+$",
            description="How clients reach it, as https://host[:port]; tells them where [tokens] come from (RFC 9728).",
        ),
    ] = ""
    servers: Annotated[tuple[McpServer, ...], Meta(description="The servers behind `mcp serve`.")] = ()
    sessions: Annotated[int, Meta(ge=1, le=100000, description="Most sessions at once.")] = 1000
    sessions_per_caller: Annotated[int, Meta(ge=1, le=100000, description="Most sessions of one caller at once.")] = 64
    session_idle_s: Annotated[
        float, Meta(ge=1, le=604800, description="A session that nobody used for so long is ended.")
    ] = 1800.0
    message_bytes: Annotated[int, Meta(ge=1024, le=268435456, description="Largest message either way.")] = 16777216
    requests_at_once: Annotated[int, Meta(ge=1, le=10000, description="Most unanswered requests of one client.")] = 64
    calls_per_minute: Annotated[
        int, Meta(ge=1, le=1000000, description="Most calls of tools within any minute of one conversation.")
    ] = 600
    calls_per_session: Annotated[
        int, Meta(ge=0, le=100000000, description="Most calls of tools in one session; 0: any number.")
    ] = 0
    call_timeout_s: Annotated[float, Meta(gt=0, le=86400, description="Longest wait for an answer of a server.")] = (
        300.0
    )
