"""Every opening of an API is found, in both dialects, and a closed API is said to be closed, with why."""

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.lab.chat import Failed
from bartizan.lab.extraction import probabilities
from bartizan.lab.extraction.probabilities import Limits, TokenApi, chosen_ids, probe, said
from bartizan.lab.language_model import LanguageModel, served


def opened(model, **more):
    """Return what the probes find at a model, and the API as it stands after them."""
    with served(model) as url:
        api = TokenApi(url, "wide", Limits(100, **more), api_key=model.key)
        found = probe(api)
        api.close()
    return found, api


@pytest.mark.parametrize(
    ("model", "way", "tokens"),
    [
        (LanguageModel(8, most=20), "a bias that shows", 20),
        (LanguageModel(8, most=5, chat_only=True), "a bias that shows", 5),
        (LanguageModel(8, most=300, bias="after sampling"), "a bias that shows", 300),
        (LanguageModel(8, most=5, bias="chooses"), "a token that a bias chooses", 1),
        (LanguageModel(8, most=5, bias="chooses", chat_only=True), "a token that a bias chooses", 1),
        (LanguageModel(8, most=300_000, bias="ignored"), "all log-probabilities", 31_000),
    ],
)
def test_an_opening_is_found_with_what_it_yields(model, way, tokens):
    """The way in, and how many tokens an answer tells through it."""
    found, api = opened(model)
    assert found.way is not None
    assert way in found.way.name
    assert found.way.tokens == tokens
    assert api.chat is model.chat_only


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (LanguageModel(8, most=5, bias="ignored"), "Only the likeliest 5"),
        (LanguageModel(8, most=0, bias="ignored"), "No log-probabilities leave: nothing to read a width from."),
        (LanguageModel(8, most=-1, bias="ignored"), "No log-probabilities leave: nothing to read a width from."),
        (LanguageModel(8, most=0, bias="chooses"), "who bisects it"),
    ],
)
def test_a_closed_api_is_said_to_be_closed(model, why):
    """No way in; a bias that still chooses the answer is told, because it leaks to the patient."""
    found, _ = opened(model)
    assert found.way is None
    assert why in found.says
    assert len(found.probes) >= 2


def test_a_server_that_refuses_everything_is_no_closed_api():
    """A wrong key is an error, and says what to look at."""
    model = LanguageModel(8, key="right")
    with served(model) as url:
        api = TokenApi(url, "wide", Limits(100), api_key="wrong")
        with pytest.raises(UpstreamFailed, match="no such key"):
            probe(api)
        api.close()


def test_a_busy_server_is_asked_again_and_every_request_is_counted(monkeypatch):
    """Two are turned away, the third is answered; the limit stops the fourth; prices are by tokens."""
    monkeypatch.setattr(probabilities, "_WAITS_S", (0.0, 0.0, 0.0))
    with served(LanguageModel(8, busy=2)) as url:
        api = TokenApi(url, "wide", Limits(3, input_price=1e6, output_price=2e6, dollars=9.0))
        assert not isinstance(api.ask("x", 5), Failed)
        assert (api.cost.questions, api.cost.dollars(api.limits)) == (3, 5.0)
        assert not api.left()
        assert isinstance(api.ask("x"), Failed)
        api.close()


def test_answers_of_llama_cpp_are_read():
    """Its own form: numbers of tokens, and probabilities after sampling; half a letter comes without any."""
    entries = [{"id": 7, "token": "a", "bytes": [97], "prob": 0.75}, {"id": 9, "token": "b", "bytes": [98], "prob": 0}]
    first = {"id": 7, "token": "a", "prob": 0.75, "top_probs": entries}
    got = said({"choices": [{"text": "a", "logprobs": {"content": [first]}}]})
    assert got.shown["7"] == pytest.approx(-0.28768, abs=1e-5)
    assert got.shown["9"] < -600
    assert said({"choices": [{"text": "", "logprobs": None}]}).shown == {}
    with pytest.raises(KeyError):
        said({"error": "x"})


def test_tokens_differ_and_stay_the_same_for_a_seed():
    """None twice."""
    assert len(set(chosen_ids(500, 1))) == 500
    assert chosen_ids(5, 1) == chosen_ids(500, 1)[:5] != chosen_ids(5, 2)
