"""How wide a language model is, as one family of an audit's page: the singular values and where they fall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bartizan.lab.auditing.family import Family, Grade
from bartizan.lab.extraction.probabilities import Cost, Limits, TokenApi
from bartizan.lab.extraction.readings import SPARE, Reading

NAME = "hidden width"
_POINTS = 160
"""Points of the drawn curve away from the edge; next to it all are drawn."""
_FLOOR = 1e-9
_PRICED = (768, 2048, 4096, 8192)
CONTROL = (
    "Give keys of the gateway neither log-probabilities nor biases: "
    "bartizan keys create NAME --no-logprobs --no-logit-bias."
)


def as_family(reading: Reading, api: TokenApi, seconds: float) -> Family:
    """Return the finding with its probes, its price and its picture."""
    found, opening, cost = reading.width, reading.opening, _whole(reading, api)
    grade, says = _finding(reading)
    rows: list[tuple[str, ...]] = [("asked", "answer"), *opening.probes]
    if opening.way is not None:
        rows += [
            (f"questions for a width of {size:,}", _price(api.limits, cost, opening.way.tokens, size))
            for size in _PRICED
        ]
    return Family(
        NAME,
        grade,
        says,
        rows=tuple(rows),
        curves={} if found is None else {f"{found.prompts} prompts, {found.tokens} tokens": _curve(found.values)},
        notes=(
            f"{cost.questions:,} questions were sent for this{_of_them(reading, api)}, {_paid(api.limits, cost)}.",
            *((CONTROL,) if grade != "none" else ()),
        ),
        seconds=round(seconds, 1),
        headline=f"{found.dimension:,}" if found is not None and found.dimension else "–",
    )


def as_words(reading: Reading, api: TokenApi) -> dict[str, Any]:
    """Return the reading as plain values."""
    found, opening, cost = reading.width, reading.opening, _whole(reading, api)
    grade, says = _finding(reading)
    return {
        "target": api.base,
        "model": api.model,
        "grade": grade,
        "says": says,
        "width": found.dimension if found is not None and found.dimension else None,
        "fall": None if found is None else found.fall,
        "prompts": 0 if found is None else found.prompts,
        "tokens": 0 if found is None else found.tokens,
        "digits": reading.digits,
        "way": None if opening.way is None else opening.way.name,
        "probes": [list(pair) for pair in opening.probes],
        "questions": cost.questions,
        "questions of this run": api.cost.questions,
        "tokens in": cost.tokens_in,
        "tokens out": cost.tokens_out,
        "dollars": round(cost.dollars(api.limits), 6) if _priced(api.limits) else None,
        "singular values": [] if found is None else [float(f"{value:.4g}") for value in found.values],
    }


def questions_for(size: int, tokens: int) -> int:
    """Return how many questions a width takes where one answer tells `tokens` chosen tokens."""
    prompts = size + SPARE
    return prompts if tokens > prompts else prompts * math.ceil((prompts + SPARE) / max(1, tokens - 1))


def _finding(reading: Reading) -> tuple[Grade, str]:
    found, opening = reading.width, reading.opening
    if opening.way is None:
        return ("little" if "bisects" in opening.says else "none"), opening.says
    if found is not None and found.dimension:
        fall = f"the singular values fall by a factor of {found.fall:,.0f} behind it"
        return "leaks", f"The model is {found.dimension:,} wide: {fall}. {opening.says}"
    if not reading.complete:
        return "not measured", f"The limits ended at a table of {reading.size:,} prompts: it is wider, or hidden."
    if reading.digits is not None:
        told = f"Log-probabilities have {reading.digits} digits after the point, too few for an edge"
        return "little", f"{told} in {reading.size:,} prompts."
    if found is None:
        return "none", "Answers after different prompts have too few tokens in common, whatever was asked."
    return "not measured", f"No edge in a table of {reading.size:,} prompts: it is wider, or its numbers are disturbed."


def _curve(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return (number, value) of enough singular values to draw: all about the edge, some elsewhere."""
    edge = max(range(len(values) - 1), key=lambda at: values[at] / max(values[at + 1], 1e-12))
    step = max(1, len(values) // _POINTS)
    return [
        (at + 1.0, max(value, _FLOOR))
        for at, value in enumerate(values)
        if at % step == 0 or abs(at - edge) <= step or at == len(values) - 1
    ]


def _whole(reading: Reading, api: TokenApi) -> Cost:
    """Return what the reading cost, in this run and in those before it."""
    return reading.before.plus(api.cost)


def _of_them(reading: Reading, api: TokenApi) -> str:
    return f", {api.cost.questions:,} of them in this run" if reading.before.questions else ""


def _priced(limits: Limits) -> bool:
    return bool(limits.input_price or limits.output_price)


def _paid(limits: Limits, cost: Cost) -> str:
    tokens = f"{cost.tokens_in:,} tokens in and {cost.tokens_out:,} out"
    return f"{tokens}, {cost.dollars(limits):,.4f} dollars" if _priced(limits) else f"{tokens}; no price was named"


def _price(limits: Limits, cost: Cost, tokens: int, size: int) -> str:
    count = questions_for(size, tokens)
    each = cost.dollars(limits) / max(1, cost.questions)
    return f"{count:,}" + (f", about {count * each:,.4f} dollars" if _priced(limits) else "")
