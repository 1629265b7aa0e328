"""The operator's files are taken up when they change, and only when they hold."""

import datetime

import pytest

from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections.limits import LimitRule, Limits
from bartizan.gateway.limits.files import Files, rules_in, write_rules
from bartizan.gateway.limits.prices import Book, Model, Tier, write

TODAY = datetime.datetime.now(datetime.UTC).date()
BOOK = Book(TODAY, (Model("m", 1000, 100, (Tier("1", "2"),)),))


def settings(tmp_path, *rules):
    return Limits(
        rules=tuple(LimitRule("key:*", rule) for rule in rules),
        rules_file=str(tmp_path / "limits.json"),
        prices_file=str(tmp_path / "prices.json"),
    )


def test_money_without_prices_does_not_start(tmp_path):
    """Requests alone do."""
    Files(settings(tmp_path, "60 requests per minute"), SystemClock())
    with pytest.raises(BadSettings, match="no price book"):
        Files(settings(tmp_path, "$5 per day"), SystemClock())


def test_rules_and_prices_change_while_running(tmp_path):
    """Within one refresh."""
    files = Files(settings(tmp_path, "60 requests per minute"), SystemClock())
    assert files.price("m") is None
    write(tmp_path / "prices.json", BOOK)
    write_rules(tmp_path / "limits.json", [LimitRule("key:*", "$5 per day")])
    files.refresh()
    assert files.price("m") is not None
    assert files.price("other") is None
    assert len(files.rules.rules) == 2
    (tmp_path / "limits.json").unlink()
    files.refresh()
    assert len(files.rules.rules) == 1


def test_a_bad_change_leaves_what_was_known_in_force(tmp_path):
    """It is an error once, not every second."""
    write(tmp_path / "prices.json", BOOK)
    write_rules(tmp_path / "limits.json", [LimitRule("key:*", "$5 per day")])
    files = Files(settings(tmp_path), SystemClock())
    (tmp_path / "limits.json").write_text("[{}")
    with pytest.raises(BadSettings, match=r"limits\.json"):
        files.refresh()
    files.refresh()
    assert len(files.rules.rules) == 1
    (tmp_path / "prices.json").write_bytes((tmp_path / "prices.json").read_bytes().replace(b"100", b"900"))
    with pytest.raises(BadSettings, match="signature"):
        files.refresh()
    assert files.price("m").model.max_output_tokens == 100


def test_rules_read_back(tmp_path):
    """As they were written."""
    rules = (LimitRule("key:a", "$5 per day"),)
    write_rules(tmp_path / "deep" / "limits.json", rules)
    assert rules_in(tmp_path / "deep" / "limits.json") == rules
    assert rules_in(tmp_path / "none.json") == ()
