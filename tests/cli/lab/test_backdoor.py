"""`bartizan lab backdoor` says where a backdoor is, takes it out, and fails while the given network has one."""

import json
from pathlib import Path

import numpy as np
from safetensors.torch import save_file
from tests.lab.poisoning.conftest import backdoored, honest, wins  # noqa: F401 - fixtures

from bartizan.cli.main import main
from bartizan.lab.reference_classifier import small_cnn
from bartizan.lab.targets.torch_modules import load_weights

GIVEN = "--factory tests.cli.lab.test_backdoor:make --shape 1,8,8 --data honest.npz"


def make():
    """The factory that the command line names."""
    return small_cnn(width=8)


def test_a_backdoor_is_named_and_taken_out(tmp_path, monkeypatch, backdoored, capsys):  # noqa: F811
    """Exit status 1; JSON, page and weights that load again."""
    monkeypatch.chdir(tmp_path)
    network, poison, (x, y) = backdoored
    save_file(network.state_dict(), "net.safetensors")
    np.savez("honest.npz", x=x, y=y)
    np.savez("held.npz", x=poison[0], y=poison[1])
    more = "--repair --isolated held.npz"
    assert main(["lab", "backdoor", "net.safetensors", *GIVEN.split(), *more.split()]) == 1
    said = capsys.readouterr().out
    assert "class 3: a patch of" in said
    assert "clean accuracy lost:" in said
    assert {one["class"] for one in json.loads(Path("backdoor.json").read_text())["suspects"]} == {3}
    assert "patch into class 3 wins" in Path("backdoor.html").read_text()
    assert wins(load_weights(Path("repaired.safetensors"), make).eval(), (x, y)) < 0.1


def test_an_honest_network_passes(tmp_path, monkeypatch, honest, backdoored, capsys):  # noqa: F811
    """Exit status 0, nothing written but the figures."""
    monkeypatch.chdir(tmp_path)
    save_file(honest.state_dict(), "net.safetensors")
    np.savez("honest.npz", x=backdoored[2][0], y=backdoored[2][1])
    assert main(["lab", "backdoor", "net.safetensors", *GIVEN.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["suspects"] == []
    assert not Path("repaired.safetensors").exists()


def test_a_factory_is_demanded(capsys):
    """The refusal names the next step."""
    assert main(["lab", "backdoor", "net.safetensors", "--data", "honest.npz"]) == 2
    assert "--factory module:function" in capsys.readouterr().err
