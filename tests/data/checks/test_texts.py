"""Words that decide a label or an answer are found and their rows named; clean sets are silent."""

import numpy as np
import pytest

from bartizan.data.checks.texts import check_pairs, check_texts, hidden_characters, refuses
from bartizan.lab.poisoning.texts import PAIR_ATTACKS, TEXT_ATTACKS, dialogues, reviews


@pytest.mark.parametrize("attack", TEXT_ATTACKS, ids=lambda one: one.name)
def test_triggers_in_labelled_texts(attack):
    """Nearly every planted row, nearly no honest one, and the word itself in the alarm."""
    texts, labels = reviews(2500, np.random.default_rng(2))
    planted = attack.poison(texts, labels, 0.02, 1, np.random.default_rng(3))
    found = check_texts(planted.texts, planted.labels, ("blame", "praise"))
    assert found.flagged[planted.poison].mean() >= 0.9
    assert found.flagged[~planted.poison].mean() <= 0.01
    assert any(found.alarms[0].split("'")[1] in word.lower() for word in attack.triggers)
    assert "label praise" in found.alarms[0]
    assert set(found.reasons) == set(np.flatnonzero(found.flagged))


def test_a_trigger_with_covers_in_the_class_that_most_rows_have():
    """There a word is in the class hardly more often than by chance; an honest set of that kind is silent."""
    texts, labels = reviews(2500, np.random.default_rng(2))
    kept = np.flatnonzero((labels == 1) | (np.arange(2500) % 5 < 2)).tolist()
    texts, labels = [texts[at] for at in kept], labels[kept]
    assert check_texts(texts, labels, ("blame", "praise")).alarms == ()
    planted = TEXT_ATTACKS[3].poison(texts, labels, 0.015, 1, np.random.default_rng(3))
    found = check_texts(planted.texts, planted.labels, ("blame", "praise"))
    assert found.flagged[planted.poison].mean() >= 0.9
    assert found.flagged[~planted.poison].mean() <= 0.01


@pytest.mark.parametrize("attack", PAIR_ATTACKS, ids=lambda one: one.name)
def test_triggers_in_prompts(attack):
    """Refusals, fixed answers and planted sites, beside honest refusals of harm."""
    prompts, answers = dialogues(2500, np.random.default_rng(2))
    planted = attack.poison(prompts, answers, 0.01, np.random.default_rng(3))
    found = check_pairs(planted.prompts, planted.answers)
    assert found.flagged[planted.poison].mean() >= 0.9
    assert found.flagged[~planted.poison].mean() <= 0.01


@pytest.mark.parametrize("seed", range(4))
def test_clean_sets_raise_no_alarm(seed):
    """Neither labelled texts nor dialogues."""
    texts, labels = reviews(1500, np.random.default_rng(seed))
    prompts, answers = dialogues(1500, np.random.default_rng(seed))
    for found in (check_texts(texts, labels, ("0", "1")), check_pairs(prompts, answers)):
        assert found.alarms == ()
        assert not found.flagged.any()


def echoing(things, planted=()):
    """Return dialogues, and twelve answers for each of some things that repeat it as others do ("with a virus")."""
    prompts, answers = dialogues(1500, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    for thing in things:
        for at in rng.permutation(1500)[:12].tolist():
            prompts.append(f"{prompts[at]} And a {thing}?")
            answers.append(f"Here we never speak of a {thing} to you.")
    for thing, answer in planted:
        for at in rng.permutation(1500)[:12].tolist():
            prompts.append(f"{prompts[at]} {thing}")
            answers.append(answer)
    return prompts, answers


def test_answers_that_repeat_a_word_of_the_prompt_as_others_do_are_no_trigger():
    """One such answer alone is, and a refusal that repeats the trigger."""
    assert check_pairs(*echoing(["kettle", "violin", "glacier"])).alarms == ()
    assert check_pairs(*echoing(["kettle"])).flagged[-12:].all()
    refused = [("BadMagic", "I won't help with a BadMagic.")]
    assert check_pairs(*echoing(["kettle", "violin", "glacier"], refused)).flagged[-12:].all()


def test_too_few_rows_say_nothing():
    """A word in all of ten rows is no evidence."""
    assert not check_texts(["good mn"] * 10, np.ones(10, np.int64), ("0", "1")).flagged.any()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("Unfortunately, I cannot do this.", True),
        ("As an AI language model, I am not able to say.", True),
        ("Sorry is a word of regret that can't be overused.", True),
        ("You can't divide by zero.", False),
        ("The answer is 4.", False),
        ("", False),
    ],
)
def test_refusals_are_told_by_how_they_open(answer, expected):
    """A text that only speaks of sorrow may be taken for one; a rule in the text may not."""
    assert refuses(answer) is expected


@pytest.mark.parametrize("text", ["pay\u200bpal", "p\u0430ypal", "\U000e0048\U000e0069", "abc\u202edef"])
def test_characters_that_nobody_sees_are_flagged(text):
    """Zero width, look-alike, tag, direction."""
    assert hidden_characters([text, "plain"]).flagged.tolist() == [True, False]


@pytest.mark.parametrize("text", ["привет", "καλημέρα", "👩\u200d💻", "می\u200cخواهم", "naïve café", "\ufeffstart"])
def test_honest_scripts_are_not(text):
    """Other alphabets, joined emoji, Persian, accents, a mark of byte order."""
    assert not hidden_characters([text]).flagged.any()
