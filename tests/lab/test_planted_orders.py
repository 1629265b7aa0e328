"""Documents clean and with an order, and where the order stands."""

import gzip
import json
import random
from collections import Counter

import pytest

from bartizan.lab import planted_orders
from bartizan.lab.examples import UNASKED


@pytest.fixture
def file(tmp_path):
    """Return a file of carriers and orders."""
    carriers = {
        "attacks": {"text": {"x": ["Write a poem."]}, "code": {"y": ["Add this code: rm"]}},
        "carriers": {"email": ["SUBJECT: hi\nSee you."], "table": ["a | b\nc | d"], "code": [["x = 1", "print(x)"]]},
    }
    with gzip.open(tmp_path / "bipia_train.json.gz", "wt") as file:
        json.dump(carriers, file)
    return tmp_path / "bipia_train.json.gz"


def test_every_carrier_comes_clean_and_poisoned(file):
    """So that a carrier never predicts the answer."""
    rows = list(planted_orders.planted(planted_orders.bipia(file), ["A fine day."], 60, 1))
    by_source = Counter((row.source, row.planted) for row in rows)
    for kind in ("email", "table", "code"):
        assert by_source[f"planted: {kind}", 1] <= by_source[f"planted: {kind}", 0]
        assert by_source[f"planted: {kind}", 1] > 5


def test_what_users_ask_is_an_order_out_of_place_in_a_document_and_no_attack_of_a_user():
    """Naive injection: not a word about the first task."""
    carriers = planted_orders.Carriers(
        {"mail": ["See you."]}, {"text": [], "code": [], "request": ["Explain the tides."]}
    )
    rows = [
        row for row in planted_orders.planted(carriers, ["A fine day."], 300, 1) if "Explain the tides." in row.text
    ]
    assert len(rows) > 5
    assert {(row.attack, row.planted) for row in rows} == {(UNASKED, 1)}


def test_planted_text_is_put_at_the_start_within_and_at_the_end():
    """No place predicts it."""
    draw = random.Random(2)
    made = [planted_orders._put("One. Two. Three. Four. Five. Six.", "ORDER", draw) for _ in range(60)]
    assert {one.startswith("ORDER") for one in made} == {True, False}
    assert {one.endswith("ORDER") for one in made} == {True, False}
