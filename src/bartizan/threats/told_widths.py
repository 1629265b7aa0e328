"""T05's language models: how wide one is, read from its token probabilities, and not with a key that may not see them.

A model of known width stands on loopback behind `bartizan serve`. The attacker reads it as `bartizan lab width` does,
by both of OpenAI's routes, with a key that may see everything; then with one made with `--no-logprobs
--no-logit-bias`, where he also tries every word by which servers are known to be asked for the same.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from bartizan.core.clock import SystemClock
from bartizan.core.measures import Measurement
from bartizan.core.sections import Settings
from bartizan.gateway.grants import EVERYTHING, Grant
from bartizan.gateway.keys import KeyBook
from bartizan.lab.chat import Failed
from bartizan.lab.extraction.probabilities import Limits, TokenApi, chosen_ids, probe
from bartizan.lab.extraction.readings import Plan, read_width
from bartizan.lab.language_model import LanguageModel, served
from bartizan.threats.stage import gateway

WIDTH = 12
CLOSED = replace(EVERYTHING, logprobs=False, logit_bias=False)
"""What `bartizan keys create NAME --no-logprobs --no-logit-bias` gives."""
ROUTES = ("/completions", "/chat/completions")
WORDS: tuple[dict[str, Any], ...] = (
    {"logprobs": 5},
    {"logprobs": 0},
    {"logprobs": True, "top_logprobs": 5},
    {"top_logprobs": 5},
    {"n_probs": 5},
    {"n_probs": 5, "post_sampling_probs": True},
    {"prompt_logprobs": 5},
    {"return_logprob": True, "top_logprobs_num": 5},
    {"include": ["message.output_text.logprobs"]},
)
"""How OpenAI's, llama.cpp's, vLLM's and SGLang's routes are asked for probabilities."""


@dataclass(frozen=True)
class Told:
    """What the two keys were told."""

    read: Measurement
    """Share of the routes by which the right width is read with a key that may see everything."""
    refused: Measurement
    """Share of the tries with a key that may not by which a width, a probability or a bias came through."""


@cache
def told_widths(seed: int, closed: Grant = CLOSED) -> Told:
    """Read the width through a gateway with either key. Raises UpstreamFailed where none is answered."""
    with _behind(LanguageModel(WIDTH, most=300), closed) as (url, opened, shut):
        read = [_width(url + route, opened, seed) == WIDTH for route in ROUTES]
        through = [_width(url + route, shut, seed) > 0 for route in ROUTES]
        for route in ROUTES:
            through += _words(url + route, shut)
    return Told(_counted(read, seed), _counted(through, seed))


def _width(url: str, key: str, seed: int) -> int:
    api = TokenApi(url, "wide", Limits(1000), api_key=key)
    try:
        reading = read_width(api, probe(api), Plan(widest=4 * WIDTH, jobs=1, seed=seed, smallest=2 * WIDTH))
    finally:
        api.close()
    return reading.width.dimension if reading.width is not None else 0


def _words(url: str, key: str) -> list[bool]:
    """Return of every word, with a bias and without, whether the answer tells a probability or heeds the bias."""
    api = TokenApi(url, "wide", Limits(1000), api_key=key)
    plain = {"temperature": 0}
    try:
        usual = api.ask("word", words=plain)
        found = []
        for words in ({}, *WORDS):
            for ids in ((), chosen_ids(1, 0)):
                got = api.ask("word", ids=ids, words=plain | words)
                told = not isinstance(got, Failed) and (bool(got.shown) or got.own is not None)
                heeded = not isinstance(got, Failed) and not isinstance(usual, Failed) and got.text != usual.text
                found.append(told or heeded)
    finally:
        api.close()
    return found


@contextmanager
def _behind(model: LanguageModel, closed: Grant) -> Iterator[tuple[str, str, str]]:
    """Serve the model behind a gateway; yield the base URL with /v1, a key that may see everything, and another."""
    with tempfile.TemporaryDirectory(prefix="bartizan-t05-") as folder, served(model) as upstream:
        home = Path(folder)
        book = KeyBook(home / "keys.json", SystemClock())
        opened, shut = (
            book.create(name, days=1, grant=one)[1] for name, one in (("open", EVERYTHING), ("shut", closed))
        )
        plain = Settings()
        edge = replace(plain.gateway, keys_file=str(home / "keys.json"), receipt="queued", input_screen="off")
        ledger = replace(plain.ledger, directory=str(home / "ledger"), checkpoint_file=str(home / "checkpoints.txt"))
        with gateway(replace(plain, gateway=edge, ledger=ledger), upstream) as url:
            yield f"{url}/v1", opened, shut


def _counted(hits: list[bool], seed: int) -> Measurement:
    """Return a share of tries that were counted, not sampled."""
    share = sum(hits) / len(hits)
    return Measurement(share, share, share, len(hits), seed, "share", "counted")
