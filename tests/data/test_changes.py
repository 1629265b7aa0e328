"""Random edits of random rows: every one is found and located, and nothing else is."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.data.changes import Change, Kind, changes


def packed(rows):
    """Digests of rows, end to end."""
    return b"".join(hashlib.sha256(str(row).encode()).digest()[:16] for row in rows)


def applied(old, new, found):
    """The old rows with the reported changes applied; rows that changed or were added are taken from the new ones."""
    gone = {one.old for one in found if one.old is not None}
    placed = {one.new: one for one in found if one.new is not None}
    stayed = iter(row for at, row in enumerate(old) if at not in gone)
    result = []
    for at in range(len(old) - len([o for o in found if o.new is None]) + len([o for o in found if o.old is None])):
        one = placed.get(at)
        if one is None:
            result.append(next(stayed))
        elif one.kind is Kind.MOVED:
            result.append(old[one.old])
        else:
            result.append(new[at])
    assert next(stayed, None) is None
    return result


ROWS = st.lists(st.integers(0, 6), max_size=30)


@given(ROWS, ROWS)
@settings(max_examples=300)
def test_the_report_turns_any_list_into_any_other(old, new):
    """Sound and complete, with duplicates, for any two lists."""
    found = changes(packed(old), packed(new))
    assert applied(old, new, found) == new
    assert all(old[one.old] != new[one.new] for one in found if one.kind is Kind.CHANGED)
    assert all(old[one.old] == new[one.new] for one in found if one.kind is Kind.MOVED)
    assert bool(found) == (old != new)


@given(st.integers(1, 60), st.data())
@settings(max_examples=300)
def test_a_single_edit_is_named_exactly(size, data):
    """One change, addition, removal or move: one report, at its place."""
    old = list(range(size))
    at = data.draw(st.integers(0, size - 1))
    edit = data.draw(st.sampled_from(list(Kind)))
    new, expected = list(old), Change(edit, at, at)
    if edit is Kind.CHANGED:
        new[at] = "x"
    elif edit is Kind.ADDED:
        new.insert(at, "x")
        expected = Change(edit, None, at)
    elif edit is Kind.REMOVED:
        del new[at]
        expected = Change(edit, at, None)
    else:
        to = data.draw(st.integers(0, size - 1))
        new.insert(to, new.pop(at))
        if abs(to - at) < 2:
            assert len(changes(packed(old), packed(new))) == abs(to - at)
            return
        expected = Change(edit, at, to)
    assert changes(packed(old), packed(new)) == [expected]


@given(st.integers(2, 80), st.data())
@settings(max_examples=200)
def test_scattered_changes_are_all_located(size, data):
    """Changed rows keep their place; rows taken out are named by the place they had."""
    old = list(range(size))
    touched = data.draw(st.sets(st.integers(0, size - 1)))
    removed = data.draw(st.sets(st.sampled_from(sorted(touched)))) if touched else set()
    new = [f"x{row}" if row in touched else row for row in old if row not in removed]
    found = changes(packed(old), packed(new))
    assert {one.old for one in found if one.old is not None} == touched
    assert applied(old, new, found) == new


def test_equal_rows_around_a_removed_one_do_not_hide_it():
    """Of three equal rows one is gone: one removal, no moves."""
    assert [one.kind for one in changes(packed("axaxa"), packed("axxa"))] == [Kind.REMOVED]
