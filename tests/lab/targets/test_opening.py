"""What an operator writes becomes a target, or an error that says what was expected."""

import numpy as np
import pytest
import torch
from tests.lab.targets.graphs import conv_net

from bartizan.core.errors import BadSettings
from bartizan.lab.target import Access, Texts
from bartizan.lab.targets.opening import Described, open_target


def make():
    """The factory that the tests name."""
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))


def lengths(texts):
    """A classifier of texts: long or short."""
    return np.array([[len(text) < 5, len(text) >= 5] for text in texts], dtype=float)


def bright(x):
    """A classifier that gives labels."""
    return (np.asarray(x).mean(axis=1) > 0.5).astype(int)


def test_each_kind_of_file_opens(tmp_path):
    """ONNX, skops and weights with a factory; the stated range is kept."""
    import skops.io
    from sklearn.linear_model import LogisticRegression

    onnx = open_target(str(conv_net(tmp_path / "n.onnx")), Described(low=0, high=1))
    assert (onnx.access, onnx.spec.high) == (Access.WHITE_BOX, 1)
    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), tmp_path / "m.skops")
    assert open_target(str(tmp_path / "m.skops")).classes == 2
    torch.save(make().state_dict(), tmp_path / "w.pth")
    described = Described(shape=(2, 2), low=0, high=1, factory="tests.lab.targets.test_opening:make")
    assert open_target(str(tmp_path / "w.pth"), described).classes == 3


def test_a_function_opens_by_name():
    """Texts too."""
    target = open_target("python:tests.lab.targets.test_opening:lengths", Described(classes=2, texts=True))
    assert isinstance(target.spec, Texts)
    assert target.labels(["ab", "abcdef"]).tolist() == [0, 1]
    said = Described(classes=2, shape=(3,))
    labels = open_target("python:tests.lab.targets.test_opening:bright", said)
    assert labels.access is Access.LABELS


@pytest.mark.parametrize(
    ("reference", "described", "said"),
    [
        ("nothing.onnx", Described(), "no such file; expected model.onnx"),
        ("w.pth", Described(), "need the function"),
        ("w.pth", Described(factory="tests.lab.targets.test_opening:make"), "State it|shape of one example"),
        ("m.pkl", Described(), "a pickle runs code"),
        ("m.xyz", Described(), "unknown kind of file"),
        ("python:json:loads", Described(), "how many classes"),
        ("python:json:loads", Described(classes=2), "shape of one example"),
        ("http://127.0.0.1:9/invocations", Described(), "shape of one example"),
    ],
)
def test_what_is_missing_is_said(tmp_path, monkeypatch, reference, described, said):
    """Every refusal names the next step."""
    monkeypatch.chdir(tmp_path)
    torch.save(make().state_dict(), tmp_path / "w.pth")
    for name in ("m.pkl", "m.xyz"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BadSettings, match=said):
        open_target(reference, described)


def test_an_address_opens():
    """/v2/models/NAME is the Open Inference Protocol."""
    from bartizan.lab.inference_server import serving
    from bartizan.lab.target import Arrays, of_callable

    model = of_callable("m", lambda x: np.full((len(x), 2), 0.5), Arrays((2,)), classes=2)
    with serving(model) as url:
        assert open_target(f"{url}/v2/models/reference", Described(low=0, high=1)).spec.high == 1


def linear():
    """A module of three numbers to two classes."""
    return torch.nn.Linear(3, 2)


def test_a_module_that_does_not_take_the_stated_shape_is_refused(tmp_path):
    """Also when the classes are stated, so that nothing needs to be asked of it."""
    path = tmp_path / "net.pth"
    torch.save(linear().state_dict(), path)
    for classes in (None, 2):
        with pytest.raises(BadSettings, match=r"net.pth fails on one example of shape \(5,\)") as refused:
            open_target(str(path), Described((5,), classes=classes, factory="tests.lab.targets.test_opening:linear"))
        assert "--shape" in refused.value.hint()
