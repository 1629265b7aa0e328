"""Numbers that a browser sends, and nobody."""

import pytest
from starlette.requests import Request

from bartizan.core.errors import BadRequest, Refused
from bartizan.dashboard.visits import Visit, whole


@pytest.mark.parametrize("given", ["", "-1", "1.5", "x", "1" * 19, "٣", "²"])
def test_what_is_no_number_of_a_record_is_refused(given):
    """Unicode digits and numbers beyond SQLite's included."""
    with pytest.raises(BadRequest, match="number of a record"):
        whole(given, "seq")


def test_nobody_is_refused_where_somebody_is_needed():
    """And has no token for forms."""
    visit = Visit(Request({"type": "http", "query_string": b"", "headers": []}))
    assert visit.csrf == ""
    with pytest.raises(Refused, match="nobody"):
        visit.somebody()
