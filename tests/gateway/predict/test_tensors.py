"""The protocol as bytes: both forms read back to what was written, and what does not add up is refused."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bartizan.core.errors import BadRequest
from bartizan.gateway.predict.tensors import (
    DTYPES,
    HEAD_LENGTH,
    Tensor,
    head_length,
    of_plain,
    read_answer,
    read_request,
    written,
)

MOST = 10_000


def entry(**more):
    """A small input entry."""
    return {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2], **more}


def read(*entries, tail=b"", most=MOST, **more):
    """Read a request of these entries."""
    head = json.dumps({"inputs": list(entries), **more}).encode()
    return read_request(head + tail, len(head), most)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(DTYPES)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            arrays.arrays(
                DTYPES[name],
                arrays.array_shapes(max_dims=4, max_side=4),
                elements={"allow_nan": False, "allow_infinity": False} if DTYPES[name].kind == "f" else None,
            ),
        )
    ),
    st.booleans(),
)
def test_what_is_written_is_read_back(sample, binary):
    """Every type, in JSON and in binary, bit for bit."""
    name, values = sample
    body, headers = written([Tensor("x", name, values)], [binary], "outputs", {"model_name": "m"})
    back = read_answer(body, head_length(headers, body), MOST)["x"]
    assert (back.datatype, back.values.shape) == (name, values.shape)
    np.testing.assert_array_equal(back.values, values)
    assert (HEAD_LENGTH in dict(headers)) == binary


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 500))
def test_any_bytes_are_a_request_or_a_refusal(body, head):
    """Nothing else ever comes out."""
    with contextlib.suppress(BadRequest):
        read_request(body, min(head, len(body)), MOST)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4),
    )
)
def test_any_json_as_data_is_an_array_or_a_refusal(data):
    """Strings, nulls, ragged lists, huge numbers: an array of the stated type, or a refusal."""
    for name in ("FP32", "INT8", "BOOL"):
        try:
            values = of_plain("x", name, data).values
        except BadRequest:
            continue
        assert values.dtype == DTYPES[name]


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([entry(datatype="BYTES")], "expected one of"),
        ([entry(datatype="BF16")], "expected one of"),
        ([entry(shape=[3])], "expected 3 for shape"),
        ([entry(shape=[-2])], "none below 0"),
        ([entry(shape=[1] * 17)], "at most 16 sizes"),
        ([entry(shape=[200000, 200000])], "more values than"),
        ([entry(shape=[6000]), entry(shape=[6000])], "more values than|values, expected"),
        ([entry(data=["1", "2"])], "values that are no FP32"),
        ([entry(data=[True, False])], "values that are no FP32"),
        ([entry(data=[1.5, 2], datatype="INT32")], "values that are no INT32"),
        ([entry(data=[300, 2], datatype="UINT8")], "values outside UINT8"),
        ([entry(data=[-1, 2], datatype="UINT8")], "values outside UINT8"),
        ([entry(data=[1, 0], datatype="BOOL")], "values that are no BOOL"),
        ([entry(data=[[1], [2, 3]])], "do not have one shape"),
        ([entry(data=[10**400, 1])], "."),
        ([entry(parameters={"shared_memory_region": "r"})], "'shared_memory_region' is not taken"),
        ([entry(parameters={"binary_data_size": 8})], "either `data` or"),
        ([{"name": "x", "shape": [2], "datatype": "FP32"}], "either `data` or"),
        ([entry(extra=1)], "extra"),
    ],
)
def test_what_does_not_add_up_is_refused(entries, why):
    """Each with a word about what was expected."""
    with pytest.raises(BadRequest, match=why):
        read(*entries)


@pytest.mark.parametrize(
    ("size", "tail"), [(7, b"\0" * 7), (8, b"\0" * 7), (8, b"\0" * 9), (-8, b""), (True, b"\0" * 8)]
)
def test_binary_sizes_must_be_exact(size, tail):
    """Too few bytes, too many, bytes that nobody claims."""
    described = {"name": "x", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": size}}
    with pytest.raises(BadRequest):
        read(described, tail=tail)


def test_a_bool_byte_is_zero_or_one():
    """Other bytes would be true for one reader and something else for another."""
    described = {"name": "x", "shape": [2], "datatype": "BOOL", "parameters": {"binary_data_size": 2}}
    assert read(described, tail=b"\0\1").inputs[0].values.tolist() == [False, True]
    with pytest.raises(BadRequest, match="neither 0 nor 1"):
        read(described, tail=b"\0\2")


@pytest.mark.parametrize(
    "headers",
    [
        [(HEAD_LENGTH, b"-1")],
        [(HEAD_LENGTH, b"0")],
        [(HEAD_LENGTH, b"11")],
        [(HEAD_LENGTH, b"1")] * 2,
        [(HEAD_LENGTH, b"x")],
    ],
)
def test_the_length_of_the_head_is_said_plainly(headers):
    """One number within the body."""
    with pytest.raises(BadRequest, match="Inference-Header-Content-Length"):
        head_length(headers, b"0123456789")


def test_unknown_parameters_and_flags_that_are_none_are_refused():
    """Sequences, priorities and class counts change what the server does: they are not passed on unseen."""
    for more in ({"parameters": {"sequence_id": 1}}, {"parameters": {"binary_data_output": 1}}):
        with pytest.raises(BadRequest):
            read(entry(), **more)
    with pytest.raises(BadRequest, match="classification"):
        read(entry(), outputs=[{"name": "y", "parameters": {"classification": 3}}])
