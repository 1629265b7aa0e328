"""Opcodes: all of them are read as the standard library reads them; cut-off arguments are broken, not guessed."""

import pickle
import pickletools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.supply.opcodes import Broken, read_op

VALUES = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.frozensets(st.integers()),
)


@given(VALUES, st.integers(0, 5))
def test_positions_agree_with_pickletools(value, protocol):
    """Name and place of every opcode."""
    data = memoryview(pickle.dumps(value, protocol))
    at, ours = 0, []
    while at < len(data):
        op = read_op(data, at)
        ours.append((op.name, op.start))
        at = op.end
    assert ours == [(op.name, place) for op, _, place in pickletools.genops(bytes(data))]


@pytest.mark.parametrize("data", [b"", b"\xff", b"X\xff\xff\xff\x7fab", b"K", b"cmodule", b"Ix\n", b"\x8c\x02\xff\xfe"])
def test_what_is_cut_off_or_unknown_is_broken(data):
    """Each with a reason."""
    with pytest.raises(Broken):
        read_op(memoryview(data), 0)
