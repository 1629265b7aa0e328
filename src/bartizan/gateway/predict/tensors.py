"""The Open Inference Protocol v2 as bytes: a JSON head, and tensors inside it or behind it in binary. Both ways.

What is read is turned into arrays, and what is sent on is written anew from them: the model server cannot read anything
else than what was checked. Strings (BYTES), BF16 and shared memory are not taken; sizes that do not add up are refused.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from bartizan.core.errors import BadRequest

Array = np.ndarray[Any, Any]
HEAD_LENGTH = b"inference-header-content-length"
DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    **{name: np.dtype(name.lower()).newbyteorder("<") for name in ("INT8", "INT16", "INT32", "INT64")},
    **{name: np.dtype(name.lower()).newbyteorder("<") for name in ("UINT8", "UINT16", "UINT32", "UINT64")},
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
_MOST_AXES = 16


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list["_Tensor"]
    id: str | None = None
    outputs: list["_Wanted"] = []
    parameters: dict[str, Any] = {}
    model_name: str | None = None


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    parameters: dict[str, Any] = {}


class _Answer(msgspec.Struct):
    """A model server may say more than we know; we read the tensors only."""

    outputs: list["_Tensor"]


_HEAD, _ANSWER = msgspec.json.Decoder(_Head), msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array with the protocol's word for its type."""

    name: str
    datatype: str
    values: Array


@dataclass(frozen=True, slots=True)
class Wanted:
    """An output that the client asks for, and whether it wants it in binary."""

    name: str
    binary: bool


@dataclass(frozen=True, slots=True)
class Request:
    """An inference request as it was read. Without `wanted`, all outputs are; `binary` says in which form."""

    inputs: tuple[Tensor, ...]
    id: str = ""
    wanted: tuple[Wanted, ...] = ()
    binary: bool = False
    named: str = ""
    """The model, where the body names it too, as KServe's client does."""


def head_length(headers: Sequence[tuple[bytes, bytes]], body: bytes) -> int:
    """Return where the JSON head of `body` ends. Raises BadRequest when the headers do not say it plainly."""
    said = [value for name, value in headers if name.lower() == HEAD_LENGTH]
    if not said:
        return len(body)
    if len(said) > 1 or not said[0].isdigit() or len(said[0]) > 12 or not 0 < int(said[0]) <= len(body):
        raise BadRequest("Inference-Header-Content-Length: expected one number, at most the length of the body")
    return int(said[0])


def read_request(body: bytes, head: int, elements: int) -> Request:
    """Return the request in `body`, whose JSON ends at `head`. Raises BadRequest, also for more than `elements`."""
    try:
        asked = _HEAD.decode(body[:head])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"request body: {_short(error)}") from None
    everywhere = _flags(asked.parameters, "binary_data_output", "the request")
    wanted = tuple(
        Wanted(one.name, _flags(one.parameters, "binary_data", f"output {one.name[:80]!r}", everywhere))
        for one in asked.outputs
    )
    return Request(
        _tensors(asked.inputs, body, head, elements), asked.id or "", wanted, everywhere, asked.model_name or ""
    )


def read_answer(body: bytes, head: int, elements: int) -> dict[str, Tensor]:
    """Return the outputs that a model server gave. Raises BadRequest when they are not what the protocol says."""
    try:
        said = _ANSWER.decode(body[:head])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"answer: {_short(error)}") from None
    return {one.name: one for one in _tensors(said.outputs, body, head, elements, strict=False)}


