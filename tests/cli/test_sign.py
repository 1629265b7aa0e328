"""`bartizan sign` signs what is there and refuses what it cannot."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan.cli.main import main


@pytest.fixture
def signer(tmp_path):
    """A key pair in files, and a model."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (tmp_path / "model").mkdir()
    (tmp_path / "model/w.bin").write_bytes(b"weights")
    return tmp_path


def test_the_signature_lies_beside_the_model(signer, capsys):
    """And is a bundle."""
    assert main(["sign", str(signer / "model"), "--key", str(signer / "key.pem")]) == 0
    assert "signed 1 files" in capsys.readouterr().out
    assert json.loads((signer / "model.sig").read_text())["mediaType"].startswith("application/vnd.dev.sigstore")


def test_a_missing_key_says_how_to_make_one(signer, capsys):
    """With the command."""
    assert main(["sign", str(signer / "model"), "--key", str(signer / "none.pem")]) == 2
    assert "openssl ecparam" in capsys.readouterr().err


def test_a_model_with_a_link_is_not_signed(signer, capsys):
    """And no signature is left behind."""
    (signer / "model/link").symlink_to("/etc/passwd")
    assert main(["sign", str(signer / "model"), "--key", str(signer / "key.pem")]) == 2
    assert "a link" in capsys.readouterr().err
    assert not (signer / "model.sig").exists()
