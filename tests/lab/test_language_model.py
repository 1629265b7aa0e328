"""The model answers in both dialects, as much as it is told to, with logits of the rank that it says."""

import httpx
import numpy as np
import pytest

from bartizan.lab.language_model import LanguageModel, served


def test_its_probabilities_have_the_rank_of_its_width():
    """Of the same tokens after more prompts than it is wide, less one number a prompt."""
    model = LanguageModel(3, most=31_000)
    asked = [{"prompt": f"p{row}", "logprobs": 31_000} for row in range(8)]
    told = [model.answer(body, chat=False)[1]["choices"][0]["logprobs"]["top_logprobs"][0] for body in asked]
    table = np.array([[one[f"t{token}"] for token in range(40)] for one in told])
    assert np.linalg.matrix_rank(table - table.mean(axis=1, keepdims=True), tol=1e-6) == 3


@pytest.mark.parametrize(
    ("path", "words"),
    [("completions", {"logprobs": 2}), ("completions", {"n_probs": 2}), ("chat/completions", {"top_logprobs": 2})],
)
def test_it_is_served_and_tells_what_it_is_asked(path, words):
    """Over HTTP; a key, where it has one, is looked at, and more than it tells is refused."""
    asked = {"prompt": "p", "messages": [{"role": "user", "content": "p"}], "logit_bias": {"7": 60}}
    with served(LanguageModel(3, most=2, key="k")) as url:
        assert httpx.post(f"{url}/v1/{path}", json=asked).status_code == 401
        headers = {"authorization": "Bearer k"}
        said = httpx.post(f"{url}/v1/{path}", json=asked | words, headers=headers).json()["choices"][0]
        more = httpx.post(f"{url}/v1/{path}", json=asked | dict.fromkeys(words, 3), headers=headers)
    assert "t7" in str(said)
    assert said["logprobs"]
    assert (more.status_code, "at most 2" in more.text) == (400, True)
