"""Headers that repeat what the body says (MCP 2026-07-28): read, written, and compared with the body.

Whoever routes or counts by a header and whoever executes by the body must see the same thing, so a request in which the
two differ is refused. A tool says with `x-mcp-header` which of its arguments are repeated, as `Mcp-Param-NAME`.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANNOTATION = "x-mcp-header"
PARAM = "mcp-param-"
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose `Mcp-Name` header repeats one of their params."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}")
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_WRAPPED = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
_DECIMAL = re.compile(r"-?\d{1,17}(?:\.0{1,17})?")
_TYPES = ("string", "integer", "boolean")
_MOST_PARTS = 10000


@dataclass(frozen=True, slots=True)
class Mirrored:
    """An argument that is repeated in a header: the keys that lead to it, and the header's name in lower case."""

    path: tuple[str, ...]
    header: str
    kind: str


class BadAnnotation(ValueError):
    """A schema repeats arguments in a way that MCP does not allow: such a tool is not offered."""


def encoded(text: str) -> str:
    """Return a text as the value of a header."""
    if _PLAIN.fullmatch(text) and not _WRAPPED.fullmatch(text):
        return text
    return f"=?base64?{base64.b64encode(text.encode('utf-8', 'surrogatepass')).decode()}?="


def decoded(value: str) -> str | None:
    """Return the text that a header's value stands for, or None when it stands for none."""
    wrapped = _WRAPPED.fullmatch(value)
    if wrapped is None:
        return value if _PLAIN.fullmatch(value) else None
    try:
        raw = base64.b64decode(wrapped[1], validate=True)
        text = raw.decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return text if base64.b64encode(raw).decode() == wrapped[1] else None


def mirrored(schema: object) -> tuple[Mirrored, ...]:
    """Return which arguments of a tool are repeated in headers. Raises BadAnnotation when MCP does not allow it."""
    found: dict[str, Mirrored] = {}
    for path, node in _annotated(schema):
        name, kind = node[ANNOTATION], node.get("type")
        if not path:
            raise BadAnnotation(f"{ANNOTATION} where no argument is")
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise BadAnnotation(f"{ANNOTATION} of {'.'.join(path)[:60]!r} is no name of a header")
        if kind not in _TYPES:
            raise BadAnnotation(f"{ANNOTATION} of {'.'.join(path)[:60]!r}: expected the type string, integer, boolean")
        header = PARAM + name.lower()
        if header in found:
            raise BadAnnotation(f"two arguments are repeated as {header}")
        found[header] = Mirrored(path, header, kind)
    return tuple(found.values())


def bad_annotation(schema: object) -> str:
    """Return why a tool may not be offered, going by its annotations, or nothing."""
    try:
        mirrored(schema)
    except BadAnnotation as error:
        return str(error)
    return ""


def _annotated(schema: object) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield each annotated place of a schema with the property names that lead to it; none when others do too."""
    waiting: list[tuple[tuple[str, ...] | None, object]] = [((), schema)]
    parts = 0
    while waiting:
        path, node = waiting.pop()
        parts += 1
        if parts > _MOST_PARTS:
            raise BadAnnotation(f"a schema of more than {_MOST_PARTS} parts")
        if isinstance(node, list):
            waiting += ((None, one) for one in node)
        elif isinstance(node, dict):
            if ANNOTATION in node:
                yield path or (), node
            for key, value in node.items():
                if key == "properties" and isinstance(value, dict):
                    waiting += (((*path, name) if path is not None else None, one) for name, one in value.items())
                elif key not in ("default", "examples", "const", "enum"):  # data, in which the word means nothing
                    waiting.append((None, value))


def headers_of(method: str, params: Mapping[str, Any], schema: object) -> list[tuple[str, str]]:
    """Return the headers that repeat a request. `schema` is that of the tool that is called."""
    headers = [("mcp-method", method)]
    name = params.get(NAMED_BY.get(method, ""))
    if isinstance(name, str):
        headers.append(("mcp-name", encoded(name)))
    if method == "tools/call":
        arguments = params.get("arguments")
        for one in _allowed(schema):
            text = _rendered(_at(arguments, one.path))
            if text is not None:
                headers.append((one.header, encoded(text)))
    return headers


def disagreement(method: str, params: Mapping[str, Any], headers: Sequence[tuple[str, str]], *, demanded: bool) -> str:
    """Return in what the headers `Mcp-Method` and `Mcp-Name` differ from a request, or nothing.

    They are required where `demanded`; elsewhere they may be left out, but not be wrong.
    """
    given = [(name, value) for name, value in headers if name in ("mcp-method", "mcp-name")]
    said = dict(given)
    if len(said) < len(given):
        return "mcp-method or mcp-name is there twice"
    if said.get("mcp-method", "" if demanded else method) != method:
        return "mcp-method is not the method of the body"
    if method not in NAMED_BY:
        return ""
    wanted, name = params.get(NAMED_BY[method]), said.get("mcp-name")
    if name is None:
        return f"mcp-name is missing: expected the {NAMED_BY[method]} of the body" if demanded and wanted else ""
    return "" if decoded(name) == wanted else f"mcp-name is not the {NAMED_BY[method]} of the body"


def argument_disagreement(schema: object, arguments: object, headers: Sequence[tuple[str, str]]) -> str:
    """Return in what the headers `Mcp-Param-…` of a call differ from its arguments, or nothing."""
    given: dict[str, str] = {}
    twice: set[str] = set()
    for name, said in headers:
        if name in given:
            twice.add(name)
        given[name] = said
    for one in _allowed(schema):
        value = _at(arguments, one.path)
        text, header = _rendered(value), given.get(one.header)
        if one.header in twice:
            return f"{one.header} is there twice"
        if text is None and header is None:
            continue
        if text is None or header is None:
            return f"{one.header} and the argument {'.'.join(one.path)[:60]} are not both there"
        plain = decoded(header)
        if plain is None or not (plain == text or _same_number(one.kind, value, plain)):
            return f"{one.header} is not the argument {'.'.join(one.path)[:60]}"
    return ""


def _allowed(schema: object) -> tuple[Mirrored, ...]:
    try:
        return mirrored(schema)
    except BadAnnotation:
        return ()  # such a tool is not offered


def _at(arguments: object, path: tuple[str, ...]) -> object:
    node = arguments
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _rendered(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 2**53:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value) if isinstance(value, str | int) else None


def _same_number(kind: str, value: object, said: str) -> bool:
    if kind != "integer" or isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return _DECIMAL.fullmatch(said) is not None and float(said) == float(value)
