"""The watch for model extraction: it learns from what was asked and answered, and says how much a caller still gets.

Two measures of each caller: whether its questions are unlike honest ones (`accounts.py`), and how good a copy they
would make (`exposure.py`). A window that is noticed counts against its caller; one of a network, or of
those who have asked too little to be told apart, against all of them, but that costs them no more than scores.
"""

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.findings import Finding, Severity
from bartizan.core.sections.predict import COPYING_LADDER, Answer, Predict, PredictStep
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.predict.accounts import NEWCOMERS, Accounts, Scores
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.exposure import LABELS, Exposure
from bartizan.gateway.predict.ladder import Asked, Strikes, harsher, reached
from bartizan.gateway.predict.model import Prediction
from bartizan.gateway.predict.releases import Honest
from bartizan.gateway.predict.sketch import Sketch, doubt
from bartizan.gateway.predict.tensors import Array
from bartizan.gateway.watch import network_of

_AT_ONCE = 64
"""Examples learnt from before other requests get their turn: a few milliseconds."""
_METERS = 200
"""Callers and networks whose exposure is measured: a quarter of a megabyte each."""
_EXCUSED = 3.0
"""So many times the expected false alarms of a caller's windows do not count."""
_LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95)
"""A caller whose exposure passes one of these is told of."""


Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller gets, and why."""

    answer: Answer | None = None
    why: str = ""

    def finding(self) -> Finding:
        """Return what a record says of it."""
        return Finding("model-copying", Severity.HIGH, f"model copying: {self.why}")


def misinformed(count: int, rows: int) -> Finding:
    """Return what a record says of answers that were not the model's."""
    what = f"{count} of {rows} inputs are unlike honest ones: answered by the key, not by the model"
    return Finding("misinformation", Severity.MEDIUM, what)


class Copies:
    """The watch on one model."""

    def __init__(self, sketch: Sketch, settings: Predict, classes: int) -> None:
        """Answer by `settings.copying` and `settings.exposed`; forget what is older than `settings.forget_s`."""
        self.sketch = sketch
        self._steps: Sequence[PredictStep] = sorted(settings.copying or COPYING_LADDER, key=lambda step: step.after)
        self._exposed = sorted(settings.exposed, key=lambda step: step.at)
        self._classes = classes
        self._accounts = Accounts(sketch)
        self._strikes = Strikes(settings.forget_s)
        self._asked = Asked(settings.forget_s)
        self._rate = float(sketch.facts.get("rate", 0.0))
        self._meters: dict[str, Exposure] = {}  # in the order of the last question
        self.exposures: dict[str, float] = {}
        """How good a copy of each caller and network is, where it is measured."""

    def standing(self, caller: str, network: str, now_s: float) -> Standing:
        """Return what a caller in a network gets."""
        own = self._struck(caller, now_s)
        found = Standing(reached(self._steps, own), f"its questions are unlike honest ones, noticed {own} times")
        for group in {network, NEWCOMERS}:
            if group == NEWCOMERS and self._asked.count(caller, now_s) > 2:
                continue
            strikes = self._strikes.count(("group", group), now_s)
            answer = reached(self._steps, strikes)
            mild: Answer | None = answer if answer in (None, "record") else "labels"
            who = f"network {group}" if group else "callers who asked little"
            found = _harsher(found, mild, f"questions of {who} are unlike honest ones, noticed {strikes} times")
        at = max(self.exposures.get(caller, 0.0), self.exposures.get(network, 0.0))
        for step in self._exposed:
            if at >= step.at:
                found = _harsher(found, step.answer, f"a copy of what it was told agrees in {at:.0%} of cases")
        return found if found.answer else Standing()

    def learn(self, caller: str, network: str, x: Array, said: Prediction, now_s: float) -> list[Told]:
        """Take in questions (n, D) and what the model said of them; return what people must be told."""
        places = self.sketch.place(x)
        rows = self.sketch.unexpected(places, said.labels, doubt(said.scores, len(x)))
        taken = self._accounts.take(caller, network, rows)
        told: list[Told] = []
        for scores in taken.scores:
            told += self._noticed(caller, scores, now_s)
        for near in taken.near:
            if near.past(self.sketch.limits):
                told += self._noticed_near(taken.group, now_s)
        if self._classes <= LABELS:
            for key in {caller, network} - {""}:
                told += self._measured(key, places, said.labels)
        return told

    def _struck(self, caller: str, now_s: float) -> int:
        excused = int(_EXCUSED * self._rate * self._asked.count(caller, now_s))
        return max(0, self._strikes.count(caller, now_s) - excused)

    def _noticed(self, caller: str, scores: Scores, now_s: float) -> list[Told]:
        before = reached(self._steps, self._struck(caller, now_s))
        self._asked.add(caller, now_s)  # counts windows, not questions
        signs = scores.past(self.sketch.limits)
        if not signs:
            return []
        self._strikes.add(caller, now_s)
        answer = reached(self._steps, self._struck(caller, now_s))
        others = list(scores.relatives) if "kin" in signs else []
        return [{"key": caller, "signs": signs, "answer": answer, "others": others}] if answer != before else []

    def _noticed_near(self, group: str, now_s: float) -> list[Told]:
        key = ("group", group)
        before = reached(self._steps, self._strikes.count(key, now_s))
        answer = reached(self._steps, self._strikes.add(key, now_s))
        who = group or "callers who asked little"
        return [{"network": who, "signs": ["near"], "answer": answer}] if answer != before else []

    def _measured(self, key: str, places: Array, labels: Array) -> list[Told]:
        meter = self._meters.pop(key, None) or Exposure(self._classes)
        self._meters[key] = meter
        if len(self._meters) > _METERS:
            oldest = next(iter(self._meters))
            del self._meters[oldest]
            self.exposures.pop(oldest, None)
        if not meter.add(places, labels):
            return []
        before, now = self.exposures.get(key, 0.0), meter.estimate(self.sketch)
        self.exposures[key] = max(before, now)
        passed = [level for level in _LEVELS if before < level <= now]
        return [{"key": key, "exposure": round(now, 3), "questions": meter.count}] if passed else []


