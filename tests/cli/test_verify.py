"""`bartizan verify` passes what was signed and names the file that is not."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan.cli.main import main


@pytest.fixture
def signed(tmp_path):
    """A signed model of two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pub").write_bytes(public)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.bin").write_bytes(b"weights")
    (tmp_path / "model/b.bin").write_bytes(b"more")
    assert main(["sign", str(tmp_path / "model"), "--key", str(tmp_path / "key.pem")]) == 0
    return tmp_path


def check(folder, *more):
    """Run verify on the model."""
    return main(["verify", str(folder / "model"), "--key", str(folder / "key.pub"), *more])


def test_an_untouched_model_is_verified(signed, capsys):
    """Exit code 0, and the number of files."""
    assert check(signed) == 0
    assert "all 2 files" in capsys.readouterr().out


def test_a_changed_file_is_named(signed, capsys):
    """Exit code 1."""
    (signed / "model/a.bin").write_bytes(b"weightr")
    assert check(signed) == 1
    out = capsys.readouterr().out
    assert "artefact-changed: a.bin" in out
    assert "NOT VERIFIED" in out


def test_a_link_in_the_place_of_a_file_is_named(signed, capsys):
    """Even to a file with the same content."""
    (signed / "model/a.bin").rename(signed / "outside.bin")
    (signed / "model/a.bin").symlink_to(signed / "outside.bin")
    assert check(signed) == 1
    assert "a.bin: a link" in capsys.readouterr().out


def test_a_broken_signature_fails(signed, capsys):
    """It is not an error of the command but an answer."""
    (signed / "model.sig").write_text("{}")
    assert check(signed, "--json") == 1
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["verified"] is False
    assert answer["findings"][0]["rule"] == "signature-invalid"


def test_without_a_signature_nothing_is_said(signed, capsys):
    """Exit code 2: it could not be tested."""
    (signed / "model.sig").unlink()
    assert check(signed) == 2
    assert "unsigned model" in capsys.readouterr().err


def test_a_missing_model_is_not_verified(signed):
    """Exit code 2."""
    (signed / "model").rename(signed / "other")
    assert check(signed, "--signature", str(signed / "model.sig")) == 2
