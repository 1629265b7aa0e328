"""Cutting spans out of texts and token lists out of answers: what stands where something was taken away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters of a channel that are cut out."""

    start: int
    end: int


def edited(text: str, offset: int, edits: Sequence[Edit]) -> str:
    """Return the piece of a channel that starts at `offset` without `edits`; the mark stands where an edit starts."""
    out, position = "", offset
    end_of_piece = offset + len(text)
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.end <= position:
            continue
        start = max(edit.start, position)
        out += text[position - offset : start - offset]
        if edit.start >= offset and start == edit.start:
            out += REDACTED
        position = min(edit.end, end_of_piece)
    return out + text[position - offset :]


def without_logprobs(document: Any) -> None:
    """Take token lists out of an answer that was redacted: they would spell out what was taken away."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "logprobs" and value:
                document[key] = None
            else:
                without_logprobs(value)
    elif isinstance(document, list):
        for value in document:
            without_logprobs(value)
