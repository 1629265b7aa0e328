"""Rows are found where RFC 4180 and line breaks put them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadArtifact
from bartizan.data.records import (
    DIGEST_BYTES,
    MOST_ROW_BYTES,
    check_row_length,
    count_rows,
    last_end,
    row_digests,
    row_ends,
)

FIELDS = st.lists(st.lists(st.text('ab",\n', max_size=6), min_size=2, max_size=2), min_size=1, max_size=8)


@given(FIELDS)
def test_as_many_csv_rows_as_were_written(rows):
    """Line breaks, commas and quotes inside fields do not make rows."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    data = buffer.getvalue().encode()
    assert count_rows(data, quoted=True) == len(rows)
    assert row_ends(data, quoted=True)[-1] == len(data) == last_end(data, quoted=True)
    assert len(row_digests(data, quoted=True)) == len(rows) * DIGEST_BYTES


def test_a_last_row_without_a_break_is_a_row():
    """And its digest is not that of the row with the break."""
    assert count_rows(b"a\nb", quoted=False) == 2
    assert row_digests(b"a\nb", quoted=False) != row_digests(b"a\nb\n", quoted=False)
    assert row_digests(b"a\nb\n", quoted=False, first=2) == row_digests(b"b\n", quoted=False)


def test_an_endless_row_is_refused():
    """A quote that never closes must not fill the memory."""
    check_row_length(MOST_ROW_BYTES, "x")
    with pytest.raises(BadArtifact, match="row of more than"):
        check_row_length(MOST_ROW_BYTES + 1, "x")
