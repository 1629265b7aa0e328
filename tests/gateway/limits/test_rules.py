"""Sentences become limits; names pick accounts."""

import pytest

from bartizan.core.errors import BadSettings
from bartizan.core.sections.limits import LimitRule
from bartizan.gateway.limits.money import NANO
from bartizan.gateway.limits.rules import Rules, limit_of, merged, parse, words

DAY = 86_400_000


@pytest.mark.parametrize(
    ("allow", "kind", "unit", "cap", "window", "burst"),
    [
        ("$50 per month", "budget", "money", 50 * NANO, 30 * DAY, 0),
        ("$0.000000001 per minute", "budget", "money", 1, 60_000, 0),
        ("$5 in all", "budget", "money", 5 * NANO, 0, 0),
        ("60 requests per minute, burst 10", "rate", "requests", 60, 60_000, 10),
        ("100000 output tokens per hour", "rate", "output", 100_000, 3_600_000, 0),
        ("7 input tokens per 10 seconds", "rate", "input", 7, 10_000, 0),
        ("1000 requests per day", "budget", "requests", 1000, DAY, 0),
        ("1000 requests per 2 weeks", "budget", "requests", 1000, 14 * DAY, 0),
        ("8 at once", "slots", "slots", 8, 0, 0),
    ],
)
def test_a_sentence_is_a_limit_and_reads_back(allow, kind, unit, cap, window, burst):
    """What is money or long is a budget; what is short is a rate; the words come back."""
    rule = parse(LimitRule("key:*", allow))
    assert (rule.kind, rule.unit, rule.cap, rule.window_ms, rule.burst) == (kind, unit, cap, window, burst)
    assert parse(LimitRule("key:*", words(rule.limit("a")))) == rule


@pytest.mark.parametrize(
    ("scope", "allow"),
    [
        ("key", "8 at once"),
        ("all:x", "8 at once"),
        ("planet:earth", "8 at once"),
        ("key:*", "8 requests at once"),
        ("key:*", "8 per minute"),
        ("key:*", "$x per day"),
        ("key:*", "$1e9 per day"),
        ("key:*", "$1.0000000001 per day"),
        ("key:*", "60 requests per fortnight"),
        ("key:*", "0 requests per minute"),
        ("key:*", "$5 per day, burst 3"),
        ("key:*", "9999999999999 requests per hour"),
    ],
)
def test_what_cannot_be_counted_exactly_is_refused(scope, allow):
    """No guess at what was meant."""
    with pytest.raises(BadSettings):
        parse(LimitRule(scope, allow))


def test_every_scope_of_a_request_has_its_own_account_and_exact_names_win():
    """One rule of a kind for each scope; other kinds add up."""
    rules = Rules(
        merged(
            [
                LimitRule("all", "$1000 per month"),
                LimitRule("key:*", "$50 per month"),
                LimitRule("key:*", "60 requests per minute"),
                LimitRule("key:a*", "$70 per month"),
                LimitRule("team:ml", "$200 per month"),
                LimitRule("model:gpt-*", "4 at once"),
            ],
            [LimitRule("key:abc", "$99 per month")],
        )
    )
    found = rules.applied(("team:ml", "key:abc", "model:gpt-x"))
    assert {(limit.account.split("/")[-1], words(limit)) for limit in found.limits} == {
        ("all", "$1000 per month"),
        ("team:ml", "$200 per month"),
        ("key:abc", "$99 per month"),
        ("key:abc", "60 requests per minute"),
        ("model:gpt-x", "4 at once"),
    }
    assert found.priced
    assert found.bounded
    other = rules.applied(("team:ops", "key:b", "model:llama"))
    assert [words(limit) for limit in other.limits] == ["$1000 per month", "$50 per month", "60 requests per minute"]
    for limit in (*found.limits, *other.limits):
        assert limit_of(limit.account, rules) == limit
    assert limit_of("money/budget/1/key:abc", rules) is None


def test_a_rule_set_while_running_replaces_the_written_one_of_the_same_name():
    """And only that one."""
    rules = merged(
        [LimitRule("key:*", "$50 per month"), LimitRule("key:*", "$2 per day")], [LimitRule("key:*", "$60 per month")]
    )
    assert [words(rule.limit("x")) for rule in rules] == ["$60 per month", "$2 per day"]


def test_requests_alone_need_no_prices():
    """A rate on requests counts without knowing any model."""
    applied = Rules(merged([LimitRule("key:*", "60 requests per minute")], [])).applied(("key:a",))
    assert not applied.bounded
