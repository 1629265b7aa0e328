"""The controlled update as people type it: propose, list, show, approve, lock, guard, rollback."""

import json

import pytest

from bartizan.cli.main import main

GOOD, LIBRARY = b"\x80\x02N.", b"\x80\x02csklearn.svm\nSVC\n)\x81."


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "m.pkl").write_bytes(GOOD)
    return tmp_path


def identity(capsys):
    """Return the id of the only proposal that waits."""
    capsys.readouterr()
    assert main(["admit", "list", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["proposal"]["id"]


def test_from_proposal_to_guarded_start(here, capsys):
    """And back again."""
    assert main(["admit", "propose", "m.pkl", "--version", "1", "--who", "bob", "--source", "ours"]) == 0
    one = identity(capsys)
    assert main(["admit", "show", one]) == 0
    assert "new: 1 files" in capsys.readouterr().out
    assert main(["admit", "approve", one, "--who", "bob", "--why", "mine"]) == 1
    assert "somebody else" in capsys.readouterr().out
    assert main(["admit", "approve", one, "--who", "ada", "--why", "read it"]) == 0
    assert "lock 1 written" in capsys.readouterr().out
    assert main(["lock", "--check"]) == 0
    assert "every artefact is what was approved" in capsys.readouterr().out
    assert main(["guard", "m.pkl=m.pkl"]) == 0
    assert main(["guard"]) == 0

    (here / "m.pkl").write_bytes(LIBRARY)
    assert main(["guard", "--", "true"]) == 1
    assert "nothing was started" in capsys.readouterr().out
    assert main(["lock", "--check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["rule"] == "artefact-changed"
    assert main(["admit", "propose", "m.pkl", "--version", "2", "--who", "bob"]) == 0
    two = identity(capsys)
    for who, words in (("ada", "1 more to approve"), ("eve", "admitted as revision 2")):
        assert main(["admit", "approve", two, "--who", who, "--why", "read it"]) == 0
        assert words in capsys.readouterr().out
    assert main(["admit", "rollback", "m.pkl", "--to", "1", "--why", "worse", "--who", "bob"]) == 0
    three = identity(capsys)
    assert main(["admit", "deny", three, "--why", "no", "--who", "ada"]) == 0
    assert main(["admit", "list"]) == 0
    assert "nothing waits" in capsys.readouterr().out
    assert main(["admit", "finish"]) == 0


def test_the_guard_starts_the_command(here, capfd):
    """In the place of itself: seen from another process."""
    import subprocess
    import sys

    main(["admit", "propose", "m.pkl", "--version", "1", "--who", "bob"])
    capfd.readouterr()
    assert main(["admit", "list", "--json"]) == 0
    main(["admit", "approve", json.loads(capfd.readouterr().out)["proposal"]["id"], "--who", "ada", "--why", "ok"])
    guard = [sys.executable, "-m", "bartizan", "guard", "m.pkl=m.pkl", "--", "echo", "started"]
    done = subprocess.run(guard, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "started")
    assert main(["guard", "--least", "2"]) == 2
    assert main(["guard", "nonsense"]) == 2


def test_what_must_not_get_in(here, capsys):
    """Blocked, unsigned, unknown."""
    (here / "evil.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    assert main(["admit", "propose", "evil.pkl", "--version", "1"]) == 1
    assert "posix.system" in capsys.readouterr().out
    assert main(["admit", "show", "none"]) == 2
    assert main(["lock"]) == 0
    assert main(["admit", "propose", "m.pkl", "--version", "1", "--signer", "none.pub"]) == 2


def test_a_signature_is_checked_and_kept(here, capsys):
    """A later version without it is critical."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (here / "k.pub").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (here / "k.pem").write_bytes(secret)
    assert main(["sign", "m.pkl", "--key", "k.pem"]) == 0
    assert main(["admit", "propose", "m.pkl", "--version", "1", "--who", "bob", "--signer", "k.pub"]) == 0
    assert ", signed" in capsys.readouterr().out.replace("named, signed", ", signed")
    main(["admit", "approve", identity(capsys), "--who", "ada", "--why", "ok"])
    (here / "m.pkl").write_bytes(b"\x80\x02K\x01.")
    assert main(["admit", "propose", "m.pkl", "--version", "2", "--who", "bob", "--signer", "k.pub"]) == 2
    capsys.readouterr()
    assert main(["admit", "propose", "m.pkl", "--version", "2", "--who", "bob"]) == 0
    assert "signed by somebody else" in capsys.readouterr().out
