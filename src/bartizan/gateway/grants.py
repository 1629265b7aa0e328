"""What a caller may ask for: routes, models, tools, roles, networks, and how much of the model's inside it may see.

Logits, many choices and long answers are what model extraction and token draining live on: each is a right of its own.
"""

import ipaddress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from bartizan.core.errors import BadRequest
from bartizan.gateway.wires.base import Asked, Dialect, decode, dump

ROLES = ("system", "developer", "user", "assistant", "tool")
_STATE = ("previous_response_id", "conversation", "background", "prompt")
_PROBABILITIES = (
    "logprobs",
    "top_logprobs",
    "n_probs",  # llama.cpp, on OpenAI's routes too
    "prompt_logprobs",  # vLLM
    "return_logprob",  # SGLang
    "top_logprobs_num",
    "token_ids_logprob",
    "logprob_start_len",
)
_BIASES = (
    "logit_bias",
    "allowed_token_ids",  # vLLM
    "logits_processors",
    "custom_logit_processor",  # SGLang
)
_TEMPLATE = ("chat_template", "chat_template_kwargs", "add_generation_prompt", "continue_final_message", "documents")


class Grant(Struct, frozen=True, forbid_unknown_fields=True):
    """The rights of one caller. Names are patterns with `*`; an empty list of networks means any."""

    routes: tuple[str, ...] = ("*",)
    models: tuple[str, ...] = ("*",)
    tools: tuple[str, ...] = ("*",)
    networks: tuple[str, ...] = ()
    roles: tuple[str, ...] = ROLES
    logprobs: bool = True
    logit_bias: bool = True
    stateful: bool = True
    max_choices: int = 128
    max_output_tokens: int | None = None

    def denies(self, asked: Asked, path: str, address: str) -> str:
        """Return why the caller may not ask this, or nothing."""
        prompt, document = asked.prompt, asked.document
        if elsewhere := self.denies_place(path, address):
            return elsewhere
        if not _matches(prompt.model, self.models):
            return f"this key may not use the model {prompt.model[:80]!r}"
        for tool in prompt.tools:
            if not _matches(tool.name, self.tools):
                return f"this key may not offer the tool {tool.name[:80]!r}"
        return self._denies_roles(asked) or self._denies_insight(document)

    def denies_place(self, path: str, address: str) -> str:
        """Return why the caller may not come to this path from this address, or nothing."""
        if not _matches(path, self.routes):
            return f"this key may not use {path}"
        if self.networks and not _inside(address, self.networks):
            return "this key may not be used from this address"
        return ""

    def allows_tool(self, *names: str) -> bool:
        """Return whether the caller may use a tool that has these names."""
        return any(_matches(name, self.tools) for name in names)

    def _denies_roles(self, asked: Asked) -> str:
        if self.roles == ROLES:
            return ""
        for message in asked.prompt.messages:
            if message.role.value not in self.roles:
                return f"this key may not send messages as {message.role.value}"
        if "system" not in self.roles:
            for word in _TEMPLATE:
                if word in asked.document:
                    return f"this key may not set {word}: it rewrites the roles of messages"
        return ""

    def _denies_insight(self, document: dict[str, Any]) -> str:
        if not self.logprobs and (_includes(document) or any(map(_asks, map(document.get, _PROBABILITIES)))):
            return "this key may not ask for token probabilities"
        if not self.logit_bias:
            for word in _BIASES:
                if document.get(word):
                    return f"this key may not set {word}"
        for word in ("n", "best_of"):
            choices = document.get(word)
            if choices is not None and (not isinstance(choices, int) or choices > self.max_choices):
                return f"{word} = {str(choices)[:20]}: this key may ask for at most {self.max_choices}"
        if not self.stateful:
            for word in _STATE:
                if document.get(word):
                    return f"this key may not use {word}: what it points to cannot be screened"
        return ""


EVERYTHING = Grant()


def capped(body: bytes, asked: Asked, keys: tuple[str, ...], ceiling: int | None) -> bytes:
    """Return `body` with its output limit brought down to `ceiling`; the bytes that came when it is low enough.

    A missing limit is written right after the opening brace: the body holds no second key of that name. Raises
    BadRequest for a limit that is no whole number: another reader could take it for a larger one.
    """
    if ceiling is None or not keys:
        return body
    present = [key for key in keys if key in asked.document]
    if not present:
        return _with(body, asked, keys[0], b"%d" % ceiling)
    given = {key: asked.document[key] for key in present if asked.document[key] is not None}
    for key, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadRequest(f"{key} = {str(value)[:20]}: expected a whole number")
    if given and all(value <= ceiling for value in given.values()):
        return body
    lowered = {key: min(value, ceiling) for key, value in given.items()} or {present[0]: ceiling}
    return dump({**asked.document, **lowered})


def usage_wanted(asked: Asked, body: bytes, wire: Dialect) -> tuple[Asked, bytes]:
    """Return a streamed request that asks for the usage too; what the client did not ask for is hidden from it."""
    options = asked.document.get("stream_options")
    if not asked.prompt.stream or not wire.usage_on_request:
        return asked, body
    if isinstance(options, dict) and options.get("include_usage") is True:
        return asked, body
    if "stream_options" in asked.document:
        wanted = {**options, "include_usage": True} if isinstance(options, dict) else {"include_usage": True}
        body = dump({**decode(body), "stream_options": wanted})
    else:
        body = _with(body, asked, "stream_options", b'{"include_usage":true}')
    return replace(asked, usage_hidden=True), body


def _with(body: bytes, asked: Asked, key: str, value: bytes) -> bytes:
    """Return `body` with one more key right after the opening brace; all other bytes stay as they came."""
    brace = body.index(b"{") + 1
    return body[:brace] + b'"%b":%b%b' % (key.encode(), value, b"," if asked.document else b"") + body[brace:]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return "*" in patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _inside(address: str, networks: tuple[str, ...]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network) for network in networks)


def _asks(value: Any) -> bool:
    """Return whether a word is set. Zero asks too: Completions with `logprobs: 0` tell the chosen token's own."""
    return value is not None and value is not False


def _includes(document: dict[str, Any]) -> bool:
    included = document.get("include")
    return isinstance(included, list) and any("logprobs" in str(item) for item in included)
