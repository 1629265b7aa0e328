"""`bartizan lab fingerprint` makes a secret test with a commitment, finds ours behind HTTP, and refuses bad orders."""

import argparse
import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from tests.lab.ownership.cohorts import data

from bartizan.cli.lab.fingerprint import _how
from bartizan.cli.main import main
from bartizan.lab.inference_server import serving
from bartizan.lab.membership.signals import probabilities
from bartizan.lab.membership.stacked import Recipe, train
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import load_weights, of_module

KEY = ["--key", "000102030405060708090a0b0c0d0e0f"]
"""Other keys draw other models, and of models this weak one in twenty is not its own best fit."""
SMALL = [
    *KEY,
    "--hidden",
    "16",
    "--epochs",
    "10",
    "--models",
    "20",
    "--points",
    "100",
    "--share",
    "0.5",
    "--copies",
    "0",
]


def network():
    """Make the module that fits `ours.safetensors`."""
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10)
    )  # fmt: skip


def regression(x, y, seed):
    """Train a model that no seed changes."""
    return LogisticRegression(max_iter=300).fit(x.reshape(len(x), -1), y).predict_proba


def scores(x, y, seed, epochs=10):
    """Train a network whose end depends on the seed."""
    net = train(x.reshape(len(x), -1), y, np.ones((1, len(x)), bool), Recipe((8,), "relu", epochs, 32, 3e-3), seed)
    return lambda z: probabilities(net.logits(z.reshape(len(z), -1)))[0]


def given(x):
    """Answer as a model that `scores` made before."""
    mine, _ = data()
    return scores(mine.x[:250], mine.y[:250], 5)(x)


def other(x):
    """Answer as a model that something else made."""
    mine, _ = data()
    return scores(mine.x[:20], mine.y[:20], 5, epochs=2)(x)


def innocent(x):
    """Label by something that knows no model."""
    return (x.reshape(len(x), -1).argmax(axis=1) % 10).astype(np.int64)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Write records and a pool, and stand beside them."""
    monkeypatch.chdir(tmp_path)
    for name, one in zip(("mine.npz", "pool.npz"), data(), strict=True):
        np.savez(name, x=one.x[:250], y=one.y[:250])
    return ["lab", "fingerprint", "make", "--data", "mine.npz", "--pool", "pool.npz"]


def test_ours_is_found_by_its_labels_and_a_stranger_is_not(files, tmp_path, capsys):
    """Weights that were written, behind HTTP; exit codes, the commitment, and nothing left that tells the points."""
    assert main([*files, *SMALL, "--output", "out"]) == 0
    shown = capsys.readouterr().out
    words = json.loads((tmp_path / "out/fingerprint.json").read_text())
    assert words["commitment"] in shown
    assert words["questions"] == 100
    assert "ours" not in words
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "fingerprint.html", "fingerprint.json", "fingerprint.safetensors", "ours.safetensors"
    ]  # fmt: skip
    assert (tmp_path / "out/fingerprint.html").stat().st_mode & 0o077 == 0
    check = ["lab", "fingerprint", "check", "out/fingerprint.safetensors"]
    module = load_weights(tmp_path / "out/ours.safetensors", network)
    with serving(of_module("digits", module, Arrays((64,), 0.0, 1.0), classes=10)) as url:
        words = ["--commitment", words["commitment"], "--json"]
        assert main([*check, f"{url}/v2/models/reference", *words, "--output", "out"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads((tmp_path / "out/check.json").read_text())
    assert (said["found"], said["p of the rank"], said["above"]) == (True, 1 / 20, 0)
    assert "Found: p = 0.05" in (tmp_path / "out/check.html").read_text()
    assert main([*check, f"python:{__name__}:innocent"]) == 0
    assert "no proof of innocence" in capsys.readouterr().out
    assert main([*check, f"python:{__name__}:innocent", "--commitment", "00"]) == 2
    assert "not what was committed to" in capsys.readouterr().err
    assert main([*files, *SMALL, "--output", "out"]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("records", "given", "passes"), [(100, None, 30), (5000, None, 30), (40_000, None, 3), (40_000, 9, 9)]
)
def test_many_records_are_passed_over_less_often(records, given, passes):
    """As many steps, for forty models on forty thousand records would else take half an hour; a given number counts."""
    assert _how(argparse.Namespace(train=None, hidden="16", epochs=given), records).epochs == passes


def test_a_training_function_is_drawn_from_and_one_that_ends_alike_is_told_so(files, tmp_path, capsys):
    """With a draw of records what to deploy is written down; with seeds alone there is no fingerprint."""
    words = [*files, "--train", f"{__name__}:regression", "--models", "20", "--points", "50", "--copies", "0"]
    assert main([*words, "--share", "1"]) == 2
    assert "models differ on 0 points" in capsys.readouterr().err
    assert main([*words, "--share", "0.3"]) == 0
    assert "on the records in ours.npz with seed" in capsys.readouterr().out
    with np.load(tmp_path / "ours.npz") as drawn:
        assert len(drawn["y"]) == 75


def test_a_model_that_is_there_already_is_ours_and_one_made_otherwise_is_told(files, capsys):
    """It takes the place that is drawn; a model that hardly learnt is unlike the rest."""
    words = [*files, "--train", f"{__name__}:scores", "--models", "20", "--points", "50", "--copies", "0", *KEY]
    assert main([*words, "--model", f"python:{__name__}:given", "--output", "a"]) == 0
    assert "WARNING" not in capsys.readouterr().out
    assert main(["lab", "fingerprint", "check", "a/fingerprint.safetensors", f"python:{__name__}:given", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["above"] == 0
    assert main([*words, "--model", f"python:{__name__}:other", "--output", "b"]) == 0
    assert "WARNING: not made like them" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [
        ["--models", "5"],
        ["--points", "10"],
        ["--share", "2"],
        ["--key", "zz"],
        ["--hidden", "wide"],
        ["--questions", "1"],
        ["--shape", "a"],
        ["--model", "m.onnx"],
        ["--model", "m.onnx", "--train", f"{__name__}:regression", "--share", "0.5"],
    ],
)
def test_what_cannot_be_made_is_refused(files, wrong, capsys):
    """With a reason, and exit code 2."""
    assert main([*files, *wrong]) == 2
    assert "bartizan:" in capsys.readouterr().err
