"""Models of scikit-learn as people store them are clean, joblib streams with raw arrays between the opcodes too."""

import io

import joblib
import numpy as np
import pytest

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

linear = pytest.importorskip("sklearn.linear_model")


def models():
    """Yield fitted estimators of several families."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.feature_selection import SelectKBest
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(60, 5)), draw.integers(0, 2, 60)
    kinds = (
        linear.LogisticRegression(),
        linear.SGDClassifier(),
        RandomForestClassifier(5),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(algorithm="kd_tree"),
        make_pipeline(StandardScaler(), SelectKBest(k=2), SVC()),
    )
    for model in kinds:
        yield model.fit(x, y)


@pytest.mark.parametrize("compress", [0, 3])
def test_fitted_models_are_clean(compress):
    """Without review."""
    for model in models():
        buffer = io.BytesIO()
        joblib.dump(model, buffer, compress=compress)
        result = scan_bytes(memoryview(buffer.getvalue()), "m.joblib", Budget())
        assert result.verdict is Verdict.CLEAN, (model, result.findings)


def test_a_transformer_around_any_function_is_not():
    """FunctionTransformer holds a function that runs at use: numpy.mean is a setting, os.system is not."""
    from sklearn.preprocessing import FunctionTransformer

    buffer = io.BytesIO()
    joblib.dump(FunctionTransformer(np.mean), buffer)
    assert scan_bytes(memoryview(buffer.getvalue()), "m.joblib", Budget()).verdict is Verdict.REVIEW
