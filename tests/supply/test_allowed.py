"""The list: exact names, nothing by prefix, Python 2 names under their present ones."""

import pytest

from bartizan.supply.allowed import is_known, tier


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("collections", "OrderedDict", 0),
        ("__builtin__", "set", 0),
        ("numpy.core.multiarray", "_reconstruct", 0),
        ("sklearn.linear_model._logistic", "LogisticRegression", 1),
        ("torch.hub", "load", None),
        ("torch", "load", None),
        ("torchx", "Thing", None),
        ("collections", "OrderedDict.__init__", None),
        ("sklearn.x y", "Thing", None),
        ("sklearn.utils", "Bunch.method", None),
        ("builtins", "eval", None),
        ("", "", None),
    ],
)
def test_a_name_is_allowed_exactly_or_not_at_all(module, name, expected):
    """Functions of libraries never are; dotted names never are."""
    assert tier(module, name) == expected


def test_classes_that_were_read_need_no_review():
    """Under their present module and the one without underscores; a wrapper of any function is not among them."""
    assert is_known("sklearn.linear_model._logistic", "LogisticRegression")
    assert is_known("sklearn.linear_model.logistic", "LogisticRegression")
    assert is_known("lightgbm.sklearn", "LGBMClassifier")
    assert not is_known("sklearn.preprocessing._function_transformer", "FunctionTransformer")
    assert not is_known("sklearn.svm", "NoSuchClass")
