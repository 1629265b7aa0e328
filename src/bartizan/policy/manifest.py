"""What a tool does and what its arguments mean: written by the operator, or inferred from name and JSON Schema.

Inference is careful: a tool whose name says nothing changes things, and an argument that names nothing known is a
target wherever harm cannot be undone. Annotations of a tool's server can only make this stricter, never milder: who
describes a tool may be the attacker (MCP, "tool annotations are untrusted").
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from bartizan.core.errors import BadSettings
from bartizan.core.messages import ToolSpec


class Effect(StrEnum):
    """What a call does to the world, from nothing to what cannot be undone."""

    READ = "read"
    FETCH = "fetch"
    WRITE = "write"
    SEND = "send"
    EXECUTE = "execute"
    DELETE = "delete"
    PAY = "pay"


class Role(StrEnum):
    """What an argument is for."""

    TARGET = "target"
    """Who or what is reached or changed."""
    AMOUNT = "amount"
    SECRET = "secret"  # noqa: S105 - the name of a role
    """A credential that the call sets or uses."""
    WHEN = "when"
    CONTENT = "content"
    """What is said or stored."""
    SELECTOR = "selector"
    """What a reading call looks for."""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool. `result_trusted` says that only the operator or the user can have written what it returns."""

    effect: Effect
    arguments: dict[str, Role] = {}
    result_trusted: bool = False


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tools that the operator has described."""

    tools: dict[str, Tool] = {}

    @staticmethod
    def parse(raw: bytes | str) -> "Manifest":
        """Return the manifest in JSON text. Raises BadSettings."""
        try:
            return msgspec.json.decode(raw, type=Manifest)
        except msgspec.DecodeError as error:
            raise BadSettings(
                f"manifest: {error}",
                hint='Expected {"tools": {"NAME": {"effect": "send", "arguments": {"to": "target"}}}}.',
            ) from error

    def tool(self, spec: ToolSpec, annotations: Mapping[str, Any] | None = None) -> Tool:
        """Return what is known about a tool: what the operator wrote, completed by what can be inferred."""
        inferred = infer(spec, annotations)
        written = self.tools.get(spec.name)
        if written is None:
            return inferred
        return msgspec.structs.replace(written, arguments={**inferred.arguments, **written.arguments})


_READS = frozenset(
    [
        "get",
        "list",
        "read",
        "search",
        "find",
        "check",
        "show",
        "view",
        "query",
        "lookup",
        "count",
        "describe",
        "calculate",
        "summarize",
        "fetch",
    ]
)
_VERBS = {
    Effect.PAY: "pay transfer transaction payment purchase buy refund withdraw wire money donate",
    Effect.DELETE: "delete remove cancel drop revoke kick ban uninstall purge erase destroy terminate",
    Effect.EXECUTE: "run execute exec shell eval bash command deploy install spawn script",
    Effect.SEND: "send post reply forward invite share email mail notify publish tweet message upload dm",
    Effect.FETCH: "browse download visit webpage http request crawl navigate url",
}
_ARGUMENTS = (
    (Role.SECRET, "password passwd secret token apikey key credential credentials otp pin passphrase"),
    (Role.AMOUNT, "amount price quantity total sum budget limit"),
    (Role.WHEN, "date time datetime start end when day deadline until since"),
    (Role.CONTENT, "subject body content message text title description note notes comment summary reason"),
    (
        Role.TARGET,
        "recipient recipients to cc bcc email address url uri link host domain channel user users participants account"
        " iban id ids file filename path folder destination webhook repo repository branch name hotel restaurant city"
        " phone number callback endpoint company",
    ),
)
_STRICT = (Effect.PAY, Effect.DELETE, Effect.EXECUTE)


def infer(spec: ToolSpec, annotations: Mapping[str, Any] | None = None) -> Tool:
    """Return what name, schema and annotations say about a tool nobody described."""
    words = _words(spec.name)
    effect = _effect(words)
    hints = annotations or {}
    if effect in (Effect.READ, Effect.FETCH) and (
        hints.get("destructiveHint") is True or hints.get("readOnlyHint") is False
    ):
        effect = Effect.DELETE if hints.get("destructiveHint") is True else Effect.WRITE
    roles = {name: _role(name, schema, effect) for name, schema in _properties(spec.schema).items()}
    if effect is Effect.READ and any(_leads_away(name) for name in roles):
        effect = Effect.FETCH
    return Tool(effect, roles)


def role_of(tool: Tool, argument: str) -> Role:
    """Return the role of an argument, one that the schema does not name included."""
    return tool.arguments.get(argument) or _role(argument, {}, tool.effect)


def _effect(words: list[str]) -> Effect:
    if words and words[0] in _READS:
        return Effect.FETCH if set(words) & set(_VERBS[Effect.FETCH].split()) else Effect.READ
    for effect, verbs in _VERBS.items():
        if set(words) & set(verbs.split()):
            return effect
    return Effect.WRITE


def _role(name: str, schema: Mapping[str, Any], effect: Effect) -> Role:
    words = set(_words(name))
    if schema.get("format") in ("uri", "email", "hostname", "iri", "url"):
        return Role.TARGET
    if effect is Effect.EXECUTE:
        return Role.TARGET
    for role, names in _ARGUMENTS:
        if words & set(names.split()):
            return role
    if effect is Effect.READ:
        return Role.SELECTOR
    return Role.TARGET if effect in _STRICT else Role.CONTENT


def _leads_away(name: str) -> bool:
    return bool(set(_words(name)) & {"url", "uri", "link", "host", "webhook", "endpoint", "domain"})


def _properties(schema: str) -> dict[str, Mapping[str, Any]]:
    try:
        found = json.loads(schema or "{}").get("properties", {})
    except (ValueError, AttributeError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): part if isinstance(part, dict) else {} for name, part in found.items()}


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]
