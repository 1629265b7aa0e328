"""The price book: signed, dated, and never cheaper before than after."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadSettings
from bartizan.core.messages import Usage
from bartizan.gateway.limits.prices import Book, Model, Price, PriceBook, Tier, key_file, load, write

TIERS = (
    Tier("2.50", "10", cached="1.25", cache_write="3.125"),
    Tier("5", "15", from_input_tokens=200_000),
    Tier("4.25", "17", service="priority"),
)
MODEL = Model("big-*", 400_000, 32_000, TIERS, request="0.001")
BOOK = Book(datetime.date(2026, 11, 1), (MODEL, Model("big-2", 1, 1, (Tier("99", "99"),))))
NOW = (datetime.date(2026, 11, 24) - datetime.date(1970, 1, 1)).days * 86_400_000_000_000
COUNT = st.integers(0, 400_000)


@given(COUNT, COUNT, COUNT, COUNT, st.sampled_from(["", "default", "priority", "flex", "who knows"]))
def test_no_usage_within_the_bound_costs_more_than_was_reserved(taken, given_, cached, written, tier):
    """Whatever the tier, the cache and the provider's word for it; counts that contradict each other included."""
    price = Price(MODEL)
    assert price.charged(Usage(taken, given_, cached, written, tier)) <= price.most(taken, given_)


def test_usage_is_charged_at_the_tier_the_provider_named():
    """Cached input is cheaper, long input dearer, an unknown tier the dearest."""
    price, base = Price(MODEL), 1_000_000
    assert price.charged(Usage(1000, 0, tier="default")) == base + 1000 * 2500
    assert price.charged(Usage(1000, 0, cached_tokens=400, tier="default")) == base + 600 * 2500 + 400 * 1250
    assert price.charged(Usage(300_000, 10, tier="default")) == base + 300_000 * 5000 + 10 * 15_000
    assert price.charged(Usage(1000, 0, tier="priority")) == base + 1000 * 4250
    assert price.charged(Usage(1000, 0)) == base + 1000 * 4250
    assert price.charged(Usage(1000, 0, tier="new")) == base + 1000 * 4250
    assert price.most(0, 1) == base + 17_000


def test_the_first_model_that_matches_counts_and_an_unknown_one_has_no_price():
    """Nobody gets a model for nothing because its name was new."""
    book = PriceBook(BOOK)
    assert book.price("big-2").model.model == "big-*"
    assert book.price("small") is None


def test_a_book_is_read_back_and_an_altered_or_old_one_is_not(tmp_path):
    """One changed digit, another signer, a year gone by."""
    path = tmp_path / "prices.json"
    public = write(path, BOOK)
    assert load(path, NOW, public_key=public).book == BOOK
    assert key_file(path).stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadSettings, match="days old"):
        load(path, NOW + 500 * 86_400_000_000_000)
    other = write(tmp_path / "other.json", BOOK)
    with pytest.raises(BadSettings, match="does not hold"):
        load(path, NOW, public_key=other)
    path.write_bytes(path.read_bytes().replace(b"2.50", b"0.50"))
    with pytest.raises(BadSettings, match="does not hold"):
        load(path, NOW)
    with pytest.raises(BadSettings, match="cannot be read"):
        load(tmp_path / "none.json", NOW)


def test_a_book_that_leaves_short_inputs_without_a_price_is_refused(tmp_path):
    """Before it is written."""
    with pytest.raises(BadSettings, match="begins at 0"):
        write(tmp_path / "prices.json", Book(BOOK.as_of, (Model("m", 1, 1, (Tier("1", "1", from_input_tokens=5),)),)))
