"""The structure of a tool's result: records with fields, each leaf with its place. Reads JSON and plain YAML.

Only scalars, lists and mappings; no tags, no aliases, bounded in size and depth. What is not structured is None. Says
nothing about trust: a text that looks like a record may have been written to look like one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import yaml

_MOST_CHARS = 2_000_000
_MOST_NODES = 50_000
_DEEPEST = 24
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping of a result: each field with its scalar values (a list gives several, a mapping its keys)."""

    where: str
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Structure:
    """What a result holds: records, and the scalars of plain lists."""

    records: tuple[Record, ...] = ()
    items: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """The keys of the outermost mapping."""


class _Refused(Exception):
    """The text is not plain data within the bounds."""


def structure_of(text: str) -> Structure | None:
    """Return the records and lists in `text`, or None when it is not structured."""
    if len(text) > _MOST_CHARS:
        return None
    try:
        document = _json(text) if text.lstrip()[:1] in ("{", "[") else None
        document = _yaml(text) if document is None else document
    except (yaml.YAMLError, _Refused, RecursionError, ValueError):
        return None
    if not isinstance(document, dict | list):
        return None
    records: list[Record] = []
    for where, node in _mappings(document, "", 0):
        records.append(Record(where, {name: _scalars(value) for name, value in node.items()}))
    items = _scalars(document) if isinstance(document, list) else ()
    keys = tuple(document) if isinstance(document, dict) else ()
    return Structure(tuple(records), items, keys) if records or items else None


def _json(text: str) -> Any:
    try:
        return _named(msgspec.json.decode(text), 0)
    except msgspec.DecodeError:
        return None


def _named(node: Any, depth: int) -> Any:
    """Return JSON with every scalar as text, as it is compared."""
    if depth > _DEEPEST:
        raise _Refused
    if isinstance(node, dict):
        return {str(key): _named(value, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_named(value, depth + 1) for value in node]
    return "" if node is None else str(node)


def _yaml(text: str) -> Any:
    """Build plain data from YAML events: an alias, a tag or a second document is refused, so nothing can explode."""
    if "&" not in text and "*" not in text and ":" not in text and "- " not in text:
        return None
    events = iter(yaml.parse(text, Loader=_Loader))
    count = [0]
    for event in events:
        if isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            continue
        document = _node(event, events, count, 0)
        for rest in events:
            if not isinstance(rest, yaml.DocumentEndEvent | yaml.StreamEndEvent):
                raise _Refused
        return document
    return None


def _node(event: Any, events: Iterator[Any], count: list[int], depth: int) -> Any:
    count[0] += 1
    if count[0] > _MOST_NODES or depth > _DEEPEST:
        raise _Refused
    if getattr(event, "tag", None) is not None:
        raise _Refused
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if isinstance(event, yaml.SequenceStartEvent):
        made = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            made.append(_node(event, events, count, depth + 1))
        return made
    if isinstance(event, yaml.MappingStartEvent):
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = _node(event, events, count, depth + 1)
            value = _node(next(events), events, count, depth + 1)
            if not isinstance(key, str) or key in found:
                raise _Refused  # a key that comes twice is how two readers come to differ
            found[key] = value
        return found
    raise _Refused


def _mappings(node: Any, where: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            yield from _mappings(value, f"{where}/{key}", depth + 1)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _mappings(value, f"{where}/{number}", depth + 1)


def _scalars(node: Any) -> tuple[str, ...]:
    if isinstance(node, str):
        return (node,) if node else ()
    if isinstance(node, list):
        return tuple(value for value in node if isinstance(value, str) and value)
    return tuple(node)
