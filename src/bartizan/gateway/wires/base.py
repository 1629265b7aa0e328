"""What a dialect must be able to do: read a copy of a request, and say no in its own words.

A wire never changes allowed traffic: what it parses is a copy, and what is forwarded is the bytes that came.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

from bartizan.core.messages import Prompt

REFUSAL = "I'm sorry, but I can't help with that."
"""What a blocked client reads. Worded so that people, SDKs and outside red-team tools recognise a refusal."""

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as understood: the prompt in our words, and the dialect's own document for what only it knows."""

    prompt: Prompt
    document: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """A complete answer of ours: status, content type and body."""

    status: int
    content_type: bytes
    body: bytes


class Wire(Protocol):
    """One dialect. `paths` are the POST routes it takes."""

    name: str
    paths: tuple[str, ...]

    def parse(self, body: bytes) -> Asked:
        """Return what the body asks. Raises BadRequest when it cannot be understood without doubt."""
        ...

    def refuse(self, asked: Asked, text: str) -> Said:
        """Return a refusal in the dialect's own successful form, as a stream when a stream was asked for."""
        ...

    def error(self, status: int, code: str, message: str) -> Said:
        """Return an error in the dialect's own form. `code` is a stable word such as `invalid_api_key`."""
        ...


def new_id(prefix: str) -> str:
    """Return an unguessable id in the style of the dialects."""
    return prefix + uuid.uuid4().hex
