"""A language model of a known width behind a real completion API on loopback: for proofs, benches and tests.

What its API tells of token probabilities is chosen by its fields. Its head and its hidden states are random, for how
wide a model is does not depend on what it learnt.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import numpy as np

VOCABULARY = 31_000


@dataclass
class LanguageModel:
    """Random hidden states by prompt, times a random head."""

    hidden: int
    most: int = 20
    """The largest number of log-probabilities that may be asked for; 0: none are told, -1: asking is refused."""
    bias: Literal["shows", "chooses", "after sampling", "ignored"] = "shows"
    digits: int | None = None
    chat_only: bool = False
    key: str = ""
    busy: int = 0
    """So many requests are turned away with 429 first."""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Draw the head, (tokens, hidden): logits have a standard deviation of 3."""
        self.head = np.random.default_rng(5).normal(0, 3 / self.hidden**0.5, (VOCABULARY, self.hidden))

    def answer(self, body: dict[str, Any], chat: bool) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer."""
        self.asked.append(body)
        if self.busy:
            self.busy -= 1
            return 429, {"error": {"message": "slow down"}}
        if self.chat_only and not chat:
            return 404, {"error": {"message": "no such path"}}
        words = ("top_logprobs", "n_probs") if chat else ("logprobs", "n_probs")  # the second is llama.cpp's
        top = next((int(body[word]) for word in words if body.get(word)), 0)
        if top and (self.most < 0 or (self.most and top > self.most)):
            return 400, {"error": {"message": f"logprobs must be at most {max(self.most, 0)}"}}
        prompt = body["messages"][0]["content"] if chat else body["prompt"]
        logits = self.head @ np.random.default_rng(zlib.crc32(prompt.encode())).normal(size=self.hidden)
        biased = logits.copy()
        for token, value in body.get("logit_bias", {}).items():
            biased[int(token)] += value
        chosen = int((logits if self.bias == "ignored" else biased).argmax())
        shows = self.bias == "shows" or (self.bias == "after sampling" and body.get("post_sampling_probs"))
        shown = biased if shows else logits
        logprobs = shown - shown.max() - np.log(np.exp(shown - shown.max()).sum())
        logprobs = logprobs if self.digits is None else logprobs.round(self.digits)
        text = {"text": f"t{chosen}"} if not chat else {"message": {"role": "assistant", "content": f"t{chosen}"}}
        told = self._told(logprobs, chosen, top, chat) if top and self.most else None
        usage = {"prompt_tokens": 3, "completion_tokens": 1}
        return 200, {"choices": [{"index": 0, **text, "logprobs": told}], "usage": usage}

    def _told(self, logprobs: np.ndarray, chosen: int, top: int, chat: bool) -> dict[str, Any]:
        top = min(top, VOCABULARY)
        likeliest = np.argpartition(-logprobs, top - 1)[:top]
        if chat:
            entries = [{"token": f"t{token}", "bytes": None, "logprob": logprobs[token]} for token in likeliest]
            own = {"token": f"t{chosen}", "bytes": None, "logprob": logprobs[chosen], "top_logprobs": entries}
            return {"content": [own]}
        shown = {f"t{token}": logprobs[token] for token in likeliest}
        return {"tokens": [f"t{chosen}"], "token_logprobs": [logprobs[chosen]], "top_logprobs": [shown]}


@contextmanager
def served(model: LanguageModel) -> Iterator[str]:
    """Serve the model and yield its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """List the model."""
            self._say(200, {"data": [{"id": "wide"}]})

        def do_POST(self) -> None:
            """Answer a completion or a chat."""
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if model.key and self.headers["authorization"] != f"Bearer {model.key}":
                return self._say(401, {"error": {"message": "no such key"}})
            return self._say(*model.answer(body, "chat" in self.path))

        def _say(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write no line for each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
