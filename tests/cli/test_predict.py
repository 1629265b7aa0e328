"""`bartizan predict calibrate` and `sketch` as people run them."""

from pathlib import Path

import numpy as np
import pytest
from tests.gateway.predict.traffic import honest, scores_of

from bartizan.cli.main import main
from bartizan.core import settings
from bartizan.gateway.predict.assembly import predictions
from bartizan.gateway.predict.profile import Profile
from bartizan.lab.inference_server import serving
from bartizan.lab.target import Arrays, of_callable

TOML = """
[[predict.models]]
name = "digits"
classes = 10
{profile}
[[predict.models.inputs]]
name = "input"
shape = [1, 8, 8]
low = 0
high = 1
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bartizan.toml").write_text(TOML.format(profile=""))


def calibrate(name, *more):
    """Run the command on a file."""
    return main(["predict", "calibrate", "digits", "--data", name, *more])


def test_a_profile_is_made_and_the_gateway_takes_it(capsys):
    """The line that it prints is the one to put into the settings."""
    np.savez("honest.npz", x=honest()[0][:400].reshape(-1, 1, 8, 8), y=np.zeros(400, np.int64))
    assert calibrate("honest.npz") == 0
    said = capsys.readouterr()
    line = next(one for one in said.out.splitlines() if one.strip().startswith("profile = ")).split("#")[0].strip()
    assert "more are better" in said.err
    assert Profile.read(Path("bartizan-data/digits.profile")).size == 64
    chosen = settings.parse(TOML.format(profile=line))
    assert predictions(chosen.predict).watch.models.keys() == {"digits"}


def test_bytes_are_scaled_and_flat_files_are_shaped(capsys):
    """Images as most people keep them."""
    np.save("honest.npy", (honest()[0][:300] * 255).astype(np.uint8))
    assert calibrate("honest.npy", "--out", "p", "--rate", "0.001") == 0
    assert Profile.read(Path("p")).facts["rate"] == 0.001


@pytest.mark.parametrize("how", ["none", "text", "other", "range", "shape", "few", "objects"])
def test_what_cannot_be_learnt_from_is_refused(how, capsys):
    """In a line that says what was expected."""
    x = honest()[0][:300]
    if how == "text":
        Path("f.npz").write_text("hello")
    elif how == "other":
        np.savez("f.npz", other=x)
    elif how == "objects":
        np.savez("f.npz", x=np.array([{}], dtype=object))
    elif how != "none":
        np.savez("f.npz", x={"range": x * 2, "shape": x[:, :63], "few": x[:9]}[how])
    assert calibrate("f.npz") == 2
    said = capsys.readouterr().err
    assert ("outside 0..1" if how == "range" else "expected") in said.lower()


def test_unknown_models_and_rates_are_refused(capsys):
    """They name what there is."""
    np.savez("f.npz", x=honest()[0][:300])
    assert main(["predict", "calibrate", "other", "--data", "f.npz"]) == 2
    assert "digits" in capsys.readouterr().err
    assert calibrate("f.npz", "--rate", "2") == 2


def test_a_sketch_is_made_of_what_the_model_says_and_the_gateway_takes_it(capsys):
    """The model server is asked; the line that is printed is the one to put into the settings."""
    np.save("honest.npy", honest()[0].reshape(-1, 1, 8, 8))
    words = ["predict", "sketch", "digits", "--data", "honest.npy", "--clients", "30"]
    with serving(of_callable("softmax", scores_of, Arrays((1, 8, 8), 0.0, 1.0), classes=10), "digits") as url:
        place = f'url = "{url}"\n'
        Path("bartizan.toml").write_text(TOML.format(profile=place))
        assert main(words) == 0
    said = capsys.readouterr().out
    assert "how sure the model is counts too" in said
    line = next(one for one in said.splitlines() if one.strip().startswith("sketch = ")).split("#")[0].strip()
    chosen = settings.parse(TOML.format(profile=place + line))
    assert predictions(chosen.predict).copying.models.keys() == {"digits"}
    assert main(words) == 2  # the server is gone
    assert main([*words, "--clients", "1"]) == 2
    assert "expected 30 to 10000" in capsys.readouterr().err
