"""A reading becomes a family: graded by what was seen, drawn about its edge, priced, with the control beside it."""

import json

import pytest

from bartizan.lab.auditing.page import as_page
from bartizan.lab.auditing.width import as_family, as_words, questions_for
from bartizan.lab.extraction.probabilities import Limits, Opening, TokenApi, Way
from bartizan.lab.extraction.projection import Width
from bartizan.lab.extraction.readings import Reading

VALUES = tuple(0.99**at for at in range(300)) + (1e-12,) * 40
OPEN = Opening(Way("bias", 20, 20), (("a plain question", "answered"),), "A bias shows.")
CLOSED = Opening(None, (("log-probabilities", "HTTP 403: <no>"),), "No log-probabilities leave.")
BISECTED = Opening(None, (), "No log-probabilities leave. A bias still chooses the answer: who bisects it …")


@pytest.fixture
def api():
    """An API that was asked 200 times at three dollars per million tokens in."""
    api = TokenApi("http://127.0.0.1:9", "wide", Limits(500, input_price=3.0))
    api.tokens_in = 1000
    for _ in range(200):
        api.budget.take()
    yield api
    api.close()


@pytest.mark.parametrize(
    ("reading", "grade", "says"),
    [
        (Reading(OPEN, Width(300, 2e6, 340, 348, VALUES), 340, None, complete=True), "leaks", "300 wide"),
        (Reading(OPEN, Width(0, 2.0, 340, 348, VALUES), 340, None, complete=False), "not measured", "limits ended"),
        (Reading(OPEN, Width(0, 2.0, 340, 348, VALUES), 340, 1, complete=True), "little", "1 digits"),
        (Reading(OPEN, Width(0, 2.0, 340, 348, VALUES), 340, None, complete=True), "not measured", "No edge"),
        (Reading(OPEN, None, 64, None, complete=True), "none", "too few tokens in common"),
        (Reading(CLOSED, None, 0, None, complete=True), "none", "No log-probabilities leave."),
        (Reading(BISECTED, None, 0, None, complete=True), "little", "bisects"),
    ],
)
def test_the_grade_says_what_was_seen(api, reading, grade, says):
    """A width leaks; limits and coarse numbers prove nothing; the control is named where it is needed."""
    family = as_family(reading, api, 1.0)
    assert (family.grade, says in family.says) == (grade, True)
    assert any("--no-logprobs" in note for note in family.notes) is (grade != "none")
    words = json.loads(json.dumps(as_words(reading, api)))
    assert words["width"] == (300 if grade == "leaks" else None)
    assert (words["questions"], words["dollars"]) == (200, 0.003)


def test_the_page_draws_the_edge_on_logarithms(api):
    """Every singular value about it is drawn; probes are escaped; nothing comes from outside."""
    reading = Reading(OPEN, Width(300, 2e6, 340, 348, VALUES), 340, None, complete=True)
    family = as_family(reading, api, 1.0)
    curve = dict(family.curves["340 prompts, 348 tokens"])
    assert {299.0, 300.0, 301.0, 340.0} <= curve.keys()
    assert curve[301.0] < 1e-6 * curve[300.0]
    page = as_page([family], {"model": "wide", "about": "Asked.", "seed": 1})
    assert "size by singular values" in page
    assert ">1e-06<" in page
    shut = as_family(Reading(CLOSED, None, 0, None, complete=True), api, 1.0)
    closed = as_page([shut], {"model": "", "about": "", "seed": 1})
    assert "&lt;no&gt;" in closed
    assert "<svg" not in closed


def test_questions_grow_with_the_square_where_answers_tell_few_tokens():
    """One for each prompt where an answer tells all; else as many as there are chunks of them."""
    assert questions_for(576, 1000) == 584
    assert questions_for(576, 20) == 584 * 32
    assert questions_for(576, 1) == 584 * 592
