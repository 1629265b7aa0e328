"""One attack on texts from end to end: the curve never rises, what fell is shown, silence is no loss."""

import numpy as np
from tests.lab.evasion.reviews import model, reviews

from bartizan.lab.evasion.text_trial import TextProblem, as_json, as_page, attack_texts
from bartizan.lab.evasion.texts import TextBound, WordSearch
from bartizan.lab.target import Target, Texts, Traits


def problem(n=40):
    """A small classifier and texts that it never saw."""
    return TextProblem(model(*reviews(300)), *reviews(n, seed=1), TextBound(0.2), WordSearch(100))


def test_the_figures_agree_with_the_texts_and_the_curve_never_rises():
    """What fell was right before and is wrong after; nothing else was changed."""
    asked = problem()
    found = attack_texts(asked, curve=20)
    after = asked.target.labels(list(found.adversarial))
    wrong = np.flatnonzero(asked.right & (after != asked.y))
    assert tuple(wrong) == found.fell
    assert len(found.fell) > 5
    kept = set(range(40)) - set(found.fell)
    assert all(found.adversarial[row] == asked.texts[row] for row in kept)
    values = [value.value for _, value in found.points]
    assert values == sorted(values, reverse=True)
    assert [share for share, _ in found.points] == [0.0, 0.05, 0.1, 0.2, 0.4]
    words = as_json(asked, found, {})
    assert words["robust_accuracy"]["value"] == found.robust.value
    assert round(40 * (found.clean.value - found.robust.value)) == len(found.fell)


def test_the_page_marks_words_names_letters_that_look_alike_and_runs_nothing():
    """A text with a tag in it stays text."""
    asked = problem()
    found = attack_texts(asked)
    page = as_page(asked, found)
    assert page.count("<mark>") >= len(found.fell[:12])
    assert "cyrillic small letter" in page
    hostile = TextProblem(
        Target("m", lambda x: np.array([[0.9, 0.1] if "terrible" in t else [0.2, 0.8] for t in x]), Texts(), Traits(2)),
        ["<script>bad</script> is terrible"], np.array([0]), TextBound(1.0), WordSearch(50),
    )  # fmt: skip
    shown = as_page(hostile, attack_texts(hostile))
    assert "<script>" not in shown
    assert "&lt;" in shown


def test_a_model_that_falls_silent_has_not_lost():
    """The last class means no answer."""

    def careful(texts):
        return np.array([[0.8, 0.1, 0.1] if "terrible" in text else [0.1, 0.1, 0.8] for text in texts])

    silent = Target("careful", careful, Texts(), Traits(3, abstains=True))
    found = attack_texts(TextProblem(silent, ["It was terrible"], np.array([0]), TextBound(1.0), WordSearch(50)))
    assert found.robust.value == 1
