"""Reads JSON the way a guard must: anything that two parsers could read differently is refused.

The gateway decides on its own reading and forwards the original bytes, so a second `messages` key, a key that differs
only by letter case, NaN, a byte order mark or half a surrogate pair would let the model server see another request than
the one that was screened. What would take up far more memory than it has bytes is refused too. Does not validate any
schema.
"""

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from bartizan.core.errors import BadRequest

MOST_OBJECTS, MOST_BRACKETS = 65_536, 524_288
"""An object takes thirty times the memory of its bytes, an array twenty times; no request needs so many."""


class _AmbiguousError(ValueError):
    pass


def loads(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`. Raises BadRequest when it is not one unambiguous object."""
    if len(body) > MOST_BRACKETS and body.count(b"[") > MOST_BRACKETS:
        raise BadRequest(f"request body: more than {MOST_BRACKETS} opening brackets")
    try:
        source = body.decode("utf-8")
        document = _decoded(source)
    except _AmbiguousError as error:
        raise BadRequest(f"request body: {error}") from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"request body: not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise BadRequest("request body: JSON nested too deep") from None
    except ValueError as error:
        raise BadRequest(f"request body: not valid JSON: {_short(error)}") from None
    if not isinstance(document, dict):
        raise BadRequest(f"request body: expected a JSON object, got {type(document).__name__}")
    if "\\u" in source and _has_half_surrogate(source, document):
        raise BadRequest("request body: a \\u escape names half a surrogate pair")
    return document


def _decoded(source: str) -> Any:
    """Decode. Nearly every body begins with its brace: then no pattern need look for spaces before and behind."""
    if len(source) > MOST_OBJECTS and source.count("{") > MOST_OBJECTS:
        return _decoder(_Few()).decode(source)
    if source[:1] != "{":
        return _DECODER.decode(source)
    document, end = _DECODER.raw_decode(source)
    return _DECODER.decode(source) if source[end:].strip(" \t\r\n") else document


def refuse_lookalike_keys(document: dict[str, Any], known: frozenset[str], where: str) -> None:
    """Raise BadRequest when a key equals one of `known` except for letter case: some parsers would take it for that."""
    for key in document:
        if key not in known and key.casefold() in known:
            raise BadRequest(f"{where}: key {key[:40]!r} differs from {key.casefold()!r} only by letter case")


def _has_half_surrogate(source: str, document: dict[str, Any]) -> bool:
    if "\\ud" not in source and "\\uD" not in source:
        return False
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _AmbiguousError(f"key {key[:40]!r} appears twice in one object")
            seen.add(key)
    return found


def _no_constant(word: str) -> NoReturn:
    raise _AmbiguousError(f"{word} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise _AmbiguousError(f"number {number[:40]} is too large")
    return value


class _Few:
    """Makes objects, but not too many of them."""

    def __init__(self) -> None:
        self._made = 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._made += 1
        if self._made > MOST_OBJECTS:
            raise _AmbiguousError(f"more than {MOST_OBJECTS} objects")
        return _once(pairs)


def _decoder(hook: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=hook, parse_constant=_no_constant, parse_float=_finite)


_DECODER = _decoder(_once)


def _short(error: ValueError) -> str:
    return str(error).split("\n", 1)[0][:120]
