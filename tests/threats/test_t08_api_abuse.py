"""T08 holds behind the gateway's budgets, and would not hold without them."""

import contextlib

from tests.threats.benches import bench

from bartizan.threats import t08_api_abuse
from bartizan.threats.base import State, prove


def test_no_attack_costs_more_than_was_allowed(monkeypatch):
    """All claims hold; the books say what the bills say."""
    monkeypatch.setattr(t08_api_abuse, "_SHOTS", 8)
    monkeypatch.setattr(t08_api_abuse, "ALLOWED", "0.05")
    row = prove(t08_api_abuse.T08, bench())
    assert row.state is State.HOLDS, row.why
    assert row.evidence.measured["books against bills"].value == 0
    assert row.evidence.off.value > 0.8
    assert len(row.evidence.families) == len(t08_api_abuse.DRAINS)


def test_a_gateway_that_lets_everything_through_fails(monkeypatch):
    """The attacker reaches the model server itself: the claims can be broken."""
    straight = {}

    @contextlib.contextmanager
    def open_gate(settings, upstream):
        straight["url"] = upstream
        yield upstream

    async def nothing(*_, **__):
        return 0

    monkeypatch.setattr(t08_api_abuse, "gateway", open_gate)
    monkeypatch.setattr(t08_api_abuse, "_SHOTS", 8)
    monkeypatch.setattr(t08_api_abuse, "ALLOWED", "0.05")
    monkeypatch.setattr(t08_api_abuse, "_honest", nothing)
    monkeypatch.setattr(t08_api_abuse, "_standing", nothing)
    row = prove(t08_api_abuse.T08, bench())
    assert row.state is State.FAILED
    assert "No attack costs more" in row.why