def written(
    tensors: Sequence[Tensor], binary: Sequence[bool], kind: str, more: Mapping[str, Any]
) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return body and headers of a message: `tensors` are its `kind` (inputs, outputs), `more` its other keys."""
    entries, tail = [], []
    for tensor, as_bytes in zip(tensors, binary, strict=True):
        entry: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.values.shape),
        }
        if as_bytes:
            raw = np.ascontiguousarray(tensor.values, dtype=DTYPES[tensor.datatype]).tobytes()
            entry["parameters"] = {"binary_data_size": len(raw)}
            tail.append(raw)
        else:
            entry["data"] = _plain(tensor.values.ravel())
        entries.append(entry)
    head = msgspec.json.encode({**more, kind: entries})
    if not tail:
        return head, [(b"content-type", b"application/json")]
    headers = [(b"content-type", b"application/octet-stream"), (HEAD_LENGTH, b"%d" % len(head))]
    return head + b"".join(tail), headers


def of_plain(name: str, datatype: str, data: Any) -> Tensor:
    """Return nested lists as a tensor of their own shape. Raises BadRequest."""
    return Tensor(name, datatype, _converted(data, datatype, f"input {name!r}"))


def _plain(values: Array) -> list[Any]:
    """Return values for JSON, which has no NaN: callers send that in binary."""
    return list(values.tolist())


def _tensors(
    entries: Sequence[_Tensor], body: bytes, head: int, elements: int, *, strict: bool = True
) -> tuple[Tensor, ...]:
    found, at, left = [], head, elements
    for entry in entries:
        where = f"tensor {entry.name[:80]!r}"
        if entry.datatype not in DTYPES:
            raise BadRequest(f"{where}: datatype {entry.datatype[:20]!r}: expected one of {', '.join(DTYPES)}")
        count = _count(entry.shape, left, where)
        left -= count
        size = _size(entry.parameters, where, strict=strict)
        if (size is None) == (entry.data is None):
            raise BadRequest(f"{where}: expected either `data` or `binary_data_size`")
        if size is None:
            values = _converted(entry.data, entry.datatype, where).ravel()
        else:
            dtype = DTYPES[entry.datatype]
            if size != count * dtype.itemsize or at + size > len(body):
                raise BadRequest(f"{where}: {size} bytes of binary data, expected {count * dtype.itemsize}")
            values = _from_bytes(body, at, size, dtype, where)
            at += size
        if values.size != count:
            raise BadRequest(f"{where}: {values.size} values, expected {count} for shape {entry.shape}")
        found.append(Tensor(entry.name, entry.datatype, values.reshape(entry.shape)))
    if at != len(body):
        raise BadRequest(f"{len(body) - at} bytes after the last tensor")
    return tuple(found)


def _count(shape: list[int], most: int, where: str) -> int:
    if len(shape) > _MOST_AXES or any(size < 0 for size in shape):
        raise BadRequest(f"{where}: shape {str(shape)[:100]}: expected at most {_MOST_AXES} sizes, none below 0")
    count = math.prod(shape)
    if count > most:
        raise BadRequest(f"{where}: shape {str(shape)[:100]} has more values than a request may hold")
    return count


def _size(parameters: dict[str, Any], where: str, *, strict: bool) -> int | None:
    size = parameters.get("binary_data_size")
    unknown = sorted(set(parameters) - {"binary_data_size"})
    if strict and unknown:
        raise BadRequest(f"{where}: parameter {unknown[0][:60]!r} is not taken here")
    if size is not None and (type(size) is not int or size < 0):
        raise BadRequest(f"{where}: binary_data_size: expected a whole number")
    return size


def _flags(parameters: dict[str, Any], known: str, where: str, default: bool = False) -> bool:
    unknown = sorted(set(parameters) - {known})
    if unknown:
        raise BadRequest(f"{where}: parameter {unknown[0][:60]!r} is not taken here")
    value = parameters.get(known, default)
    if not isinstance(value, bool):
        raise BadRequest(f"{where}: {known}: expected true or false")
    return value


def _converted(data: Any, datatype: str, where: str) -> Array:
    """Return JSON values as an array of the datatype. Whole numbers are never cut, floats never read as whole."""
    try:
        values = np.asarray(data)
    except (ValueError, OverflowError):
        raise BadRequest(f"{where}: the lists do not have one shape") from None
    dtype = DTYPES[datatype]
    allowed = {"b": "b", "i": "iu", "u": "iu", "f": "fiu"}[dtype.kind]
    if values.size == 0:
        return values.astype(dtype)
    if dtype.kind in "iu" and values.dtype.kind in "fO":
        # Beside small numbers, one above 2**63 makes NumPy choose floats: whole numbers are told by what was written.
        written_as = np.asarray(data, dtype=object)
        if all(type(one) is int for one in written_as.flat):
            values = written_as
            limits = np.iinfo(dtype)
            if min(values.flat) >= limits.min and max(values.flat) <= limits.max:
                return values.astype(dtype)
    if values.dtype.kind not in allowed:
        raise BadRequest(f"{where}: values that are no {datatype}")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if int(values.min()) < limits.min or int(values.max()) > limits.max:
            raise BadRequest(f"{where}: values outside {datatype}")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        return np.asarray(values.astype(dtype))


def _from_bytes(body: bytes, at: int, size: int, dtype: np.dtype[Any], where: str) -> Array:
    if dtype.kind == "b":
        raw = np.frombuffer(body, dtype=np.uint8, count=size, offset=at)
        if (raw > 1).any():
            raise BadRequest(f"{where}: a BOOL that is neither 0 nor 1")
        return raw.astype(np.bool_)
    return np.frombuffer(body, dtype=dtype, count=size // dtype.itemsize, offset=at)


def _short(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
