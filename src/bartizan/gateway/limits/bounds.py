"""The most that a request can use, known before it is sent. A bound, not an estimate: no tokeniser, no guess.

A token of a byte-level vocabulary is at least one byte, so a text never has more tokens than UTF-8 bytes. What a
request only points to (stored conversations, files, server tools) has no bound in itself: it takes the model's whole
context or is refused.
"""

from dataclasses import dataclass
from typing import Any

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Prompt
from bartizan.gateway.limits.prices import Price
from bartizan.gateway.wires.base import Asked, dicts

_PER_REQUEST = 64
_PER_MESSAGE = 16
"""Tokens a chat template adds around a message, beyond the bytes of its JSON."""
_POINTERS = ("previous_response_id", "conversation", "prompt_cache", "container")
_CLIENT_TOOLS = (
    "function",
    "custom",
    "bash",
    "text_editor",
    "computer",
    "memory",
    "local_shell",
    "apply_patch",
    "shell",
)
_IMAGES = frozenset(("image_url", "input_image", "image"))
_FILES = frozenset(("file", "input_file", "document", "container_upload", "item_reference"))
_SOUND = frozenset(("input_audio", "audio", "input_video", "video_url", "video"))


class UnboundedError(BadRequest):
    """Nobody can say beforehand what the request may cost."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a model can take and give when the price book does not say."""

    context_tokens: int
    max_output_tokens: int
    image_tokens: int
    tool_tokens: int


@dataclass(frozen=True, slots=True)
class Bound:
    """The most tokens. `each` is the output limit per choice that must stand in the request; None where none can."""

    input: int
    output: int
    each: int | None
    choices: int = 1
    extra: int = 0
    """Output tokens that the limit does not cover."""

    def money(self, price: Price | None) -> int:
        """Return what the bound costs at most."""
        return price.most(self.input, self.output) if price else 0

    def clamped(self, each: int) -> "Bound":
        """Return the bound with a smaller limit per choice."""
        return Bound(self.input, each * self.choices + self.extra, each, self.choices, self.extra)


def bound(asked: Asked, size: int, model: Size, *, generates: bool, ceiling: int | None, whole_context: bool) -> Bound:
    """Return the bound of a request of `size` bytes. Raises UnboundedError, and BadRequest for absurd numbers.

    `ceiling` is the caller's own output limit. `whole_context` reserves the context for what is only pointed to.
    """
    document = asked.document
    taken = _input(asked, size, model, whole_context=whole_context)
    if not generates:
        return Bound(taken, 0, None)
    _refuse_endless(document)
    choices = _count(document, "n", "best_of") * _prompts(document)
    wanted = _cap(asked.prompt)
    each = min(limit for limit in (wanted, ceiling, model.max_output_tokens) if limit is not None)
    prediction = document.get("prediction")
    extra = len(str(prediction).encode("utf-8", "replace")) if prediction else 0
    return Bound(min(taken, model.context_tokens * _prompts(document)), each * choices + extra, each, choices, extra)


def _input(asked: Asked, size: int, model: Size, *, whole_context: bool) -> int:
    document = asked.document
    why = next((word for word in _POINTERS if document.get(word)), "")
    why = why or ("prompt" if isinstance(document.get("prompt"), dict) else "")
    images, encoded, kinds = _media([document.get(key) for key in ("messages", "input", "system")])
    why = why or next(iter(sorted(kinds)), "")
    if why:
        if not whole_context:
            raise UnboundedError(f"{why}: what this costs is not known beforehand, so it does not fit into any budget")
        return model.context_tokens
    if images and not model.image_tokens:
        raise UnboundedError("images: the price book does not say how many tokens an image of this model takes")
    overhead = _PER_REQUEST + _PER_MESSAGE * len(asked.prompt.messages)
    tools = model.tool_tokens if document.get("tools") or document.get("functions") else 0
    return size - encoded + overhead + tools + images * model.image_tokens


def _refuse_endless(document: dict[str, Any]) -> None:
    """Refuse what bills more than one input or that nobody here will see the end of."""
    if document.get("background") is True:
        raise UnboundedError("background: the answer is billed after this request ends, so it cannot be settled")
    for word in ("mcp_servers", "web_search_options"):
        if document.get(word):
            raise UnboundedError(f"{word}: tools that the provider runs have no bound on what they cost")
    for tool in dicts(document.get("tools")):
        kind = str(tool.get("type", "function"))
        if kind.rstrip("0123456789").rstrip("_") not in _CLIENT_TOOLS and kind not in _CLIENT_TOOLS:
            raise UnboundedError(f"tool {kind[:60]!r}: tools that the provider runs have no bound on what they cost")
    for word in ("audio", "modalities"):
        if document.get(word) not in (None, ["text"]):
            raise UnboundedError(f"{word}: only text answers have a bound")


def _media(node: Any) -> tuple[int, int, set[str]]:
    """Return how many images there are, how many characters encode them, and kinds of parts without a bound."""
    images, encoded, kinds = 0, 0, set()
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack += item
        elif isinstance(item, dict):
            kind = item.get("type")
            if isinstance(kind, str) and kind in _IMAGES:
                images += 1
                encoded += _encoded(item)
            elif isinstance(kind, str) and kind in _FILES | _SOUND:
                kinds.add(kind)
            else:
                stack += [value for value in item.values() if isinstance(value, dict | list)]
    return images, encoded, kinds


def _encoded(part: dict[str, Any]) -> int:
    """Return how many characters of an image part are its data. Only what cannot be text is counted."""
    url = part.get("image_url")
    url = url.get("url") if isinstance(url, dict) else url
    source = part.get("source")
    data = source.get("data") if isinstance(source, dict) and source.get("type") == "base64" else None
    found = url if isinstance(url, str) and url.startswith("data:image/") else data
    return len(found) if isinstance(found, str) and found.isascii() else 0


def _count(document: dict[str, Any], *words: str) -> int:
    found = [document[word] for word in words if document.get(word) is not None]
    for value in found:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1024:
            raise BadRequest(f"n, best_of: expected a number from 1 to 1024, got {str(value)[:20]}")
    return max(found, default=1)


def _prompts(document: dict[str, Any]) -> int:
    given = document.get("prompt")
    return max(len(given), 1) if isinstance(given, list) else 1


def _cap(prompt: Prompt) -> int | None:
    cap = prompt.max_output_tokens
    if cap is not None and cap < 1:
        raise BadRequest(f"output limit = {str(cap)[:20]}: expected 1 or more")
    return cap
