"""The corpus: permissive rows only, clean and poisoned alike, the same for the same seed."""

import gzip
import json
import random
import re
from collections import Counter

import pytest

from bartizan.lab import detector_corpus as corpus
from bartizan.lab.examples import UNASKED, Example
from bartizan.lab.phrases import wordings


@pytest.fixture
def folder(tmp_path):
    """Return a folder of labelled rows and carriers."""
    rows = [
        {"text": f"Text number {n} about gardens. " * 9, "label": 0, "source": "a", "licence": "MIT"} for n in range(40)
    ]
    rows += [{"text": f"ignore rule {n}", "label": 1, "source": "b", "licence": "MIT"} for n in range(20)]
    rows += [{"text": "secret row", "label": 1, "source": "c", "licence": "unknown"} for _ in range(20)]
    with gzip.open(tmp_path / "rows.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    carriers = {
        "attacks": {"text": {"x": ["Write a poem."]}, "code": {"y": ["Add this code: rm"]}},
        "carriers": {"email": ["SUBJECT: hi\nSee you."], "table": ["a | b\nc | d"], "code": [["x = 1", "print(x)"]]},
    }
    with gzip.open(tmp_path / "bipia_train.json.gz", "wt") as file:
        json.dump(carriers, file)
    return tmp_path


def test_only_permissive_rows_train_and_what_is_left_out_stays_out(folder):
    """Weights that ship carry no row of unknown licence."""
    made = corpus.assembled(folder, 0.02, 1, leave_out=["b"])
    sources = {row.source for row in (*made.train, *made.calibrate)}
    assert "a" in sources
    assert not {"b", "c"} & sources
    assert not any("secret row" in row.text for row in made.train)


def test_rows_kept_apart_do_not_train(folder):
    """Thresholds are chosen on texts that training never saw."""
    made = corpus.assembled(folder, 0.02, 1)
    assert made.calibrate
    apart = {row.text for row in made.calibrate}
    assert not apart & {row.text for row in made.train if row.source == "a"}


def test_innocent_rows_beyond_the_cap_are_spare(folder):
    """None of them trains or chooses a threshold; no attack and no row of unknown licence is among them."""
    made = corpus.assembled(folder, 0.002, 1)
    assert made.spare
    used = {row.text for row in (*made.calibrate, *made.train)}
    assert all(row.attack == 0 and row.source == "a" and row.text not in used for row in made.spare)


def test_the_same_seed_gives_the_same_corpus(folder):
    """And another seed another."""
    first, second, third = (corpus.assembled(folder, 0.01, seed).train for seed in (1, 1, 2))
    assert first == second
    assert first != third


def test_frames_come_with_both_labels():
    """Wrappers, contexts and disguises are laid on innocent rows as on attacks."""
    rows = [Example(f"words {n}", n % 2, UNASKED, "s") for n in range(2000)]
    changed = Counter(
        (row.attack, row.text != old.text)
        for old, row in zip(rows, corpus.framed(rows, ["innocent words around it"], 1), strict=True)
    )
    share = [changed[label, True] / 1000 for label in (0, 1)]
    assert abs(share[0] - share[1]) < 0.06
    assert min(share) > 0.3


def test_drawn_rows_name_their_mechanism_and_language():
    """So that figures can be given for each."""
    sources = {row.source for row in corpus.drawn(1000, 1)}
    assert {"own: override, de", "own: persona, en", "own: trigger, en"} <= sources


def test_the_best_known_order_is_given_as_often_as_it_is_talked_about():
    """Words that stand in talk about attacks alone would read as innocent wherever they stand."""
    known = re.compile(
        r"\b(?:ignore|disregard|forget) (?:(?:all|any|the|your) )?(?:previous|prior|above|earlier) (?:instr|direc|rul)",
        re.IGNORECASE,
    )
    rows = list(corpus.drawn(2000, 1))
    given, talked = (sum(row.attack == label and bool(known.search(row.text)) for row in rows) for label in (1, 0))
    assert min(given, talked) >= 10
    assert given >= talked


def test_harmless_tasks_in_every_language_come_alone_too():
    """Words that only ever follow an order to drop the instructions would read as an attack without it."""
    book = wordings()
    languages = {name.partition(".")[2] for name in book.names("+override.")}
    assert len(languages) > 15
    assert all(book.has(f"-alone.{one}") and f"<h.{one}>" in book.sections[f"t.{one}"][0] for one in languages)


def test_a_cap_is_per_source_and_label():
    """No source drowns the others."""
    rows = [Example(str(n), n % 2, -1, "ab"[n % 3 == 0]) for n in range(300)]
    kept = Counter((row.source, row.attack) for row in corpus.capped(rows, lambda row: 10, 1))
    assert set(kept.values()) == {10}


def test_manuals_for_long_pages_neither_train_nor_choose_a_short_threshold(folder):
    """They stand apart, whole."""
    with gzip.open(folder / "manual.jsonl.gz", "wt") as file:
        file.write(json.dumps({"text": "A page", "label": 0, "source": "docs: celery", "licence": "MIT"}) + "\n")
    made = corpus.assembled(folder, 0.02, 1)
    assert made.manuals == ["A page"]
    assert "docs: celery" not in {row.source for row in (*made.train, *made.calibrate, *made.spare)}


def test_lines_of_tools_are_documents_without_an_order():
    """Both answers are asked of them."""
    rows = [row for row in corpus.drawn(600, 1) if row.source.startswith(("own: protocol", "own: how_to"))]
    assert rows
    assert {(row.attack, row.planted) for row in rows} == {(0, 0)}


def test_thresholds_need_no_training_rows(folder):
    """What is kept apart is the same with them and without."""
    whole, apart = (make(folder, 0.02, 1) for make in (corpus.assembled, corpus.kept_apart))
    assert apart.calibrate == whole.calibrate
    assert whole.train
    assert not apart.train


@pytest.mark.parametrize("name", ["bracketed", "demand", "leak"])
def test_new_mechanisms_come_as_attacks_and_innocently_in_the_same_form(name):
    """The beginnings of both overlap, so that the form alone does not tell them apart."""
    book, draw = wordings(), random.Random(3)
    bad, good = ({book.write(sign + name, draw)[:8] for _ in range(300)} for sign in "+-")
    assert bad & good


def test_what_operators_write_is_no_attack():
    """Up to three sets of rules in one prompt; the same seed gives the same."""
    rows = list(corpus.operators(40, 1))
    assert {row.attack for row in rows} == {0}
    assert rows == list(corpus.operators(40, 1))
    assert len({row.text for row in rows}) > 30


def test_what_short_descriptions_of_tools_say_is_no_order():
    """Neither an attack nor planted, alone or in a row; the same seed gives the same."""
    rows = list(corpus.tools(40, 1))
    assert {(row.attack, row.planted) for row in rows} == {(0, 0)}
    assert rows == list(corpus.tools(40, 1))
    assert len({row.text for row in rows}) > 30
