"""Which caller gets how much of a prediction: the operator's rules as `Release`s, one per rule and model."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from bartizan.core import settings as settings_file
from bartizan.core.errors import BadSettings
from bartizan.core.sections.predict import Predict, PredictModel, PredictRelease
from bartizan.gateway.predict.model import Prediction
from bartizan.gateway.predict.tensors import Array
from bartizan.policy.release import Release

LABELS_ONLY = Release(labels_only=True)
Honest = tuple[np.ndarray, np.ndarray]
"""Centre and scale (d,) of honest inputs."""


class Releases:
    """The rules in order. Without rules nothing is changed; with rules, whom none matches gets labels only."""

    def __init__(self, settings: Predict, honest: Mapping[str, Honest] | None = None) -> None:
        """Prepare every release. `honest` by model name; where it is missing, the input's range stands in.

        Raises BadSettings for noise without a secret, or without anything to scale it by.
        """
        self._rules = settings.releases
        key = noise_key(settings) if any(rule.noise or rule.mislead for rule in self._rules) else b""
        self._made = {
            (number, model.name): _release(rule, model, key, (honest or {}).get(model.name))
            for number, rule in enumerate(self._rules)
            for model in settings.models
        }

    def of(self, caller: str, model: str) -> Release | None:
        """Return what is done to the scores that leave for `caller`; None: nothing."""
        for number, rule in enumerate(self._rules):
            if _matches(caller, rule.callers) and _matches(model, rule.models):
                return self._made[number, model]
        return LABELS_ONLY if self._rules else None


def noise_key(settings: Predict) -> bytes:
    """Return the secret that noise is derived from. Raises BadSettings when there is none, or a short one."""
    said = settings_file.secret(settings.noise_key_env, settings.noise_key_file, "predict.noise_key")
    if len(said) < 16:
        raise BadSettings("predict.noise_key: expected 16 characters or more")
    return said.encode()


def _release(rule: PredictRelease, model: PredictModel, key: bytes, honest: Honest | None) -> Release | None:
    if not (rule.noise or rule.top or rule.labels_only or rule.mislead) and rule.digits < 0:
        return None
    if rule.mislead and not model.sketch:
        raise BadSettings(
            f"predict model {model.name}: mislead without a sketch: nothing says which inputs are unlike honest ones",
            hint="Make one with `bartizan predict sketch`, or name the models that have one in the rule's `models`.",
        )
    centre, scale = honest or (None, None)
    if rule.noise and honest is None:
        centre, scale = _from_range(model)
    return Release(rule.noise, key, centre, scale, rule.top, rule.digits, rule.labels_only, rule.mislead)


def misled(release: Release, x: Array, said: Prediction, strange: Array, classes: int) -> Prediction:
    """Return what a model `said` of inputs (n, D), with the answers of those that are `strange` (n,) out of the key."""
    scores, labels = said.scores, said.labels
    if strange.any():
        told = np.array(np.eye(classes)[labels] if scores is None else scores, np.float64)
        told[strange] = release.unrelated(x[strange], told[strange])
        labels = np.where(strange, told.argmax(axis=1), labels)
        scores = None if scores is None else told
    return Prediction(scores, labels)


def _from_range(model: PredictModel) -> Honest:
    centres, scales = [], []
    for entry in model.inputs:
        if not np.isfinite(entry.high - entry.low) or -1 in entry.shape or entry.high <= entry.low:
            raise BadSettings(
                f"predict model {model.name}: noise needs inputs of fixed shape and range, or a calibration file",
                hint="Set low and high of each input, or run `bartizan predict calibrate`.",
            )
        size = int(np.prod(entry.shape))
        centres.append(np.full(size, (entry.low + entry.high) / 2))
        scales.append(np.full(size, (entry.high - entry.low) / 4))
    return np.concatenate(centres), np.concatenate(scales)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
