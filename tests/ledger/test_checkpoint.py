"""Checkpoints: the published signed note verifies, ours have that form, and every change breaks them."""

import base64
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadEvidence
from bartizan.ledger.checkpoint import Signer, key_hash, read_notes

ROOT = bytes(range(32))


@pytest.fixture
def signer(tmp_path):
    """A new key."""
    return Signer.open(tmp_path / "key", "example.com/log")


def test_the_form_is_the_signed_note(signer):
    """Origin, size, root, empty line, signature line with the key's hash."""
    lines = str(signer.sign(7, ROOT)).split("\n")
    assert lines[:4] == ["example.com/log", "7", base64.b64encode(ROOT).decode(), ""]
    dash, name, signature = lines[4].split(" ")
    assert (dash, name, lines[5:]) == ("—", "example.com/log", [""])
    raw = base64.b64decode(signature)
    assert len(raw) == 68
    assert raw[:4].hex() == signer.verifier_key().split("+")[1]


def test_the_key_hash_of_a_published_key():
    """The verifier key of the Go checksum database (sum.golang.org), as Go itself ships it."""
    name, wanted, encoded = ["sum.golang.org", "033de0ae", "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"]
    assert key_hash(name, base64.b64decode(encoded)[1:]).hex() == wanted


def test_several_notes_are_read_in_order(signer):
    """As they stand in the checkpoint file."""
    text = "\n".join(str(signer.sign(size, ROOT)) for size in (1, 2, 3))
    assert [note.size for note in read_notes(text, signer.verifier_key())] == [1, 2, 3]
    assert read_notes("", signer.verifier_key()) == []


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_any_changed_byte_is_found(tmp_path_factory, place, change):
    """Flip bits anywhere in a note: it is refused, or reads exactly as before."""
    folder = tmp_path_factory.mktemp("keys")
    one = Signer.open(folder / "key", "example.com/log")
    note = str(one.sign(7, ROOT)).encode()
    place %= len(note)
    changed = bytes([*note[:place], note[place] ^ change, *note[place + 1 :]]).decode("utf-8", "replace")
    try:
        read = read_notes(changed, one.verifier_key())
    except BadEvidence:
        return
    assert [(found.size, found.root) for found in read] in ([(7, ROOT)], [])


def test_another_key_is_no_signature_of_ours(signer, tmp_path):
    """Neither with our name nor with its own."""
    forged = Signer.open(tmp_path / "other", "example.com/log").sign(7, ROOT)
    with pytest.raises(BadEvidence, match="carries no signature"):
        read_notes(str(forged), signer.verifier_key())


def test_the_private_key_is_for_its_owner_only(tmp_path):
    """Mode 0600, and the same key again when opened again."""
    first = Signer.open(tmp_path / "key", "a")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert Signer.open(tmp_path / "key", "a").verifier_key() == first.verifier_key()


@pytest.mark.parametrize("key", ["", "a+b", "a+00000000+AAAA", "not a key"])
def test_a_verifier_key_that_is_none_is_refused(key):
    """Each part counts."""
    with pytest.raises(BadEvidence, match="verifier key"):
        read_notes("", key)


def test_a_broken_private_key_and_a_bad_name_are_refused(tmp_path):
    """A clear error, no new key in its place."""
    (tmp_path / "key").write_text("broken")
    with pytest.raises(BadEvidence, match="not a ledger key"):
        Signer.open(tmp_path / "key", "a")
    with pytest.raises(BadEvidence, match="without spaces"):
        Signer.open(tmp_path / "key2", "a b")
