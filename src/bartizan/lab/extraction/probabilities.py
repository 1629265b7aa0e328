"""What a language model's API tells of token probabilities, asked step by step: how many, and whether a bias shows.

OpenAI's Completions and Chat Completions and what imitates them. Three openings are known, cheapest first: a bias shows
in the log-probabilities, so that chosen tokens come back whatever the prompt was (Carlini et al. 2024, section 5); the
whole vocabulary comes back; or a bias chooses the token and the log-probability of the chosen one comes without it, one
token an answer (llama.cpp, vLLM). Not asked: a bias without any probability, by which a patient asker can bisect.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from bartizan.core.errors import UpstreamFailed
from bartizan.lab.chat import Failed, RequestBudget

BIAS = 60.0
"""Lifts a token above all others: logits of language models lie within some thirty of each other."""
IDS = (1000, 31_000)
"""Token numbers that nearly every vocabulary has, without its bytes and marks at the beginning."""
COUNTS = (1000, 300, 100, 20, 5)
"""How many probabilities are asked for; the first that the API allows is taken."""
EVERY = 300_000
"""More tokens than any vocabulary has."""
WHOLE = 2000
"""From as many tokens on, fewer than were asked for are a vocabulary."""
SPENT = -1
"""The status of a question that the limit of requests did not allow."""
_AFTER_SAMPLING = {"post_sampling_probs": True, "samplers": ["temperature"]}
"""llama.cpp's word for probabilities that show the bias; other servers ignore it or refuse it."""
_WAITS_S = (1.0, 4.0, 16.0)


@dataclass(frozen=True)
class Said:
    """One token of an answer. Keys are token numbers where the API gives them, else the token's text."""

    text: str
    shown: Mapping[str, float]
    """Log-probabilities of the likeliest tokens."""
    own: float | None
    """The log-probability of the token that was chosen."""


@dataclass(frozen=True)
class Limits:
    """How much may be asked, and what it costs: dollars per million tokens, 0 where nobody said."""

    requests: int
    input_price: float = 0.0
    output_price: float = 0.0
    dollars: float = float("inf")


@dataclass(frozen=True)
class Cost:
    """What questions cost: how many were sent, and the tokens that were billed."""

    questions: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def plus(self, other: Cost) -> Cost:
        """Return both together."""
        return Cost(
            self.questions + other.questions, self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out
        )

    def less(self, other: Cost) -> Cost:
        """Return what is beyond the other."""
        return self.plus(Cost(-other.questions, -other.tokens_in, -other.tokens_out))

    def dollars(self, limits: Limits) -> float:
        """Return it in dollars."""
        return (self.tokens_in * limits.input_price + self.tokens_out * limits.output_price) / 1e6


NOTHING = Cost()


@dataclass(frozen=True)
class Way:
    """One opening: what is sent beside a bias, and how many new tokens an answer tells."""

    name: str
    tokens: int
    top: int
    words: Mapping[str, Any] = field(default_factory=dict)
    biased: bool = True


@dataclass(frozen=True)
class Opening:
    """What the probes found: a way in, or none; every probe with its answer, and the finding in a sentence."""

    way: Way | None
    probes: Sequence[tuple[str, str]]
    says: str


