"""Fingerprints as pages that need nothing else: what is found of copies, what breaks it, the points, the verdict.

The page of `make` shows points of the fingerprint: it is as secret as the file. That of `check` shows none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bartizan.lab.evasion.pictures import picture
from bartizan.lab.ownership.fingerprint import Fingerprint, Rank, fitting
from bartizan.lab.pages import page
from bartizan.lab.target import Array

SHOWN = 24
"""Points that are drawn: those at which the models differ most."""
PLAIN = "labels of own records"
"""The way of a thief who hides nothing."""
_WIDTH, _HEIGHT, _EDGE = 640, 110, 30


def plain_copies(trials: Sequence[Mapping[str, Any]]) -> str:
    """Return how many plain copies are found, by questions, and what breaks it; nothing without trials.

    What breaks it is said relative to the plain copies of most questions: of a copy that is not found in plain either,
    nothing has to be hidden.
    """
    if not trials:
        return ""
    plain = [one for one in trials if one["way"] == PLAIN]
    counts = [f"{hits(one)} with {one['questions']:,} labels" for one in plain]
    said = f"Plain copies found: {', '.join(counts)}."
    most = max(plain, key=lambda one: one["questions"])
    if weak(most):
        return (
            f"{said} WARNING: too few for a fingerprint, for those thieves hid nothing; so what hides a copy cannot be "
            "told. Before you publish: train for more passes (--epochs 30), give each model its own draw of the "
            "records (--share 0.8), or try thieves that ask more (--questions)."
        )
    broken = [
        f"{one['way'].removeprefix(f'{PLAIN}, then ')} ({hits(one)})"
        for one in trials
        if one["way"] != PLAIN and 2 * one["found"]["value"] <= most["found"]["value"]
    ]
    against = f"Of {hits(most)} found in plain, at least half are lost by: {'; '.join(broken)}."
    return f"{said} " + (against if broken else "Nothing that was tried hides half of them.")


def weak(plain: Mapping[str, Any]) -> bool:
    """Return whether fewer than half of the plain copies of a trial are found."""
    return bool(plain["found"]["value"] < 0.5)


def hits(one: Mapping[str, Any]) -> str:
    """Return how many copies of a trial are found, as `3 of 4`."""
    return f"{_hits(one)} of {one['found']['n']}"


def _hits(one: Mapping[str, Any]) -> int:
    found: int = round(one["found"]["value"] * one["found"]["n"])
    return found


def made_page(words: Mapping[str, Any], points: Array, labels: Array) -> str:
    """Return the page of a fingerprint that was made: `points` (q, …) and what each model says of them (models, q)."""
    low, high = float(points.min()), float(points.max())
    shown = [(picture(x, low, high), votes(labels[:, at])) for at, x in enumerate(points[:SHOWN])]
    return _page(
        title="A fingerprint",
        about="Secret: this page shows points of the fingerprint. Keep it like the file.",
        mark="",
        headline=f"1 of {words['models']} models is ours, {words['questions']} questions to a suspect",
        says=f"Commitment, to publish with its date: {words['commitment']}",
        pictures=[one for one in shown if one[0]],
        trials=words["trials"],
        notes=(
            f"The models label {words['inputs that models label differently']:.1%} of the inputs differently; "
            f"each was trained on {words['share of records']:.0%} of the records.",
            *words["notes"],
        ),
    )


def checked_page(
    words: Mapping[str, Any], fingerprint: Fingerprint, answers: Array, trials: Sequence[Mapping[str, Any]]
) -> str:
    """Return the page of a check: the verdict, where ours stands among all, and what `make` found of copies."""
    rank = Rank(**{name: words[name] for name in Rank.__dataclass_fields__})
    found = bool(words["found"])
    return _page(
        title=f"Was {words['suspect']} made from our model?",
        about=f"{rank.asked} questions, labels alone. SHA-256 of the fingerprint: {words['commitment']}.",
        mark="bad" if found else "good",
        headline=f"{'Found' if found else 'Not found'}: p = {rank.p:.2g}",
        says=f"{words['says']}. {rank}.",
        strip=strip(fingerprint, answers),
        trials=trials,
        notes=(
            f"p is at least {rank.exact:.2g}: so likely does whoever knows nothing of the draw rank ours as high "
            "(1 in as many as there are models, at best). And at least the share of innocents that ours fits as well.",
            "Not innocent in this sense is who trains by the same procedure with our own seed on our own records. "
            "Not found is no proof of innocence.",
        ),
    )


def votes(labels: Array) -> str:
    """Return how models (models,) label a point, as `3: 21, 8: 19`."""
    told, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:3]
    return ", ".join(f"{told[at]}: {counts[at]}" for at in order)


def strip(fingerprint: Fingerprint, answers: Array) -> str:
    """Return an SVG of what the answers (q,) say for each model, ours marked, and of what innocents said for ours."""
    fits = fitting(fingerprint.evidence, answers)
    spread = float(fits.std()) or 1.0
    values = (fits - fits.mean()) / spread
    ends = np.concatenate([values, fingerprint.usual])
    low, high = float(np.floor(ends.min())), float(np.ceil(ends.max()))

    def at(value: float) -> float:
        return _EDGE + (value - low) / max(high - low, 1e-9) * (_WIDTH - 2 * _EDGE)

    parts = []
    for tick in range(int(low), int(high) + 1):
        parts.append(f'<line class="grid" x1="{at(tick):.1f}" x2="{at(tick):.1f}" y1="14" y2="{_HEIGHT - 20}"/>')
        parts.append(f'<text x="{at(tick):.1f}" y="{_HEIGHT - 4}" text-anchor="middle">{tick}</text>')
    parts += [f'<circle class="innocent" cx="{at(float(one)):.1f}" cy="70" r="4"/>' for one in fingerprint.usual]
    parts += [
        f'<circle class="other" cx="{at(float(one)):.1f}" cy="40" r="5"/>'
        for number, one in enumerate(values)
        if number != fingerprint.ours
    ]
    ours = at(float(values[fingerprint.ours]))
    parts.append(f'<circle class="ours" cx="{ours:.1f}" cy="40" r="7"/>')
    parts.append(f'<text class="key" x="{ours:.1f}" y="24" text-anchor="middle">ours</text>')
    parts.append(f'<text x="{_EDGE}" y="24">this suspect, by model</text>')
    if len(fingerprint.usual):
        parts.append(f'<text x="{_EDGE}" y="60">innocent models, for ours</text>')
    said = "fit of the answers by model"
    return f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'


def _page(*, trials: Sequence[Mapping[str, Any]], strip: str = "", pictures: Sequence[Any] = (), **words: Any) -> str:
    rows = [{**one["found"], **one, "hits": _hits(one)} for one in trials]
    shown = {"strip": strip, "pictures": pictures, "trials": rows, "plain": plain_copies(trials)}
    return page("bartizan.lab.ownership", "page.html", **shown, **words)
