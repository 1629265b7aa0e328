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


def test_what_people_keep_beside_their_weights_is_clean():
    """Arguments, pure paths, dates, settings: in every protocol."""
    import argparse
    import collections
    import pathlib
    import pickle
    import random
    import re
    import types

    kept = {
        "args": argparse.Namespace(lr=0.1),
        "path": pathlib.PurePosixPath("a/b"),
        "config": types.SimpleNamespace(a=1),
        "rest": (..., NotImplemented),
        "words": re.compile(r"\w+"),
        "counts": collections.defaultdict(int, a=1),
        "draw": (random.Random(0), np.random.RandomState(0), np.random.default_rng(0)),
        "arrays": (np.ma.array([1]), np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])),
    }
    for protocol in range(6):
        data = pickle.dumps(kept, protocol)
        result = scan_bytes(memoryview(data), "m.pkl", Budget())
        assert result.verdict is Verdict.CLEAN, result.findings


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"ctransformers.trainer_utils\nIntervalStrategy\n(S'no'\ntR.", Verdict.REVIEW),
        (b"ctransformers.trainer_utils\nTrainerState\n(S'no'\ntR.", Verdict.BLOCK),
        (b"cultralytics.nn.tasks\nDetectionModel\n)\x81.", Verdict.REVIEW),
        (b"cmodels.yolo\nModel\n)\x81.", Verdict.REVIEW),
        (b"cmodels.evil\nModel\n)\x81.", Verdict.BLOCK),
        (b"cfunctools\npartial\n(cnumpy\nmean\ntR.", Verdict.BLOCK),
        (b"cargparse\nNamespace\n(S'x'\ntR.", Verdict.BLOCK),
        (b"crandom\nRandom\n(S'x'\ntR.", Verdict.BLOCK),
        (b"ctyping\nAny\n(tR.", Verdict.BLOCK),
        (b"cre\n_compile\n(cnumpy\nmean\nI0\ntR.", Verdict.BLOCK),
    ],
)
def test_classes_of_published_models_go_to_review(data, verdict):
    """training_args.bin calls enumerations; YOLO stores whole modules. Calling anything else stays blocked."""
    assert scan_bytes(memoryview(data), "m.pkl", Budget()).verdict is verdict


def test_an_exported_program_of_torch():
    """The weights in it are raw numbers under names of their own."""
    from tests.supply.packing import archive

    names = ("archive_format", "archive_version", "models/model.json", "data/weights/model_weights_config.json")
    members = {f"m/{name}": b"{}" for name in names} | {"m/data/weights/weight_0": bytes(range(8))}
    assert scan_bytes(memoryview(archive("zip", members)), "m.pt2", Budget()).verdict is Verdict.CLEAN
    del members["m/archive_format"]
    assert scan_bytes(memoryview(archive("zip", members)), "m.pt2", Budget()).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("saved.sav", b"SR\x00\x04\x00\x00\x00\x0a\x00\x00\x00\xf0 IDL data"),
        ("anova.dat", b"NIST/ITL StRD\nDataset Name: AtmWtAg\n1 107.8681079\n"),
        ("record.dat", b"P\x00\x00\x00program main\n" + bytes(64)),
    ],
)
def test_data_under_a_name_of_models_are_no_broken_pickle(name, data):
    """As in scipy's own wheel: an unpickler stops at them before it looks anything up. Under .pkl they stay refused."""
    assert "unreadable" not in {one.rule for one in scan_bytes(memoryview(data), name, Budget()).findings}
    assert scan_bytes(memoryview(data), "m.pkl", Budget()).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize("name", ["m.sav", "m.dat", "m.p"])
def test_a_pickle_under_a_name_of_data_is_still_one(name):
    """Hostile ones block, whole or broken off after the call; broken off after a name they are not passed."""
    hostile = b"cos\nsystem\n(S'id'\ntR."
    assert scan_bytes(memoryview(hostile), name, Budget()).verdict is Verdict.BLOCK
    assert scan_bytes(memoryview(hostile[:-1] + b"\x00"), name, Budget()).verdict is Verdict.BLOCK
    assert scan_bytes(memoryview(b"cnumpy\nndarray\n\x00"), name, Budget()).verdict is Verdict.UNREADABLE
