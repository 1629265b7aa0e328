"""Settings that cannot work are refused when the gateway starts, not when somebody asks."""

import pytest

from bartizan.core import settings
from bartizan.core.errors import BadSettings
from bartizan.core.sections.predict import Predict, PredictInput, PredictModel
from bartizan.gateway.predict.assembly import predictions

SETTINGS = """
[[predict.models]]
name = "m"
url = "http://127.0.0.1:9000"
classes = 3
[[predict.models.inputs]]
name = "input"
datatype = "FP32"
shape = [1, 28, 28]
low = 0
high = 1
"""


def test_no_models_no_routes():
    """The gateway of language models stays as it is."""
    assert predictions(Predict()) is None


def test_the_settings_read_as_they_are_written():
    """A model with its inputs; and written out they read back the same."""
    found = settings.parse(SETTINGS)
    assert found.predict.models[0].inputs[0].shape == (1, 28, 28)
    assert settings.parse(settings.written(found)) == found
    assert predictions(found.predict) is not None


@pytest.mark.parametrize(
    ("models", "why"),
    [
        ((PredictModel(name="a"), PredictModel(name="a")), "a name once"),
        ((PredictModel(scores="", label=""),), "nothing would ever leave"),
        ((PredictModel(scores="y", label="y"),), "expected two outputs"),
        ((PredictModel(inputs=(PredictInput("x"), PredictInput("x"))),), "stands there twice"),
        ((PredictModel(inputs=(PredictInput(shape=(0,)),)),), "sizes above 0"),
        ((PredictModel(inputs=(PredictInput(low=2, high=1),)),), "low <= high"),
    ],
)
def test_what_cannot_work_is_refused(models, why):
    """Each with the model's name."""
    with pytest.raises(BadSettings, match=why):
        predictions(Predict(models=models))
