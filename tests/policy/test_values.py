"""Typed values: one form for one thing, and never one form for two."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.policy import values as values_module
from bartizan.policy.values import as_number, canonical_url, numbers, plain, stands_in, values


@pytest.mark.parametrize(
    ("text", "kind", "form"),
    [
        ("write to Bob.Smith@Example.com.", "mail", "bob.smith@example.com"),
        ("see https://WWW.Example.com:443/a%20b/ now", "url", "example.com/a b"),
        ("go to www.example.com/x?y=1", "url", "example.com/x?y=1"),
        ("pay DE89 3704 0044 0532 0130 00 today", "account", "DE89370400440532013000"),
        ("run javascript:alert(1", "url", "javascript:alert(1"),
    ],
)
def test_a_value_is_found_and_has_one_form(text, kind, form):
    """However it is written."""
    assert [(value.kind, value.canonical) for value in values(text)] == [(kind, form)]


@given(
    st.lists(st.sampled_from([*"@..-+_/: aZé", "\u017f", "a" * 63, "x.com", "http", "DE89", " 3704 0044", "b" * 80]))
)
def test_looking_only_where_a_value_can_be_finds_the_same(parts):
    """As every shape does when it reads the whole text."""
    text = "".join(parts)
    naive, taken = [], []
    for kind, _, shape in values_module._SHAPES:
        for match in shape.finditer(text):
            raw = match[0].rstrip(".,;:!?")
            start, end = match.start(), match.start() + len(raw)
            if not any(start < other_end and end > other for other, other_end in taken):
                taken.append((start, end))
                naive.append((kind, start, end))
    assert [(one.kind, one.start, one.end) for one in values(text)] == naive


def test_plain_prose_has_no_values():
    """Words with dots and figures are not addresses."""
    assert list(values("The meeting at 10.30 was fine, e.g. for Ann. See section 3.2.")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a", "https://example.com/b"),
        ("https://example.com", "https://ex\u0430mple.com"),
        ("https://example.com@evil.org/", "https://example.com/"),
        ("https://example.com:8443/", "https://example.com/"),
        ("https://example.com.evil.org/", "https://example.com/"),
        ("http://127.0.0.1/", "http://2130706433.nip.io/"),
    ],
)
def test_two_places_never_share_a_form(one, other):
    """Look-alike letters, user info, ports and longer hosts stay apart."""
    assert canonical_url(one) != canonical_url(other)


def test_numbers_are_read_with_their_separators():
    """Signs of currency and thousands do not matter; words with digits are no numbers."""
    assert numbers("$1,200.50 for 3 of A4, 2 weeks") == {Decimal("1200.5"), Decimal(3), Decimal(2)}
    assert as_number("1,200.50") == as_number(1200.5)
    assert as_number(True) is as_number("many") is as_number(float("nan")) is None


@pytest.mark.parametrize(
    ("needle", "stands"),
    [
        ("ann", True),
        ("x.com", False),
        ("bob@x.com", True),
        ("nn", False),
        ("b@x.com", False),
        ("", False),
        ("x", False),
    ],
)
def test_a_value_stands_in_a_text_as_whole_words_only(needle, stands):
    """Part of an address is not the address."""
    assert stands_in(needle, plain("Mail Ann at Bob@X.com")) is stands
