"""`bartizan lab harden` trains, measures before and after, and writes weights that load again."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.lab.conftest import digit_data  # noqa: F401 - fixture

from bartizan.cli.main import main
from bartizan.lab.reference_classifier import small_cnn
from bartizan.lab.targets.torch_modules import load_weights


def make():
    """The factory that the command line names."""
    return small_cnn(width=8)


def test_hardening_is_measured_and_written(tmp_path, monkeypatch, digit_data, capsys):  # noqa: F811
    """Robust accuracy rises; the weights are a safetensors file of the same module."""
    monkeypatch.chdir(tmp_path)
    np.savez("train.npz", x=digit_data[0].x, y=digit_data[0].y)
    np.savez("test.npz", x=digit_data[1].x, y=digit_data[1].y)
    given = "lab harden --data train.npz --test test.npz --factory tests.cli.lab.test_harden:make --shape 1,8,8"
    assert main([*given.split(), "--epsilon", "0.15", "--epochs", "8", "--examples", "60", "--json"]) == 0
    words = json.loads(capsys.readouterr().out)
    assert words["after"]["robust_accuracy"]["value"] > words["before"]["robust_accuracy"]["value"] + 0.1
    assert load_weights(Path("hardened.safetensors"), make) is not None


@pytest.mark.parametrize(
    ("more", "figure"),
    [
        ("smooth --sigma 0.3 --samples 100 --norm L2 --epochs 2", "certificates broken by an attack"),
        ("reject --false-alarms 0.1 --epochs 2", "clean inputs left without an answer"),
    ],
)
def test_smoothing_and_rejection(tmp_path, monkeypatch, digit_data, capsys, more, figure):  # noqa: F811
    """JSON, page, weights; people read the same figures."""
    monkeypatch.chdir(tmp_path)
    np.savez("train.npz", x=digit_data[0].x, y=digit_data[0].y)
    given = "lab harden --data train.npz --factory tests.cli.lab.test_harden:make --shape 1,8,8 --examples 20"
    assert main([*given.split(), "--method", *more.split()]) == 0
    assert figure in capsys.readouterr().out.replace("\n", " ")
    assert figure in json.loads(Path("harden.json").read_text())["after"]
    assert figure in Path("harden.html").read_text()
    assert load_weights(Path("hardened.safetensors"), make) is not None


def test_a_factory_and_a_norm_that_trains_are_demanded(tmp_path, capsys):
    """Each refusal names the next step."""
    assert main(["lab", "harden", "--data", "d.npz"]) == 2
    assert "no module to train" in capsys.readouterr().err
    assert main(["lab", "harden", "--data", "d.npz", "--factory", "a:b", "--norm", "L0"]) == 2
    assert "Linf or L2" in capsys.readouterr().err
