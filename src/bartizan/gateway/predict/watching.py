"""The watch for query attacks on every model that has a profile: it looks at a request before the model is asked.

A look takes well under a millisecond an example; between a few of them other requests get their turn.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bartizan.core.findings import Finding, Severity
from bartizan.core.sections.predict import LADDER, Answer, Predict
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.ladder import MILDEST_FIRST
from bartizan.gateway.predict.profile import Profile
from bartizan.gateway.predict.releases import Honest, noise_key
from bartizan.gateway.predict.suspicion import Suspicion, Suspicions
from bartizan.gateway.predict.tensors import Array
from bartizan.policy.release import Release

_AT_ONCE = 4
"""Examples looked at before other requests get their turn: about 2 ms."""
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
            if MILDEST_FIRST.index(found.answer) > MILDEST_FIRST.index(worst.answer):
                worst = found
        return worst

    def release(self, model: str, answer: Answer | None, usual: Release | None) -> Release | None:
        """Return how much leaves when `answer` is what is done, where it is less than usual."""
        if answer == "labels":
            return replace(usual, labels_only=True) if usual and usual.mislead else Release(labels_only=True)
        if answer == "noise" and not (usual and usual.labels_only):
            return replace(self.noise[model], mislead=bool(usual and usual.mislead))
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
        Contract(model).check_learnt("profile", model.profile, profile.size, "bartizan predict calibrate")
    return found


def query_watch(settings: Predict, known: Mapping[str, Profile], honest: Mapping[str, Honest]) -> QueryWatch:
    """Return the watch on models with a profile. Raises BadSettings for the answer `noise` without its secret.

    `honest` says by model what the answer `noise` is scaled by, whoever gives that answer.
    """
    steps = settings.answers or LADDER
    answers = [step.answer for step in (*steps, *settings.copying)] + [step.answer for step in settings.exposed]
    noisy = "noise" in answers
    key = noise_key(settings) if noisy and honest else b""
    noise = {name: Release(settings.answer_noise, key, *scaled) for name, scaled in honest.items() if noisy}
    models = {
        name: Suspicions(profile, steps, history=settings.history, forget_s=settings.forget_s)
        for name, profile in known.items()
    }
    return QueryWatch(models, noise)
