"""Every way to drain really costs, on a server that bills."""

import random

import pytest

from bartizan.lab.biller import Biller
from bartizan.lab.draining import DRAINS, drain


@pytest.mark.parametrize("way", DRAINS, ids=lambda way: way.name)
async def test_a_way_to_drain_costs_and_is_bounded(way):
    """Requests arrive, no more than it says; what is left midway is billed too."""
    biller = Biller(largest=50)
    async with biller.serving() as url:
        statuses = await drain(url, "k", "m", way, random.Random(1), 4)
    assert 4 <= sum(statuses.values()) <= 16
    assert set(statuses) == {200}
    assert len(biller.bills) <= biller.seen <= 16
    assert all(bill.model == "m" and bill.input > 0 for bill in biller.bills)
