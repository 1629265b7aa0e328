"""Rules about calls: allowed names abused with other arguments are refused, their honest use is not."""

import pytest

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.pickles import scan_pickle


def verdict(data):
    """Scan and return the verdict."""
    return scan_pickle(memoryview(data), "x", Budget()).verdict


@pytest.mark.parametrize(
    "data",
    [
        b"c_codecs\nencode\n(S'x'\nS'latin1'\ntR.",
        b"ccollections\nOrderedDict\n(tR.",
        b"ccollections\ndefaultdict\n(c__builtin__\nlist\ntR.",
        b"c__builtin__\nbytearray\n(I10\ntR.",
    ],
)
def test_honest_calls_pass(data):
    """As pickle itself writes them."""
    assert verdict(data) is Verdict.CLEAN


@pytest.mark.parametrize(
    "data",
    [
        b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.",
        b"ccollections\nOrderedDict\n(I1\ntR.",
        b"ccollections\ndefaultdict\n(S'x'\ntR.",
        b"c__builtin__\nbytearray\n(I99999999999\ntR.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(S'x'\ntR.",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(S'x'\ntR.",
        b"ccopyreg\n_reconstructor\n(S'x'\ntR.",
        b"csklearn.svm\nSVC\n(S'x'\ntR.",
    ],
)
def test_abuse_of_allowed_names_is_blocked(data):
    """ShadowPickle and its kin: the name is fine, the arguments are not."""
    assert verdict(data) is Verdict.BLOCK


def test_losses_take_numbers_and_settings_are_not_called():
    """A scikit-learn model names f_classif and calls Hinge(1.0); it never calls f_classif or numpy.mean."""
    from bartizan.supply.base import Budget
    from bartizan.supply.pickles import scan_pickle

    hinge = b"\x80\x02csklearn.linear_model._sgd_fast\nHinge\n"
    cases = {
        hinge + b"G?\xf0\x00\x00\x00\x00\x00\x00\x85R.": "CLEAN",
        hinge + b"U\x01x\x85R.": "BLOCK",
        b"\x80\x02csklearn.feature_selection._univariate_selection\nf_classif\n.": "CLEAN",
        b"\x80\x02csklearn.feature_selection._univariate_selection\nf_classif\nK\x01\x85R.": "BLOCK",
        b"\x80\x02cnumpy\nmean\n.": "CLEAN",
        b"\x80\x02cnumpy\nmean\nK\x01\x85R.": "BLOCK",
    }
    for data, verdict in cases.items():
        assert scan_pickle(memoryview(data), "x", Budget()).verdict.name == verdict
