"""Builds the predictive routes from `[predict]`: model servers, contracts, releases, the watches on questions."""

from bartizan.core import settings as settings_file
from bartizan.core.errors import BadSettings
from bartizan.core.sections.predict import Predict, PredictModel
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.copying import copy_watch
from bartizan.gateway.predict.exchange import Predictions
from bartizan.gateway.predict.model import Model
from bartizan.gateway.predict.releases import Releases
from bartizan.gateway.predict.watching import profiles, query_watch
from bartizan.gateway.upstream import HttpUpstream


def predictions(settings: Predict) -> Predictions | None:
    """Return the predictive routes, or None when there are no models. Raises BadSettings for what cannot work."""
    if not settings.models:
        return None
    names = [model.name for model in settings.models]
    if len(set(names)) != len(names):
        raise BadSettings(f"predict.models: {', '.join(sorted(names))}: expected a name once")
    for model in settings.models:
        _check(model)
    known, copying = profiles(settings), copy_watch(settings)
    honest = copying.honest() | {name: (profile.centre, profile.spread) for name, profile in known.items()}
    models = [served(model) for model in settings.models]
    return Predictions(models, Releases(settings, honest), query_watch(settings, known, honest), copying)


def served(model: PredictModel) -> Model:
    """Return a model with its contract and its server."""
    key = ""
    if model.api_key_env or model.api_key_file:
        key = settings_file.secret(model.api_key_env, model.api_key_file, f"predict model {model.name}: key")
    return Model(model, Contract(model), HttpUpstream(model.name, model.url, key=key, timeout_s=model.timeout_s))


def _check(model: PredictModel) -> None:
    where = f"predict model {model.name}"
    if not (model.scores or model.label):
        raise BadSettings(f"{where}: neither scores nor label: nothing would ever leave")
    if model.scores == model.label:
        raise BadSettings(f"{where}: scores and label are both {model.label!r}: expected two outputs")
    if len({entry.name for entry in model.inputs}) != len(model.inputs):
        raise BadSettings(f"{where}: an input stands there twice")
    for entry in model.inputs:
        if any(size < 1 and size != -1 for size in entry.shape) or entry.low > entry.high:
            raise BadSettings(f"{where}: input {entry.name}: expected sizes above 0 (or -1), and low <= high")