class TokenApi:
    """Asks for one token at a time. What the server did not take in is sent again up to three times, all counted."""

    def __init__(self, url: str, model: str, limits: Limits, *, api_key: str = "", timeout_s: float = 120) -> None:
        """Talk to `url` (with or without /v1) as `model`; one that ends in /chat/completions is asked as chat."""
        base = url.rstrip("/")
        self.chat = base.endswith("/chat/completions")
        self.base = base.removesuffix("/chat/completions").removesuffix("/completions").removesuffix("/v1")
        self.model, self.limits, self.tokens_in, self.tokens_out = model, limits, 0, 0
        self.budget = RequestBudget(limits.requests)
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout_s, trust_env=False)
        self._lock = threading.Lock()

    @property
    def cost(self) -> Cost:
        """Return what was spent so far."""
        return Cost(self.budget.spent, self.tokens_in, self.tokens_out)

    def left(self) -> bool:
        """Return whether there is anything left of both limits."""
        return self.budget.spent < self.budget.limit and self.cost.dollars(self.limits) < self.limits.dollars

    def ask(
        self, prompt: str, top: int = 0, ids: Sequence[int] = (), words: Mapping[str, Any] | None = None
    ) -> Said | Failed:
        """Ask for one token after `prompt` with the `top` likeliest beside it, `ids` biased."""
        body = {"model": self.model, "max_tokens": 1, "temperature": 1, **self._asked(prompt, top), **(words or {})}
        if ids:
            body["logit_bias"] = {str(token): BIAS for token in ids}
        for wait in (*_WAITS_S, None):
            got = self._sent(body)
            passing = isinstance(got, Failed) and (got.status in (0, 429) or got.status >= 500) and self.left()
            if not passing or wait is None:
                break
            time.sleep(wait)
        return got

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, prompt: str, top: int) -> dict[str, Any]:
        if self.chat:
            told: dict[str, Any] = {"logprobs": True, "top_logprobs": top} if top else {}
            return {"messages": [{"role": "user", "content": prompt}], **told}
        return {"prompt": prompt, **({"logprobs": top} if top else {})}

    def _sent(self, body: Mapping[str, Any]) -> Said | Failed:
        if not self.budget.take():
            return Failed(f"the limit of {self.budget.limit} requests is spent", SPENT)
        path = f"{self.base}/v1/{'chat/' if self.chat else ''}completions"
        try:
            response = self._client.post(path, json=body)
            if response.status_code != 200:
                return Failed(f"HTTP {response.status_code}: {_reason(response)}", response.status_code)
            document = response.json()
            used = document.get("usage") or {}
            with self._lock:
                self.tokens_in += int(used.get("prompt_tokens") or 0)
                self.tokens_out += int(used.get("completion_tokens") or 0)
            return said(document)
        except httpx.HTTPError as error:
            return Failed(f"{type(error).__name__}: {error}")
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            return Failed(f"an answer that is no completion: {type(error).__name__}: {response.text[:120]}", 200)


def said(document: Mapping[str, Any]) -> Said:
    """Return the first token of an answer, in either dialect. Raises KeyError, TypeError or IndexError for another."""
    choice = document["choices"][0]
    text = str(choice["text"] if "text" in choice else choice["message"].get("content") or "")
    told = choice.get("logprobs") or {}
    if told.get("content"):
        first = told["content"][0]
        entries = first.get("top_logprobs") or first.get("top_probs") or ()
        return Said(text, {_key(one): _log(one) for one in entries}, _log(first))
    shown = (told.get("top_logprobs") or [{}])[0] or {}
    own = (told.get("token_logprobs") or [None])[0]
    return Said(text, {str(token): float(value) for token, value in shown.items()}, None if own is None else float(own))


def probe(api: TokenApi) -> Opening:
    """Find the cheapest opening. Raises UpstreamFailed where the API does not answer a plain question."""
    plain = _plain(api)
    probes = [("a plain question", f"answered, through {'chat' if api.chat else 'completions'}")]
    top, bare, why = _most(api)
    if bare is None:
        probes.append(("log-probabilities", why))
        chosen = api.ask("probe", ids=chosen_ids(1, 0), words={"temperature": 0})
        heeded = isinstance(chosen, Said) and chosen.text != plain.text
        ignored = chosen.why if isinstance(chosen, Failed) else "ignored"
        probes.append(("logit_bias", "honoured: it chooses the answer" if heeded else ignored))
        rest = " A bias still chooses the answer: who bisects it, some 16 questions a number, may learn the same."
        return Opening(None, probes, "No log-probabilities leave: nothing to read a width from." + rest * heeded)
    probes.append(("log-probabilities", f"{len(bare.shown)} tokens an answer, {top} asked for"))
    for name, words in (("logit_bias", {}), ("logit_bias, after sampling", _AFTER_SAMPLING)):
        got, count, why = _biased(api, top, words)
        if got is not None and got.shown and len(set(got.shown) - set(bare.shown)) >= 0.8 * len(got.shown):
            probes.append((name, f"shows in the log-probabilities, {len(got.shown)} tokens an answer"))
            way = Way("a bias that shows in the log-probabilities", min(count, len(got.shown)), count, words)
            return Opening(way, probes, "A bias shows in the log-probabilities: any token's can be asked for.")
        probes.append((name, why or "does not show in the log-probabilities"))
    if len(bare.shown) >= COUNTS[0] and (whole := _whole(api)) is not None:
        probes.append(("all log-probabilities", f"{whole.tokens} tokens an answer"))
        return Opening(whole, probes, "The log-probabilities of the whole vocabulary are told.")
    forced = api.ask("probe", 1, chosen_ids(1, 0), {"temperature": 0})
    if isinstance(forced, Said) and forced.own is not None and forced.text != plain.text and forced.own < -1e-3:
        probes.append(("logit_bias", "chooses the token, whose own log-probability comes without it"))
        way = Way("the log-probability of a token that a bias chooses", 1, 1, {"temperature": 0})
        return Opening(way, probes, "A bias chooses the token and its log-probability is told: one token an answer.")
    return Opening(
        None,
        probes,
        f"Only the likeliest {len(bare.shown)} tokens are told, and no bias decides which: answers after different "
        "prompts have too few tokens in common.",
    )


