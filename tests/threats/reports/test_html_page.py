"""The page: complete, self-contained, and hostile text in it stays text."""

import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.threats.examples import assessment

from bartizan.threats.reports.html_page import command, render


class Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self):
        """Start empty."""
        super().__init__()
        self.tags, self.attributes, self.open = set(), [], []

    def handle_starttag(self, tag, attributes):
        """Remember what opens."""
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        """What closes must be what was opened last."""
        if tag != "rect":
            assert self.open.pop() == tag


def test_every_row_and_every_figure_is_there():
    """Ten rows, off and on, interval, claims, the ledger, how to repeat it."""
    page = render(assessment())
    for number in range(1, 11):
        assert f'id="T{number:02d}"' in page
    for said in ("A claim failed: T02.", "79% [63%–90%] n=42", "no claim yet", "nobody home", "bartizan ledger verify"):
        assert said in page, said
    assert "OWASP LLM Top 10 2026 LLM01" in page


def test_hostile_text_stays_text():
    """No tag, no template, no invisible character of the attacker's takes effect."""
    page = render(assessment())
    seen = Tags()
    seen.feed(page)
    assert seen.open == []
    assert "script" not in seen.tags
    assert "{{ 7*7 }}" in page
    assert "49" not in re.sub(r"[\d.]*\d49|49[\d.]+|T\d\d|\d+%", "", page.split("Word for word")[1][:800])
    assert "⟨U+202E⟩⟨U+200B⟩⟨U+001B⟩" in page
    assert not re.search("[\u202e\u200b\x1b\x00]", page)


def test_nothing_is_fetched():
    """No address in any attribute; the policy forbids everything but the inline style."""
    seen = Tags()
    seen.feed(render(assessment()))
    assert not [value for name, value in seen.attributes if name in ("src", "href") and not value.startswith("#")]
    assert any("default-src 'none'" in (value or "") for _, value in seen.attributes)


@pytest.mark.parametrize("reference", [True, False])
def test_the_reference_model_is_never_mistaken_for_yours(reference):
    """The sentence stands exactly where it is true."""
    page = render(assessment(reference=reference))
    assert ("say nothing about your model" in page) == reference
    assert ("Measured on what you named: T01. Each other row" in page) != reference
    assert page.count("This row asks nothing of http://127.0.0.1:1") == (0 if reference else 9)


def test_the_command_repeats_the_run():
    """Seed and limit, and the target if it was the user's."""
    assert command(assessment()) == "bartizan assess --seed 7 --max-requests 400"
    assert "--target http://127.0.0.1:1 --model model" in command(assessment(reference=False))


def test_a_model_named_like_a_command_stays_one_word():
    """Whoever pastes the command runs an assessment and nothing else."""
    run = assessment(reference=False)
    name = "m; touch owned $(id) `id` 'x"
    line = command(replace(run, subject=replace(run.subject, model=name)))
    assert shlex.split(line)[:6] == ["bartizan", "assess", "--target", run.subject.url, "--model", name]


def test_a_run_of_some_threats_is_repeated_with_those():
    """The command of a partial run names what was assessed."""
    run = assessment()
    assert command(replace(run, rows=run.rows[:2])) == (
        "bartizan assess --threat T01 --threat T02 --seed 7 --max-requests 400"
    )


def test_what_to_do_and_what_is_left_show_commands_as_code():
    """Between backticks; the sign itself is not shown."""
    run = assessment()
    threat = replace(run.rows[0].threat, residual="Look with `bartizan lab` yourself.")
    page = render(replace(run, rows=(replace(run.rows[0], threat=threat), *run.rows[1:])))
    advice = page.split("What to do")[1].split("</ul>")[0]
    assert "<code>bartizan assess --target URL --model NAME</code>" in advice
    assert "Look with <code>bartizan lab</code> yourself." in page
    assert "`" not in page
