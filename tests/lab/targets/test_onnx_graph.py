"""ONNX targets: answered by onnxruntime, differentiated by a copy that must agree."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from tests.lab.targets.graphs import conv_net, save

from bartizan.core.errors import BadArtifact
from bartizan.lab.target import Access, Arrays
from bartizan.lab.targets.onnx_graph import of_onnx


@pytest.mark.parametrize("softmax", [True, False])
def test_a_convolutional_network_is_white_box(tmp_path, softmax):
    """Gradients of the copy match finite differences of onnxruntime's answers."""
    target = of_onnx(conv_net(tmp_path / "net.onnx", softmax=softmax))
    assert target.access is Access.WHITE_BOX, target.notes
    assert (target.classes, target.spec.shape) == (4, (1, 8, 8))
    assert target.traits.score_kind == ("probabilities" if softmax else "logits")
    x = np.random.default_rng(1).uniform(size=(2, 1, 8, 8)).astype(np.float32)
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    (target.logits(leaf)[:, 0] - target.logits(leaf)[:, 1]).sum().backward()
    step = np.zeros_like(x)
    step[:, 0, 3, 3] = 1e-2
    up, down = (target.log_scores(x + sign * step) for sign in (1, -1))
    slope = ((up[:, 0] - up[:, 1]) - (down[:, 0] - down[:, 1])) / 2e-2
    assert np.allclose(slope, leaf.grad.numpy()[:, 0, 3, 3], atol=0.02)


def test_an_operation_we_do_not_know_leaves_scores(tmp_path):
    """No gradients, and a note that names the operation."""
    nodes = [helper.make_node("Selu", ["x"], ["s"]), helper.make_node("MatMul", ["s", "w"], ["y"])]
    path = save(tmp_path / "n.onnx", nodes, {"w": np.ones((3, 2), np.float32)}, (3,), [("y", TensorProto.FLOAT)])
    target = of_onnx(path)
    assert target.access is Access.SCORES
    assert "Selu" in target.notes[0]
    assert target.scores(np.ones((5, 3))).shape == (5, 2)


def test_a_label_output_beside_the_scores_is_skipped(tmp_path):
    """Exporters of scikit-learn write the label first."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ]
    outputs = [("label", TensorProto.INT64), ("p", TensorProto.FLOAT)]
    path = save(tmp_path / "n.onnx", nodes, {"w": np.eye(3, 2, dtype=np.float32)}, (3,), outputs)
    target = of_onnx(path)
    assert target.labels(np.array([[0.0, 1, 0], [1, 0, 0]])).tolist() == [1, 0]


def test_what_is_no_classifier_is_refused(tmp_path):
    """Junk, an input of strings, an output of one number."""
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(BadArtifact, match="cannot be run"):
        of_onnx(tmp_path / "junk.onnx")
    same = [helper.make_node("Identity", ["x"], ["y"])]
    strings = save(tmp_path / "s.onnx", same, {}, (3,), [("y", TensorProto.STRING)], kind=TensorProto.STRING)
    with pytest.raises(BadArtifact, match="expected one input"):
        of_onnx(strings)
    one = [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)]
    with pytest.raises(BadArtifact, match="none is scores"):
        of_onnx(save(tmp_path / "o.onnx", one, {}, (3,), [("y", TensorProto.FLOAT)]))


def test_a_shape_that_the_graph_does_not_take_is_named_with_the_next_step(tmp_path):
    """What it takes, what it was given, and the option that states another shape."""
    path = conv_net(tmp_path / "net.onnx")
    with pytest.raises(BadArtifact, match=r"takes \(any, .* fails on \(16, 5\): .*") as refused:
        of_onnx(path, Arrays((5,)))
    assert "\n" not in str(refused.value)
    assert "--shape" in refused.value.hint()
