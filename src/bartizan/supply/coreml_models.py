"""Looks into Core ML models: custom code that they ask for, other models that they load, where their weights lie.

The protobuf is walked by its wire format (`Model.proto` and `MIL.proto` of coremltools). Layers and models of
somebody's own code go to review; a linked model and a weight file outside of the package are blocked. The mathematics
of a model are not judged.
"""

import struct
from collections.abc import Iterator

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply import protobuf
from bartizan.supply.base import Budget, unreadable

_KINDS = frozenset(
    (
        *(200, 201, 202, 300, 301, 302, 303, 304, 400, 401, 402, 403, 404, 500, 501, 502, 555, 556, 560),
        *(600, 601, 602, 603, 604, 606, 607, 609, 610, 900, 2000, 2001, 2002, 2003, 2004, 2005, 2006, 3000),
    )
)
"""Field numbers of the kinds of models."""
_PIPELINES, _NETWORKS, _PROGRAM, _CUSTOM, _LINKED, _SERIALIZED = (200, 201), (303, 403, 500), 502, 555, 556, 3000
_MODEL_PATH = "@model_path/"
_BLOB = struct.Struct("<II")
_SENTINEL = 0xDEADBEEF
_DEPTH = 32


def is_coreml(data: memoryview) -> bool:
    """Return whether `data` is a message with a version, a description and one kind of model."""
    if not data or data[0] not in (0x08, 0x12):
        return False
    found = protobuf.kinds(data)
    numbers = {number for number, wire in found if wire == protobuf.BYTES}
    return (1, protobuf.VARINT) in found and 2 in numbers and bool(numbers & _KINDS)


def coreml(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with a model."""
    try:
        return list(dict.fromkeys(_model(data, path, budget, 0)))
    except protobuf.Broken as error:
        return [unreadable(f"the model breaks off: {error}", path)]


def _model(data: memoryview, path: str, budget: Budget, depth: int) -> Iterator[Finding]:
    if depth > _DEPTH:
        raise protobuf.Broken(f"models more than {_DEPTH} deep")
    for number, _, value in protobuf.fields(data):
        budget.spend("members")
        if not isinstance(value, memoryview):
            continue
        if number in _PIPELINES or number == 202:
            for pipeline in protobuf.messages(value, 1) if number in _PIPELINES else (value,):
                for inner in protobuf.messages(pipeline, 1):
                    yield from _model(inner, path, budget, depth + 1)
        elif number in _NETWORKS:
            yield from _network(value, path, budget)
        elif number == _PROGRAM:
            yield from _program(value, path, budget)
        elif number == _CUSTOM:
            name = next(iter(protobuf.texts(value, 1)), "?")
            yield Finding("coreml-custom", Severity.MEDIUM, f"the model is code of an app: {visible(name[:80])}", path)
        elif number in (_LINKED, _SERIALIZED):
            yield Finding("coreml-linked", Severity.HIGH, "loads another model that is not in this file", path)


def _network(data: memoryview, path: str, budget: Budget) -> Iterator[Finding]:
    for layer in protobuf.messages(data, 1):
        budget.spend("members")
        for custom in protobuf.messages(layer, 500):
            name = next(iter(protobuf.texts(custom, 10)), "?")
            yield Finding("coreml-custom", Severity.MEDIUM, f"layer {visible(name[:80])} is code of an app", path)


def _program(data: memoryview, path: str, budget: Budget) -> Iterator[Finding]:
    for entry in protobuf.messages(data, 2):
        for function in protobuf.messages(entry, 2):
            for specialization in protobuf.messages(function, 3):
                for block in protobuf.messages(specialization, 2):
                    yield from _block(block, path, budget, 0)


def _block(data: memoryview, path: str, budget: Budget, depth: int) -> Iterator[Finding]:
    if depth > _DEPTH:
        raise protobuf.Broken(f"blocks more than {_DEPTH} deep")
    for operation in protobuf.messages(data, 3):
        budget.spend("members")
        for entry in protobuf.messages(operation, 5):
            for value in protobuf.messages(entry, 2):
                yield from _value(value, path)
        for entry in protobuf.messages(operation, 2):
            for argument in protobuf.messages(entry, 2):
                for binding in protobuf.messages(argument, 1):
                    for value in protobuf.messages(binding, 2):
                        yield from _value(value, path)
        for inner in protobuf.messages(operation, 4):
            yield from _block(inner, path, budget, depth + 1)


def _value(data: memoryview, path: str) -> Iterator[Finding]:
    for blob in protobuf.messages(data, 5):
        for place in protobuf.texts(blob, 1):
            inner = place.removeprefix(_MODEL_PATH).replace("\\", "/")
            if not place.startswith(_MODEL_PATH) or ".." in inner.split("/") or inner.startswith("/") or "\0" in inner:
                why = f"weights at {visible(place[:200])!r}: outside of the model's package"
                yield Finding("coreml-weights", Severity.HIGH, why, path)


def is_weights(data: memoryview) -> bool:
    """Return whether `data` begins like a Core ML weight file."""
    return len(data) >= 128 and _BLOB.unpack_from(data)[1] == 2 and _BLOB.unpack_from(data, 64)[0] == _SENTINEL


def weights(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with a weight file: numbers, each piece behind a header of 64 bytes."""
    count, at = _BLOB.unpack_from(data)[0], 64
    for _ in range(count):
        budget.spend("members")
        if at + 64 > len(data):
            return [unreadable("the weight file breaks off", path)]
        sentinel, _, size, start = struct.unpack_from("<IIQQ", data, at)
        if sentinel != _SENTINEL or start < at + 64 or start + size > len(data):
            return [Finding("coreml-weights", Severity.HIGH, f"a piece at byte {at} is not what it says", path)]
        at = (start + size + 63) // 64 * 64
    if at < len(data):
        return [Finding("trailing-data", Severity.MEDIUM, f"{len(data) - at} bytes belong to no weights", path)]
    return []