@dataclass
class CopyWatch:
    """The watch on all models; those without a sketch are not watched."""

    models: Mapping[str, Copies] = field(default_factory=dict)
    alerts: Alerts = field(default_factory=Alerts)

    def standing(self, model: str, caller: str, address: str, now_s: float) -> Standing:
        """Return what a caller gets before it is asked about."""
        watched = self.models.get(model)
        return watched.standing(caller, _network(address), now_s) if watched else Standing()

    def strange(self, model: str, x: Array, labels: Array) -> Array:
        """Return which inputs (n, D) are by themselves unlike honest ones with these labels (n,) bool."""
        watched = self.models.get(model)
        if watched is None:
            return np.zeros(len(labels), bool)
        sketch = watched.sketch
        return np.asarray(sketch.distance(sketch.place(x), labels) > sketch.strange)

    async def learn(self, model: str, whose: tuple[str, str], x: Array, said: Prediction, now_s: float) -> None:
        """Take in what a caller at an address (`whose`) asked and what the model said of it."""
        watched = self.models.get(model)
        if watched is None:
            return
        caller, network = whose[0], _network(whose[1])
        for start in range(0, len(x), _AT_ONCE):
            if start:
                await asyncio.sleep(0)
            part = slice(start, start + _AT_ONCE)
            some = Prediction(None if said.scores is None else said.scores[part], said.labels[part])
            for told in watched.learn(caller, network, x[part], some, now_s):
                self.alerts.tell("copy-exposure" if "exposure" in told else "model-copying", {"model": model, **told})

    def honest(self) -> dict[str, Honest]:
        """Return centre and spread of each model's honest inputs."""
        return {name: (one.sketch.centre, one.sketch.spread) for name, one in self.models.items()}

    def exposed(self) -> dict[float, int]:
        """Return how many callers and networks could have a copy at least as good as each level."""
        found = np.asarray([value for one in self.models.values() for value in one.exposures.values()])
        return {level: int((found >= level).sum()) for level in _LEVELS}


def _harsher(found: Standing, answer: Answer | None, why: str) -> Standing:
    return found if harsher(found.answer, answer) == found.answer else Standing(answer, why)


def _network(address: str) -> str:
    """Return the network that callers are pooled by. Behind a proxy of ours all callers have one address: none."""
    try:
        return network_of(address) if ipaddress.ip_address(address).is_global else ""
    except ValueError:
        return ""


def copy_watch(settings: Predict) -> CopyWatch:
    """Return the watch on models with a sketch. Raises BadArtifact, or BadSettings for one that does not fit."""
    models = {}
    for model in settings.models:
        if not model.sketch:
            continue
        sketch = Sketch.read(Path(model.sketch))
        Contract(model).check_learnt("sketch", model.sketch, sketch.size, "bartizan predict sketch")
        models[model.name] = Copies(sketch, settings, model.classes)
    return CopyWatch(models)
