"""How wide the reference model is inside, read from probabilities that an API gives of tokens that the asker biases.

`make bench-width` (needs the reference model, as `make run` installs it). Carlini et al. 2024, section 5: a bias lifts
chosen tokens above all others, so that their probabilities come back whatever the prompt was; the bias is the same for
all, and falls out when rows are centred. llama.cpp's own route (`/completion`, `post_sampling_probs`) works so, and its
OpenAI routes take the same word (`bartizan lab width`). Random prompts of three tokens, random tokens. The width stands
in the model's file: the answer is checked against it. Then the same numbers with four, three and two digits, and a
table that is too small. About a minute of CPU.
"""

import json
import platform
import time
import urllib.request
from pathlib import Path

import numpy as np

from bartizan import __version__
from bartizan.lab.extraction.projection import width
from bartizan.lab.reference import MODEL, running

SEED, PROMPTS, TOKENS, BIAS, WIDTH = 20261129, 640, 640, 60.0, 576
RESULT = Path(__file__).parent / "results" / "width.json"


def asked(url, prompt, tokens):
    """Return log-probabilities of `tokens` (TOKENS,) after a prompt of token numbers, all of them biased alike."""
    body = {"prompt": prompt, "n_predict": 1, "n_probs": len(tokens), "post_sampling_probs": True, "temperature": 1.0,
            "samplers": ["temperature"], "logit_bias": [[token, BIAS] for token in tokens]}  # fmt: skip
    request = urllib.request.Request(
        url + "/completion", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        said = json.loads(answer.read()).get("completion_probabilities")
    chance = {one["id"]: one["prob"] for one in said[0]["top_probs"]} if said else {}
    return np.log([chance.get(token, 0.0) or np.nan for token in tokens])


def main():
    """Ask, read the width, and again from coarser numbers and fewer prompts."""
    draw = np.random.default_rng(SEED)
    tokens = draw.choice(np.arange(1000, 48000), TOKENS, replace=False).tolist()
    prompts = draw.integers(1000, 48000, (PROMPTS, 3)).tolist()
    begun = time.monotonic()
    with running(600) as url:
        table = np.stack([asked(url, prompt, tokens) for prompt in prompts])
    table = table[np.isfinite(table).any(axis=1)]  # a token that is half a letter is held back, with its probabilities
    table = table[:, np.isfinite(table).all(axis=0)]
    found = {"all": width(table), f"{WIDTH - 100} prompts": width(table[: WIDTH - 100])}
    found |= {f"{digits} digits after the point": width(np.round(table, digits)) for digits in (4, 3, 2, 1)}
    result = {"version": __version__, "python": platform.python_version(), "model": MODEL, "width in its file": WIDTH}
    result |= {name: {"width": one.dimension, "fall": round(one.fall, 1)} for name, one in found.items()}
    result |= {"prompts answered": len(table), "tokens that always had a probability": table.shape[1]}
    result |= {"seconds": round(time.monotonic() - begun)}
    print(json.dumps(result, indent=2))
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
