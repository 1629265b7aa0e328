"""What one call does where its arguments say more than its tool's name: HTTP methods, SQL, shell commands, links.

A call can come out stricter than its tool (a POST of a tool that fetches, a DROP of a tool that queries) for every
tool; milder (a SELECT, an `ls`) only for tools that the operator has not described, and only what is plainly so.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bartizan.policy.manifest import Effect, Role, Tool, words_of

_READS = (Effect.READ, Effect.FETCH)
_METHODS = {"post": Effect.SEND, "put": Effect.SEND, "patch": Effect.SEND, "delete": Effect.DELETE}
_METHOD_NAMES = frozenset(("method", "httpmethod", "requestmethod", "verb"))
_BODIES = frozenset(("body", "data", "json", "payload", "form", "files"))
_SQL_NAMES = frozenset(("sql", "query", "queries", "statement", "statements", "cypher"))
_CHANGES = re.compile(
    r"(?i)(?:^|[;(]|\bas\b|\bexplain\s+analy[sz]e\b)\s*(?:insert\s+(?:or\s+\w+\s+)?into|update\s+(?:\w+\s+)?[\w.\"`\[]+\s+set"
    r"|delete\s+from|drop\s+(?:table|database|schema|user|role|index|view|function|column|policy|trigger)"
    r"|alter\s+(?:table|user|role|database|system|schema|policy)|truncate\s|grant\s+[\w, ]+\s(?:on|to)\s"
    r"|revoke\s+[\w, ]+\s(?:on|from)\s|create\s+(?:or\s+replace\s+)?(?:table|user|role|view|function|index|database"
    r"|schema|trigger|extension|policy)|merge\s+into|replace\s+into|exec(?:ute)?\s|call\s+\w+\s*\(|copy\s+[\w.\"(]+.*\s(?:to|from)\s"
    r"|load\s+data|attach\s|vacuum|(?:detach\s+)?delete\s+\w+\s*$)"
)
_ASKS = re.compile(r"(?i)\s*(?:select|with|show|describe|explain)\b")
_NOT_PLAIN = re.compile(
    r"(?i)\b(?:insert|update|delete|drop|alter|create|truncate|grant|revoke|merge|replace|into|call|exec|execute|copy|load"
    r"|outfile|dumpfile|attach|set|do|vacuum|lock|analyze|analyse|dblink\w*|pg_\w+|lo_\w+|xp_\w+|sp_\w+|\w*sleep|benchmark"
    r"|load_extension|writefile|http\w*|url\w*|s3\w*|openrowset|opendatasource|query_to_xml)\b"
    r"|--|/\*|#|;\s*\S|\\"
)
_QUOTED = re.compile(r"'[^']*'")
_COMMANDS = "ls|pwd|cat|head|tail|wc|grep|stat|du|df|which|whoami|uname|diff|find|git (?:status|log|show|diff)"
_WRITES = re.compile(r"\s-(?:exec|execdir|ok|okdir|delete|fprint0?|fprintf|fls|-output|-ext-diff|-textconv)")
_PLAIN_COMMAND = re.compile(rf"(?:{_COMMANDS})(?: [\w .,/=:@*?~+\-\"']*)?")
_LINK = re.compile(r"(?i)\s*(?:https?|ftp|file|wss?)://\S+\s*")


def as_called(tool: Tool, name: str, arguments: Mapping[str, Any], *, described: bool) -> Tool:
    """Return the tool as this call uses it. Total."""
    effect = tool.effect
    if effect in _READS:
        effect = _by_method(arguments) or effect
        if any(_CHANGES.search(text) for text in _statements(name, arguments)):
            effect = Effect.EXECUTE
        if effect is not tool.effect:
            return _with(tool, effect)
    if effect is Effect.READ:
        links = {
            key: Role.TARGET for key, value in arguments.items() if isinstance(value, str) and _LINK.fullmatch(value)
        }
        if links:
            return msgspec.structs.replace(tool, effect=Effect.FETCH, arguments={**tool.arguments, **links})
    if effect is Effect.EXECUTE and not described and _only_reads(name, arguments):
        return _with(tool, Effect.READ)
    return tool


def _with(tool: Tool, effect: Effect) -> Tool:
    if effect is not Effect.EXECUTE:
        return msgspec.structs.replace(tool, effect=effect, acts=())
    return msgspec.structs.replace(tool, effect=effect, acts=(), arguments=dict.fromkeys(tool.arguments, Role.TARGET))


def _by_method(arguments: Mapping[str, Any]) -> Effect | None:
    for key, value in arguments.items():
        if "".join(words_of(key)) in _METHOD_NAMES and str(value).strip().lower() not in ("get", "head", "options", ""):
            return _METHODS.get(str(value).strip().lower(), Effect.SEND)
    carried = any(words_of(key)[-1:] and words_of(key)[-1] in _BODIES and value for key, value in arguments.items())
    return Effect.SEND if carried else None


def _statements(name: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the arguments that may be SQL, comments taken out."""
    for key, value in arguments.items():
        if set(words_of(key)) & _SQL_NAMES or "sql" in words_of(name):
            yield from (re.sub(r"/\*!?\d*|\*/|--[^\n]*", " ", text) for text in _texts(value))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from (key, *_texts(value))
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _only_reads(name: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether the one text of a call is one statement or one command that changes nothing."""
    texts = {key: value for key, value in arguments.items() if isinstance(value, str) and value.strip()}
    if len(texts) != 1:
        return False
    ((key, text),) = texts.items()
    if set(words_of(key)) & _SQL_NAMES or "sql" in words_of(name):
        return _ASKS.match(text) is not None and _NOT_PLAIN.search(_QUOTED.sub("''", text)) is None
    if not set(words_of(key)) & {"command", "cmd", "bash", "shell"}:
        return False
    return _PLAIN_COMMAND.fullmatch(text) is not None and _WRITES.search(text) is None
