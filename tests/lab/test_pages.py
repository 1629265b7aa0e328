"""Pages of the lab: they begin alike and may load nothing."""

import jinja2
import pytest

from bartizan.lab.pages import page


def test_a_page_begins_with_what_it_may_load_and_says_the_version():
    """Whichever package it is of, and what is filled in is no markup."""
    made = page("bartizan.lab.evasion", "base.html", target={"name": "<b>"})
    assert made.startswith("<!doctype html>")
    assert made.index("default-src 'none'") < made.index("<style>")
    assert "&lt;b&gt; under attack" in made


def test_a_value_that_a_page_lacks_is_an_error():
    """No page says nothing where a figure should stand."""
    with pytest.raises(jinja2.UndefinedError, match="target"):
        page("bartizan.lab.evasion", "base.html")
