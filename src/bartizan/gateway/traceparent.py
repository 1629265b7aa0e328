"""A request's place in a distributed trace: what a client's `traceparent` says, and what the model server is told.

Follows W3C Trace Context. What cannot be read without doubt begins a new trace, and then a `tracestate` is not handed
on either. Only used where spans are sent: otherwise both headers pass through like any other.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.gateway.auth import Headers

PARENT, STATE = b"traceparent", b"tracestate"
_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Place:
    """The trace, our own span in it, and the span that called us (empty when nobody did)."""

    trace_id: str
    span_id: str
    parent_id: str
    sampled: bool

    @property
    def header(self) -> bytes:
        """Return the `traceparent` for whom we call."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}".encode()

    def told(self, headers: Headers) -> Headers:
        """Return the headers with our span as the parent."""
        dropped = (PARENT,) if self.parent_id else (PARENT, STATE)
        return [*(pair for pair in headers if pair[0] not in dropped), (PARENT, self.header)]


class Tracing:
    """Gives requests their places."""

    def __init__(self, sample: float, *, join: bool) -> None:
        """Sample this share of the traces that begin here; `join` continues those that clients name."""
        self._sampled_below = round(sample * 2**64)
        self._join = join

    def begin(self, headers: Sequence[tuple[bytes, bytes]]) -> Place:
        """Return the place of a request with these headers."""
        found = parent(headers) if self._join else None
        if found is not None:
            return Place(found[0], secrets.token_hex(8), found[1], found[2])
        trace_id = secrets.token_hex(16)
        return Place(trace_id, secrets.token_hex(8), "", int(trace_id[16:], 16) < self._sampled_below)


def parent(headers: Sequence[tuple[bytes, bytes]]) -> tuple[str, str, bool] | None:
    """Return trace, span and whether it is sampled, as the one valid `traceparent` says; None without one."""
    named = [value.strip() for name, value in headers if name == PARENT]
    found = _FORM.fullmatch(named[0]) if len(named) == 1 else None
    if found is None or found[1] == b"ff" or (found[1] == b"00" and found[5]):
        return None
    trace_id, span_id = found[2].decode(), found[3].decode()
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return trace_id, span_id, bool(int(found[4], 16) & _SAMPLED)
