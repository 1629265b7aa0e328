"""What a caller who reached a limit is told, in words and headers that SDKs obey.

A rate or a slot comes back: 429 with Retry-After, and the official SDKs wait and try again. A budget does not: 429
with `x-should-retry: false` and `insufficient_quota`, and they stop. Which account of whom is short stays our secret.
"""

import datetime
from collections.abc import Iterable

from bartizan.gateway.limits.rules import words
from bartizan.gateway.wires.base import Dialect, Headers, Said
from bartizan.ledger.stores.base import Denied, Left

NO_RETRY = (b"x-should-retry", b"false")
UNAVAILABLE_S = 5


def denial(wire: Dialect, denied: Denied) -> tuple[Said, Headers]:
    """Return the answer and the headers for a request that a limit did not admit."""
    if denied.kind == "off":
        what = denied.what.partition(":")[0]
        return wire.error(403, "switched_off", f"The operator has stopped this ({what})."), [NO_RETRY]
    allowed = f" ({_scope(denied)}: {words(denied.limit)})" if denied.limit else ""
    if denied.kind == "budget":
        said = wire.error(429, "insufficient_quota", f"The budget does not allow this request{allowed}.")
        return said, [NO_RETRY]
    if denied.retry_ms is None:
        why = f"The request is larger than its limit can ever allow{allowed}."
        return wire.error(429, "request_too_large_for_limit", why), [NO_RETRY]
    what = "Too many requests at once" if denied.kind == "slots" else "Rate limit reached"
    said = wire.error(429, "rate_limit_exceeded", f"{what}{allowed}. Try again in {denied.retry_ms / 1000:g} s.")
    return said, retry_headers(denied.retry_ms)


def retry_headers(retry_ms: int) -> Headers:
    """Return the headers that say when to try again; whole seconds are rounded up."""
    return [(b"retry-after", b"%d" % -(-retry_ms // 1000)), (b"retry-after-ms", b"%d" % retry_ms)]


def unavailable(wire: Dialect) -> tuple[Said, Headers]:
    """Return the answer while budgets cannot be counted: nothing is spent on trust."""
    said = wire.error(503, "limits_unavailable", "Budgets cannot be checked at the moment.")
    return said, retry_headers(UNAVAILABLE_S * 1000)


def rate_headers(wire: Dialect, lefts: Iterable[Left], now_ns: int) -> Headers:
    """Return the rate-limit headers of the wire's dialect: for requests and for tokens the limit with least left."""
    headers: Headers = []
    tightest: dict[str, Left] = {}
    for left in lefts:
        if left.limit.kind == "rate":
            known = tightest.get(left.limit.unit)
            if known is None or left.left < known.left:
                tightest[left.limit.unit] = left
    for unit, left in tightest.items():
        headers += _anthropic(unit, left, now_ns) if wire.name.startswith("anthropic") else _openai(unit, left)
    return headers


def _openai(unit: str, left: Left) -> Headers:
    what = "requests" if unit == "requests" else "tokens" if unit == "output" else "input-tokens"
    values = (b"%d" % left.limit.cap, b"%d" % left.left, b"%dms" % left.reset_ms)
    return [
        (f"x-ratelimit-{word}-{what}".encode(), value)
        for word, value in zip(("limit", "remaining", "reset"), values, strict=True)
    ]


def _anthropic(unit: str, left: Left, now_ns: int) -> Headers:
    what = "requests" if unit == "requests" else f"{unit}-tokens"
    whole = datetime.datetime.fromtimestamp(now_ns // 1_000_000_000 + -(-left.reset_ms // 1000), datetime.UTC)
    values = (b"%d" % left.limit.cap, b"%d" % left.left, whole.strftime("%Y-%m-%dT%H:%M:%SZ").encode())
    return [
        (f"anthropic-ratelimit-{what}-{word}".encode(), value)
        for word, value in zip(("limit", "remaining", "reset"), values, strict=True)
    ]


def _scope(denied: Denied) -> str:
    """Return the kind of scope that is short, not its name: that may be somebody else's."""
    return denied.what.split("/", 3)[-1].partition(":")[0]
