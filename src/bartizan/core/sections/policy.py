"""`[policy]`: what happens to the tool calls that a model asks for."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """The agent firewall: tool calls decided by where their values came from."""

    tool_calls: Annotated[
        Literal["enforce", "monitor", "off"],
        Meta(description="Calls that the request does not license: enforce (leave them out), monitor (record), off."),
    ] = "off"
    manifest_file: Annotated[
        str, Meta(description="JSON file that describes the tools; what it leaves out is inferred.")
    ] = ""
    rules_file: Annotated[
        str, Meta(description="Cedar file: which caller may use which tool. Calls that no rule permits are refused.")
    ] = ""
    decisions_file: Annotated[
        str,
        Meta(description="SQLite file of allowed calls, which `bartizan mcp` executes once each; empty: none is kept."),
    ] = ""
