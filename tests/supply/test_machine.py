"""The machine: its quick steps read what the general reader reads; memo, frames and weights are as CPython's."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.supply.base import Budget
from bartizan.supply.machine import KEPT, LARGEST_WEIGHT, STEPS, Machine
from bartizan.supply.opcodes import Broken, read_op
from bartizan.supply.values import Pile
from bartizan.supply.walk import Walk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(VALUES, st.integers(0, 5))
def test_the_quick_steps_go_from_opcode_to_opcode_as_the_general_reader_does(value, protocol):
    """The same places, one after the other, to STOP."""
    data = memoryview(pickle.dumps([value, value], protocol))
    walk, at = Walk(data, 0, Budget(), "x"), 0
    while data[at] != ord("."):
        end = STEPS[data[at]](walk, at + 1)
        assert end == read_op(data, at).end
        at = end
    assert len(walk.stack) == 1


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 12), st.text(max_size=3)), max_size=20))
def test_the_memo_holds_what_a_dict_would(writes):
    """In whatever order entries are written, and counted as CPython counts them."""
    machine, naive = Machine(memoryview(b""), 0), {}
    for number, text in writes:
        machine.put(number, text)
        naive[number] = text
    assert len(machine.memo) + len(machine.far) == len(naive)
    for number, text in naive.items():
        assert machine.get(number) == text
    with pytest.raises(Broken, match="never written"):
        machine.get(13)


def test_a_container_remembers_its_first_items():
    """And counts the others."""
    machine = Machine(memoryview(b""), 0)
    made = machine.pile("list", list(range(KEPT + 5)))
    assert (len(made.items), made.more) == (KEPT, 5)
    machine.stack.append(made)
    machine.fill(["x"], "APPEND")
    assert (len(made.items), made.more) == (KEPT, 6)


def laughs(levels, width):
    """Return a list of lists of lists, each of which holds the one before `width` times."""
    body = b"]q\x00"
    for level in range(1, levels):
        body += b"(" + (b"h" + bytes([level - 1])) * width + b"lq" + bytes([level])
    return b"\x80\x02" + body + b"."


@pytest.mark.parametrize(
    ("levels", "width", "found"), [(60, 10, True), (200, 2, True), (4, 10, False), (2, 200, False)]
)
def test_objects_that_grow_when_written_out_are_found(levels, width, found):
    """A bomb for whoever copies or prints it; ordinary sharing is none."""
    walk = Walk(memoryview(laughs(levels, width)), 0, Budget(), "x")
    assert walk.run()
    assert any(one.rule == "pickle-expansion" for one in walk.findings) is found


def test_a_weight_never_grows_without_end():
    """A list that holds itself."""
    walk = Walk(memoryview(b"\x80\x02]q\x00" + b"h\x00a" * 5000 + b"."), 0, Budget(), "x")
    assert walk.run()
    assert isinstance(walk.result, Pile)
    assert walk.result.weight <= LARGEST_WEIGHT


def test_a_frame_inside_a_frame_is_hostile():
    """CPython's two unpicklers differ about it."""
    inner = b"\x95" + (1).to_bytes(8, "little") + b"N"
    walk = Walk(memoryview(b"\x80\x04\x95" + (len(inner) + 1).to_bytes(8, "little") + inner + b"."), 0, Budget(), "x")
    walk.run()
    assert [one.rule for one in walk.findings] == ["pickle-frame-straddle"]
