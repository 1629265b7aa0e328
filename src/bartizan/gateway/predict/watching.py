"""The watch for query attacks on every model that has a profile: it looks at a request before the model is asked.

A look takes well under a millisecond an example; between a few of them other requests get their turn.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bartizan.core.errors import BadSettings
from bartizan.core.findings import Finding, Severity
from bartizan.core.sections.predict import LADDER, Predict
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.profile import Profile
from bartizan.gateway.predict.releases import noise_key
from bartizan.gateway.predict.suspicion import Suspicion, Suspicions
from bartizan.gateway.predict.tensors import Array
from bartizan.policy.release import Release

_AT_ONCE = 4
"""Examples looked at before other requests get their turn: about 2 ms."""
_MILDEST_FIRST = (None, "record", "labels", "noise", "block", "suspend")
NOTHING = Suspicion()


@dataclass
class QueryWatch:
    """The watch on all models; those without a profile are not watched."""

    models: Mapping[str, Suspicions]
    noise: Mapping[str, Release] = field(default_factory=dict)
    """What the answer `noise` does to the scores of each model."""
    alerts: Alerts = field(default_factory=Alerts)

    async def look(self, model: str, features: Array, caller: str, now_s: float) -> Suspicion:
        """Return what is thought of a request: of its examples (n, D) the one that is answered most harshly."""
        watched = self.models.get(model)
        worst = NOTHING
        if watched is None:
            return worst
        for number, one in enumerate(features):
            if number and number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            found = watched.see(one, caller, now_s)
            if found.rises:
                self._tell(model, caller, found)
            if _MILDEST_FIRST.index(found.answer) > _MILDEST_FIRST.index(worst.answer):
                worst = found
        return worst

    def release(self, model: str, suspicion: Suspicion, usual: Release | None) -> Release | None:
        """Return how much of an answer leaves, where less does than usual."""
        if suspicion.answer == "labels":
            return Release(labels_only=True)
        if suspicion.answer == "noise" and not (usual and usual.labels_only):
            return self.noise[model]
        return usual

    def _tell(self, model: str, caller: str, found: Suspicion) -> None:
        self.alerts.tell(
            "query-attack",
            {
                "model": model,
                "key": caller,
                "signs": list(found.signs),
                "noticed": found.strikes,
                "answer": found.answer,
                "others": list(found.kin[:20]),
            },
        )


def finding(suspicion: Suspicion) -> Finding:
    """Return what a record says of it."""
    return Finding("query-attack", Severity.HIGH, suspicion.why)


def profiles(settings: Predict) -> dict[str, Profile]:
    """Return the profile of each model that names one. Raises BadArtifact, or BadSettings for one that does not fit."""
    found = {}
    for model in settings.models:
        if not model.profile:
            continue
        profile = found[model.name] = Profile.read(Path(model.profile))
        expected = Contract(model).size
        if profile.size != expected or not expected:
            raise BadSettings(
                f"predict model {model.name}: profile {model.profile}: made for {profile.size} numbers an example, "
                f"expected {expected}",
                hint=f"`bartizan predict calibrate {model.name} --data FILE`",
            )
    return found


def query_watch(settings: Predict, known: Mapping[str, Profile]) -> QueryWatch:
    """Return the watch on models with a profile. Raises BadSettings for the answer `noise` without its secret."""
    steps = settings.answers or LADDER
    noisy = any(step.answer == "noise" for step in steps)
    key = noise_key(settings) if noisy and known else b""
    noise: dict[str, Release] = {}
    models = {}
    for name, profile in known.items():
        models[name] = Suspicions(profile, steps, history=settings.history, forget_s=settings.forget_s)
        if noisy:
            noise[name] = Release(settings.answer_noise, key, profile.centre, profile.spread)
    return QueryWatch(models, noise)
