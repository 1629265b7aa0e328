"""A fingerprint survives its file, which is secret, never written over, and committed to by its digest."""

import hashlib
import stat

import numpy as np
import pytest
from safetensors.numpy import save as plain

from bartizan.core.errors import BadArtifact
from bartizan.lab.ownership.fingerprint import Fingerprint
from bartizan.lab.ownership.fingerprint_file import load, save

DRAW = np.random.default_rng(1)
MADE = Fingerprint(
    DRAW.random((6, 4)).astype(np.float32), DRAW.random((20, 6, 3)).astype(np.float32), 7, np.ones(3, np.float32)
)


def test_it_comes_back_as_it_was_and_only_once(tmp_path):
    """The digest is that of the bytes; nobody else may read it; a second writing is refused."""
    path = tmp_path / "a.safetensors"
    commitment = save(path, MADE, {"share": "0.8"})
    back, facts, again = load(path)
    assert commitment == again == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts == {"share": "0.8"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    answers = DRAW.integers(0, 3, 6)
    assert back.of_answers(answers) == MADE.of_answers(answers)
    assert save(tmp_path / "b.safetensors", MADE, {"share": "0.8"}) == commitment
    with pytest.raises(BadArtifact, match="cannot be written"):
        save(path, MADE, {})


def test_a_changed_file_is_another_commitment_and_a_foreign_one_is_refused(tmp_path):
    """One byte of evidence; arrays without our words; infinite values; no file at all."""
    path, other = tmp_path / "a", tmp_path / "b"
    commitment = save(path, MADE, {})
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    other.write_bytes(content)
    assert load(other)[2] != commitment
    wrong = plain({"points": MADE.points}), b"\x80\x04no", b""
    for bad in wrong:
        other.write_bytes(bad)
        with pytest.raises(BadArtifact, match="is no fingerprint"):
            load(other)
    save(tmp_path / "c", Fingerprint(MADE.points, np.full((20, 6, 3), np.inf), 7, MADE.usual), {})
    with pytest.raises(BadArtifact, match="infinite"):
        load(tmp_path / "c")
    with pytest.raises(BadArtifact, match="cannot be read"):
        load(tmp_path / "none")
