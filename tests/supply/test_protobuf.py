"""The walker reads what the wire format allows and says Broken to everything else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.supply.wire import field

from bartizan.supply import protobuf


def test_every_occurrence_of_a_field_is_given():
    """Readers merge or keep the last; a check must see both."""
    data = memoryview(field(1, "a") + field(2, 300) + field(1, "b"))
    assert protobuf.texts(data, 1) == ["a", "b"]
    assert [value for number, _, value in protobuf.fields(data) if number == 2] == [300]


@pytest.mark.parametrize(
    "data", [b"\x0a\x05a", b"\x0a", b"\x08", b"\x0b", b"\x00\x00", b"\x08" + b"\xff" * 11, b"\x09a"]
)
def test_a_message_that_breaks_off_or_is_none_is_broken(data):
    """Groups and field 0 too."""
    with pytest.raises(protobuf.Broken):
        list(protobuf.fields(memoryview(data)))
    assert protobuf.kinds(memoryview(data)) == set()


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 2**64 - 1) | st.binary(max_size=300))))
def test_what_was_written_is_read(parts):
    """Whatever the numbers and lengths."""
    data = b"".join(field(number, value) for number, value in parts)
    read = [(n, v if isinstance(v, int) else bytes(v)) for n, _, v in protobuf.fields(memoryview(data))]
    assert read == parts


@given(st.binary(max_size=200))
def test_nothing_but_broken_comes_out_of_any_bytes(data):
    """The walker is fed by strangers."""
    with contextlib.suppress(protobuf.Broken):
        list(protobuf.fields(memoryview(data)))
