"""Pages say how many plain copies are found, what breaks it, where ours stands; only the owner's shows points."""

import numpy as np
from tests.lab.ownership.cohorts import cohort, data

from bartizan.lab.ownership.making import drafted, ours_of
from bartizan.lab.ownership.page import checked_page, hits, made_page, plain_copies, strip, votes

NAMES = {"low": 0.1, "high": 0.9, "n": 4}
TRIALS = [
    {"way": "labels of own records", "questions": 50, "agreement": 0.8, "found": {"value": 0.25, **NAMES}},
    {"way": "labels of own records", "questions": 2000, "agreement": 0.9, "found": {"value": 1.0, **NAMES}},
    {"way": "labels of own records, then <b>", "questions": 2000, "agreement": 0.9, "found": {"value": 0.0, **NAMES}},
]


def test_plain_copies_are_counted_and_what_breaks_it_is_named():
    """A plain copy of few questions that is missed is no way of hiding; without trials nothing is said."""
    said = plain_copies(TRIALS)
    assert said.startswith(
        "Plain copies found: 1 of 4 with 50 labels, 4 of 4 with 2,000 labels. Of 4 of 4 found in plain"
    )
    assert said.endswith("<b> (0 of 4).")
    assert plain_copies(TRIALS[1:2]).endswith("Nothing that was tried hides half of them.")
    assert plain_copies([]) == ""
    assert hits(TRIALS[0]) == "1 of 4"


def test_what_breaks_it_is_said_relative_to_plain_copies():
    """Where 2 of 4 are found in plain, 1 of 4 is half of them, and 2 of 4 is none hidden."""
    plain = {**TRIALS[1], "found": {"value": 0.5, **NAMES}}
    ways = [{**plain, "way": f"labels of own records, then {name}"} for name in ("kept", "halved")]
    ways[1]["found"] = {"value": 0.25, **NAMES}
    assert plain_copies([plain, *ways]).endswith(
        "Of 2 of 4 found in plain, at least half are lost by: halved (1 of 4)."
    )


def test_a_fingerprint_that_misses_plain_copies_is_warned_of():
    """Nothing breaks what does not hold: the next step is said instead."""
    said = plain_copies([TRIALS[0], TRIALS[2]])
    assert "WARNING: too few" in said
    assert "--epochs" in said
    assert "lost by" not in said


def test_the_page_of_a_fingerprint_shows_its_points_with_the_votes():
    """Escaped, and with nothing from outside."""
    models = cohort()
    found = drafted(models, np.arange(len(data()[1])))
    words = {
        "models": 24, "questions": 150, "commitment": "ab" * 32, "trials": TRIALS, "notes": ["a note"],
        "inputs that models label differently": 0.5, "share of records": 0.5,
    }  # fmt: skip
    points = found.points.reshape(-1, 8, 8)
    page = made_page(words, points, models.labels_of(found.points))
    assert page.count("data:image/png") == 24
    assert votes(models.labels_of(found.points)[:, 0]) in page
    assert "Secret" in page
    assert "<b>" not in page
    assert 'src="http' not in page


def test_the_page_of_a_check_marks_ours_and_shows_no_point():
    """One mark for each model and each innocent; found and not found read apart."""
    models, ours = cohort(), ours_of(cohort().plan)
    draft = drafted(models, np.arange(len(data()[1])), [lambda x: np.zeros(len(x), int)] * 3)
    fingerprint, answers = draft.drawn(ours), models.labels_of(draft.points)[ours]
    drawn = strip(fingerprint, answers)
    assert (drawn.count('"ours"'), drawn.count('"other"'), drawn.count('"innocent"')) == (1, 23, 3)
    rank = fingerprint.of_answers(answers)
    words = {**vars(rank), "suspect": "http://<x>", "found": True, "says": "made", "commitment": "ab"}
    page = checked_page(words, fingerprint, answers, TRIALS)
    assert "Found: p" in page
    assert "4 of 4" in page
    assert "data:image" not in page
    assert "<x>" not in page
    assert "Not found: p" in checked_page(words | {"found": False}, fingerprint, answers, ())


def test_votes_are_counted_largest_first():
    """Three labels at most."""
    assert votes(np.array([3, 8, 3, 1, 1, 1, 7])) == "1: 3, 3: 2, 7: 1"