def _plain(api: TokenApi) -> Said:
    got = api.ask("probe", words={"temperature": 0})
    if isinstance(got, Failed) and got.status in (404, 405) and not api.chat:
        api.chat = True
        got = api.ask("probe", words={"temperature": 0})
    if isinstance(got, Failed):
        raise UpstreamFailed(
            f"{api.base} as {api.model}: {got.why}",
            hint="Is it an OpenAI-compatible server's base URL, and the key in the variable that --api-key-env names?",
        )
    return got


def _most(api: TokenApi) -> tuple[int, Said | None, str]:
    """Return the largest count that is allowed, with its answer, or why there is none."""
    why = "none in the answer"
    for count in COUNTS:
        got = api.ask("probe", count)
        if isinstance(got, Said) and got.shown:
            return count, got, ""
        if isinstance(got, Said):
            return 0, None, why
        why = got.why
        if got.status in (401, 403):
            break
    return 0, None, why


def _biased(api: TokenApi, top: int, words: Mapping[str, Any]) -> tuple[Said | None, int, str]:
    """Return the answer to as many biased tokens as the API takes, up to `top`, and how many, or why there is none."""
    why = ""
    for count in (size for size in COUNTS if size <= top):
        for prompt in ("probe", "again"):  # llama.cpp tells nothing where half a letter was chosen
            got = api.ask(prompt, count, chosen_ids(count, 0), words)
            if isinstance(got, Said) and got.shown:
                return got, count, ""
            why = got.why if isinstance(got, Failed) else "no log-probabilities come with it"
            if isinstance(got, Failed) and got.status in (401, 403):  # not this, however little of it
                return None, 0, why
    return None, 0, why


def _whole(api: TokenApi) -> Way | None:
    """Return the opening of an API that tells as many tokens as it is asked for, or nothing."""
    got = api.ask("probe", EVERY)
    if isinstance(got, Said) and WHOLE <= len(got.shown) < EVERY:
        return Way("all log-probabilities at once", len(got.shown), EVERY, biased=False)
    return None


def chosen_ids(count: int, seed: int) -> list[int]:
    """Return `count` different token numbers of `IDS`."""
    draw = np.random.default_rng((seed, 1))
    return [int(token) for token in draw.permutation(np.arange(*IDS))[:count]]


def _key(entry: Mapping[str, Any]) -> str:
    return str(entry["id"] if "id" in entry else bytes(entry["bytes"]).hex() if entry.get("bytes") else entry["token"])


def _log(entry: Mapping[str, Any]) -> float:
    if "logprob" in entry:
        return float(entry["logprob"])
    return float(np.log(max(float(entry["prob"]), 1e-300)))


def _reason(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
        return str(error["message"] if isinstance(error, dict) else error)[:160]
    except (ValueError, KeyError, TypeError):
        return response.text[:160]
