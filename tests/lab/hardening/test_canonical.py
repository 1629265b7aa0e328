"""One spelling for all: what a bound on texts allows makes no difference to the model."""

from tests.lab.evasion.reviews import model, reviews

from bartizan.lab.evasion.texts import TextBound, WordSearch, judge_texts, synonyms
from bartizan.lab.hardening.canonical import Canonical

BOUND = TextBound(0.3)


def test_one_spelling_for_all_closes_it_for_an_attacker_who_knows():
    """The attack goes through the rewriting; clean answers stay."""
    texts, y = reviews(300)
    test, truth = reviews(60, seed=1)
    spelling = Canonical.fitted(texts, synonyms())
    hard = spelling.around(model([spelling(text) for text in texts], y))
    proposal = WordSearch(200).perturb(hard, BOUND, test, truth)
    assert (hard.labels(test) == truth).mean() > 0.95
    assert judge_texts(hard, BOUND, test, truth, proposal, 0).value < 0.1


def test_one_spelling_undoes_what_the_bound_allows():
    """Synonyms, slips and look-alikes of known words read the same; strange words stay what they are."""
    spelling = Canonical.fitted(["The terrible room was slow"] * 2, synonyms())
    assert len({spelling(text) for text in ("terrible", "Terrible", "awful", "terible", "tеrrible", "awfull")}) == 1
    assert spelling("Zanzibar 42!") == "zanzibar 42!"
