"""Rows as bytes: what comes back is what went in, and nothing else passes for a row."""

import numpy as np
import pytest
from tests.threats.examples import assessment

from bartizan.core.errors import BadEvidence
from bartizan.core.measures import Measurement
from bartizan.threats import THREATS
from bartizan.threats.base import Evidence, Row, State
from bartizan.threats.saved import decode, encode


@pytest.mark.parametrize("row", assessment().rows[:4], ids=lambda row: row.state.value)
def test_a_row_comes_back_as_it_was(row):
    """Claims of both kinds of bound, hostile transcripts, rows without evidence."""
    assert decode(encode(row)) == row


def test_numpy_numbers_become_plain_ones():
    """A proof may leave a NumPy float in a figure."""
    figure = Measurement(np.float64(0.5), np.float32(0.25), np.float64(0.75), 4, 1)
    row = Row(THREATS[0], State.HOLDS, "", Evidence(off=figure, on=figure))
    assert decode(encode(row)).evidence.off == Measurement(0.5, 0.25, 0.75, 4, 1)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff", b'{"threat":"T99","state":"holds","why":"","evidence":null,"claims":[]}']
)
def test_what_is_no_row_is_refused(data):
    """Cut lines, other JSON, threats that do not exist."""
    with pytest.raises(BadEvidence, match="saved row"):
        decode(data)
