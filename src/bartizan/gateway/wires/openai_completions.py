"""OpenAI's legacy Completions and Embeddings: `POST /v1/completions`, `POST /v1/embeddings`.

Prompts given as token numbers cannot be read and are refused for Completions. Embeddings are not screened: no model
acts on them; they are forwarded, bounded and recorded.
"""

from typing import Any

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Message, Prompt, Role, Text, ToolCall, Trust
from bartizan.gateway.rulings import Rulings
from bartizan.gateway.sse import Event
from bartizan.gateway.wires import strict_json
from bartizan.gateway.wires.base import Asked, Read, Said, decode, dump, expect, new_id
from bartizan.gateway.wires.openai_answers import ChatReader, openai_error, usage_of

_TOP = frozenset(
    ("model", "prompt", "suffix", "stream", "max_tokens", "n", "best_of", "logprobs", "logit_bias", "echo")
)


class OpenAICompletions:
    """The legacy Completions dialect."""

    name = "openai-completions"
    paths: tuple[str, ...] = ("/v1/completions",)
    generates = True
    billed = True
    usage_on_request = True
    cap_keys: tuple[str, ...] = ("max_tokens",)

    def parse(self, body: bytes) -> Asked:
        """Return what the body asks. Raises BadRequest when it cannot be understood without doubt."""
        document = strict_json.loads(body)
        strict_json.refuse_lookalike_keys(document, _TOP, "request body")
        given = document.get("prompt")
        prompts = given if isinstance(given, list) else [given]
        if any(not isinstance(prompt, str) for prompt in prompts):
            raise BadRequest("prompt: expected a string or an array of strings; token numbers cannot be screened")
        texts = [Text(prompt, Trust.USER, f"/prompt/{index}") for index, prompt in enumerate(prompts)]
        if document.get("suffix"):
            texts.append(Text(expect(document["suffix"], str, "suffix"), Trust.USER, "/suffix"))
        cap = document.get("max_tokens")
        prompt = Prompt(
            expect(document.get("model"), str, "model"),
            (Message(Role.USER, tuple(texts)),),
            stream=document.get("stream") is True,
            max_output_tokens=cap if isinstance(cap, int) and not isinstance(cap, bool) else None,
        )
        return Asked(prompt, document)

    def reader(self, asked: Asked) -> ChatReader:
        """Return a reader for the answer."""
        return ChatReader(asked.prompt.model, "text_completion", hide_usage=asked.usage_hidden)

    def refuse(self, asked: Asked, text: str) -> Said:
        """Return the refusal as a completion that ended with `content_filter`."""
        if asked.prompt.stream:
            return Said(200, b"text/event-stream", self.reader(asked).cut(text))
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "content_filter"}
        head = {"id": new_id("cmpl-"), "object": "text_completion", "created": 0, "model": asked.prompt.model}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        return Said(200, b"application/json", dump({**head, "choices": [choice], "usage": usage}))

    def error(self, status: int, code: str, message: str) -> Said:
        """Return `{"error": {...}}` as OpenAI's clients expect it."""
        return openai_error(status, code, message)


class VectorReader:
    """Reads an answer that holds numbers only: nothing in it is text."""

    def __init__(self) -> None:
        """Start with no rulings; there never are any."""
        self.rulings = Rulings()

    def event(self, event: Event) -> Read:
        """Return an event without texts."""
        return Read()

    def whole(self, body: bytes) -> Read:
        """Return the usage."""
        document = decode(body) if len(body) < 65536 else {}
        return Read(document, end=True, usage=usage_of(document.get("usage")) if isinstance(document, dict) else None)

    def call(self, channel: str, arguments: str) -> ToolCall:
        """Return nothing's call: there are none."""
        return ToolCall("", "", arguments)

    def replaceable(self, key: str) -> bool:
        """Return False: there are no calls."""
        return False

    def amend(self, read: Read) -> None:
        """Nothing to amend."""

    def passed(self, read: Read) -> None:
        """Nothing to remember."""

    def cut(self, text: str) -> bytes:
        """Nothing to cut: numbers are not streamed."""
        return b""


class OpenAIEmbeddings:
    """The Embeddings dialect."""

    name = "openai-embeddings"
    paths: tuple[str, ...] = ("/v1/embeddings",)
    generates = False
    billed = True
    usage_on_request = False
    cap_keys: tuple[str, ...] = ()

    def parse(self, body: bytes) -> Asked:
        """Return what the body asks. Raises BadRequest when it cannot be understood without doubt."""
        document = strict_json.loads(body)
        given: Any = document.get("input")
        if not isinstance(given, str | list):
            raise BadRequest("input: expected a string or an array")
        texts = [given] if isinstance(given, str) else [text for text in given if isinstance(text, str)]
        parts = tuple(Text(text, Trust.USER, f"/input/{index}") for index, text in enumerate(texts))
        return Asked(Prompt(expect(document.get("model"), str, "model"), (Message(Role.USER, parts),)), document)

    def reader(self, asked: Asked) -> VectorReader:
        """Return a reader for the answer."""
        return VectorReader()

    def refuse(self, asked: Asked, text: str) -> Said:
        """Return an error: vectors have no form for a refusal."""
        return openai_error(400, "content_filter", text)

    def error(self, status: int, code: str, message: str) -> Said:
        """Return `{"error": {...}}` as OpenAI's clients expect it."""
        return openai_error(status, code, message)
