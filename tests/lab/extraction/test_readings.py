"""The width is read exactly through every opening, not from coarse numbers, within limits, and paid for once."""

import numpy as np
import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.lab.extraction import probabilities
from bartizan.lab.extraction.probabilities import Cost, Limits, TokenApi, probe
from bartizan.lab.extraction.readings import Plan, digits_of, prompt_of, read_width
from bartizan.lab.language_model import LanguageModel, served

WIDTH = 10


def read(model, plan=None, requests=5000):
    """Probe and read."""
    with served(model) as url:
        api = TokenApi(url, "wide", Limits(requests))
        try:
            return read_width(api, probe(api), plan or Plan(smallest=13, widest=24, jobs=2)), api
        finally:
            api.close()


@pytest.mark.parametrize(
    "model",
    [
        LanguageModel(WIDTH, most=300),
        LanguageModel(WIDTH, most=20),
        LanguageModel(WIDTH, most=20, chat_only=True),
        LanguageModel(WIDTH, most=5, digits=5),
        LanguageModel(8, most=5, bias="chooses"),
        LanguageModel(WIDTH, most=300_000, bias="ignored"),
    ],
)
def test_the_width_is_read_exactly(model):
    """From answers that tell many tokens, few, one, or all."""
    found, _ = read(model)
    assert found.width.dimension == model.hidden
    assert found.complete


def test_a_closed_api_is_not_asked_further():
    """No table, no width."""
    found, api = read(LanguageModel(WIDTH, most=0, bias="ignored"))
    assert found.width is None
    assert api.budget.spent < 10


def test_coarse_numbers_hide_it_and_are_named():
    """One digit: no edge up to the widest; the reading says how coarse they are."""
    found, _ = read(LanguageModel(WIDTH, most=300, digits=0))
    assert found.width.dimension == 0
    assert (found.digits, found.complete) == (0, True)


def test_the_limit_of_requests_ends_it():
    """A width that was not reached is none."""
    found, api = read(LanguageModel(WIDTH, most=5), requests=60)
    assert found.width is None or found.width.dimension == 0
    assert not found.complete
    assert api.budget.spent == 60


def test_what_was_answered_is_not_asked_again(tmp_path):
    """The second run only probes; a line that was cut short is asked again."""
    model = LanguageModel(WIDTH, most=300)
    plan = Plan(smallest=13, widest=24, jobs=2, kept=tmp_path / "kept.jsonl")
    first, _ = read(model, plan)
    lines = plan.kept.read_text().splitlines()
    plan.kept.write_text("\n".join([*lines[:-1], lines[-1][:9]]) + "\n")
    before = len(model.asked)
    again, _ = read(model, plan)
    assert again.width == first.width
    assert len(model.asked) - before < 10
    assert (first.before, again.before.questions) == (Cost(), before)


def test_a_run_that_was_killed_is_counted_to_its_last_batch(tmp_path):
    """What cannot be read, of answers or of costs, is left out."""
    kept = tmp_path / "kept.jsonl"
    plan = Plan(smallest=70, widest=24, jobs=2, kept=kept)
    read(LanguageModel(WIDTH, most=300), plan)
    lines = kept.read_text().splitlines()
    assert sum("questions" in line for line in lines) == 3  # 64 prompts with the probes, 6 more, nothing at the end
    kept.write_text("\n".join([*lines[:65], '{"questions": "x"}', '{"other": 1}', "[1]"]) + "\n")
    again, api = read(LanguageModel(WIDTH, most=300), plan)
    assert again.before.questions == 64 + api.budget.spent - 6
    assert again.before.plus(api.cost).questions == 70 + 2 * (api.budget.spent - 6)


def test_a_server_that_fails_is_an_error_that_says_how_to_go_on(monkeypatch):
    """What was answered is kept."""
    monkeypatch.setattr(probabilities, "_WAITS_S", ())
    model = LanguageModel(WIDTH, most=300)
    with served(model) as url:
        api = TokenApi(url, "wide", Limits(5000))
        opening = probe(api)
        model.busy = 10
        with pytest.raises(UpstreamFailed, match="slow down"):
            read_width(api, opening, Plan(smallest=13))
        api.close()


def test_digits_are_counted():
    """Not those that are not there."""
    assert digits_of(np.array([[1.25, -3.5]])) == 2
    assert digits_of(np.array([[1.0, -3.0]])) == 0
    assert digits_of(np.random.default_rng(1).normal(size=(4, 4))) is None
    assert digits_of(np.zeros((0, 0))) is None


def test_prompts_differ():
    """By row and by seed."""
    assert len({prompt_of(row, seed) for row in range(50) for seed in (1, 2)}) == 100
