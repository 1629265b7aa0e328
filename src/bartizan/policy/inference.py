"""What a tool is taken for when the operator wrote nothing: from its name, its JSON Schema and its annotations.

Inference is careful: a tool whose name says nothing changes things, and an argument that names nothing known is a
target wherever harm cannot be undone. Annotations of a tool's server can only make this stricter, never milder: who
describes a tool may be the attacker (MCP, "tool annotations are untrusted"). Fields of a result are believed by name
only for tools that list or look up records, never for tools that return a page, a file or a text.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from bartizan.core.messages import ToolSpec
from bartizan.policy.manifest import Effect, Kind, Result, Role, Tool, properties, singular, words_of

_LONGEST_NAME = 200
"""What stands behind this much of an argument's name says nothing about it, and is not kept."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READS = _words("get list read search find check show view query lookup count describe calculate summarize fetch")
_VERBS = {
    Effect.PAY: "pay transfer transaction payment purchase buy refund withdraw wire money donate",
    Effect.DELETE: "delete remove cancel drop revoke kick ban uninstall purge erase destroy terminate",
    Effect.EXECUTE: "run execute exec shell eval bash command deploy install spawn script",
    Effect.SHARE: "share invite grant permission permissions participants member members",
    Effect.SEND: "send post reply forward email mail notify publish tweet message upload dm",
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
_OBJECTS = (
    "email mail inbox",
    "event calendar meeting appointment",
    "file document drive doc folder",
    "transaction payment transfer money bill",
    "message channel dm slack",
    "user profile information info account",
    "password credential",
    "page webpage website site web",
    "issue ticket bug",
    "repository repo",
    "reservation booking",
)
_FIELDS = (
    (Kind.SECRET, _words("password passwd secret token apikey key otp pin code ssn passport card cvv bank")),
    (Kind.ID, _words("id uuid guid ids number")),
    (Kind.NAME, _words("title name filename subject")),
    (
        Kind.META,
        _words(
            "sender from recipient recipients to owner author participants members shared email mail phone handle user"
            " amount size price cost date time start end created modified timestamp rating stars count total balance"
            " status"
        ),
    ),
)
_FREE_TEXT = _words("page webpage web website url http content text body file document read browse fetch")
"""A tool with one of these words in its name, and no word for finding records, returns somebody's text."""
_FINDS = _words("list search find query lookup")


@lru_cache(maxsize=4096)
def _inferred(spec: ToolSpec, destructive: bool, changing: bool) -> Tool:
    words = words_of(spec.name)
    effect = _effect(words)
    if effect in (Effect.READ, Effect.FETCH) and (destructive or changing):
        effect = Effect.DELETE if destructive else Effect.WRITE
    roles = {name: _role(name, schema, effect) for name, schema in properties(spec.schema).items()}
    if effect is Effect.READ and any(_leads_away(name) for name in roles):
        effect = Effect.FETCH
    return Tool(effect, roles, result=_result(words, effect), objects=objects_of(words))


def infer(spec: ToolSpec, annotations: Mapping[str, Any] | None = None) -> Tool:
    """Return what name, schema and annotations say about a tool nobody described."""
    hints = annotations or {}
    return _inferred(spec, hints.get("destructiveHint") is True, hints.get("readOnlyHint") is False)


def role_of(tool: Tool, argument: str) -> Role:
    """Return the role of an argument, one that the schema does not name included."""
    return tool.arguments.get(argument) or _role_by_name(argument[:_LONGEST_NAME], tool.effect)


def objects_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return the nouns that people use for what a tool of this name acts on."""
    found: list[str] = []
    for group in _OBJECTS:
        nouns = group.split()
        if any(singular(word) in nouns for word in words):
            found += nouns
    return tuple(dict.fromkeys(found))


def kind_of(field: str) -> Kind:
    """Return what a field of a record is taken for by its name."""
    return _kind_of(field[:_LONGEST_NAME])


@lru_cache(maxsize=4096)
def _kind_of(field: str) -> Kind:
    words = {singular(word) for word in words_of(field)} | set(words_of(field))
    for kind, names in _FIELDS:
        if words & names:
            return kind
    return Kind.CONTENT


def _result(words: Sequence[str], effect: Effect) -> Result | None:
    """Return that fields are taken by their names (an empty Result), or None for tools that return free text."""
    if effect is Effect.FETCH or (effect is Effect.READ and set(words) & _FREE_TEXT and not set(words) & _FINDS):
        return None
    return Result()


def _effect(words: Sequence[str]) -> Effect:
    if words and words[0] in _READS:
        return Effect.FETCH if set(words) & set(_VERBS[Effect.FETCH].split()) else Effect.READ
    for effect, verbs in _VERBS.items():
        if set(words) & set(verbs.split()):
            return effect
    return Effect.WRITE


def _role(name: str, schema: Mapping[str, Any], effect: Effect) -> Role:
    words = set(words_of(name))
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


@lru_cache(maxsize=4096)
def _role_by_name(name: str, effect: Effect) -> Role:
    return _role(name, {}, effect)


def _leads_away(name: str) -> bool:
    return bool(set(words_of(name)) & {"url", "uri", "link", "host", "webhook", "endpoint", "domain"})
