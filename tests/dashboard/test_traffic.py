"""The list of requests: filters, pages, and one request with all that was written about it later."""

import pytest
from tests.dashboard.houses import House

from bartizan.core.errors import BadRequest
from bartizan.dashboard.traffic import PAGE, Wanted, listed, request


@pytest.fixture
def ledger(tmp_path):
    """120 requests, every tenth of them blocked."""
    house = House(tmp_path)
    rows = [
        (
            "exchange",
            {"request": f"r{n}", "caller": f"c{n % 2}", "model": "m", "verdict": "allow" if n % 10 else "block"},
        )
        for n in range(120)
    ]
    house.ledger.append_many(rows)
    yield house.ledger
    house.ledger.close()


def test_pages_follow_one_another_without_gap_or_repetition(ledger):
    """The latest first."""
    seen, before = [], None
    while True:
        page = listed(ledger, Wanted(before=before))
        seen += [one.seq for one in page.rows]
        before = page.older
        if before is None:
            break
        assert len(page.rows) == PAGE
    assert seen == list(range(119, -1, -1))


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(verdict="block"), 12),
        (Wanted(verdict="stopped", caller="c1"), 0),
        (Wanted(verdict="stopped"), 12),
        (Wanted(model="x"), 0),
    ],
)
def test_a_filter_shows_those_and_no_others(ledger, wanted, count):
    """`stopped` stands for everything but allow."""
    assert len(listed(ledger, wanted).rows) == count


def test_one_request_has_what_was_seen_and_how_it_ended(ledger):
    """A stream's end and its bill are records of their own."""
    finding = {"rule": "canary-leak", "severity": "HIGH", "why": "a canary", "where": "answer"}
    body = {
        "request": "s",
        "verdict": "allow",
        "outcome": "streaming",
        "input": {"verdict": "allow", "findings": [finding]},
    }
    seq = ledger.append("exchange", body).seq
    ledger.append("exchange", {"request": "other"})
    end = ledger.append(
        "stream-end", {"request": "s", "verdict": "block", "why": "a canary", "outcome": "blocked", "output": [finding]}
    )
    one = request(ledger, seq)
    assert (one.verdict, one.why) == ("block", "a canary")
    assert [seen.rule for seen in (*one.input, *one.output)] == ["canary-leak", "canary-leak"]
    assert one.later == ((end.seq, "stream-end"),)
    assert ("outcome", "blocked") in one.facts


def test_what_is_no_request_is_said(ledger):
    """Another kind of record, and none at all."""
    seq = ledger.append("canary", {}).seq
    for number in (seq, 10_000):
        with pytest.raises(BadRequest, match="no request"):
            request(ledger, number)


def test_records_of_another_shape_do_no_harm(ledger):
    """An older or foreign writer."""
    seq = ledger.append("exchange", {"input": {"findings": "many"}, "output": [1, {"rule": 2}], "charged": "x"}).seq
    one = request(ledger, seq)
    assert one.input == ()
    assert one.output[0].rule == "2"
    assert listed(ledger, Wanted()).rows[0].charged is None
