"""A lock is read back as written, and only when its key signed it."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan.core.errors import BadEvidence
from bartizan.supply.admission import lock as locks
from bartizan.supply.admission.lock import Approval, Lock, Revision

KEY = ec.generate_private_key(ec.SECP256R1())


def revision(number=1, version="1.0", root="aa", **more):
    """Return a revision of one file."""
    approvals = (Approval("ada", "looked at it", 1),)
    about = {"verdict": "CLEAN", "format": "pickle", "source": "s", "signer": "", "proposed_by": "bob"} | more
    return Revision(number, version, root, {"m.bin": root * 32}, approvals=approvals, admitted_ns=2, **about)


def test_a_lock_is_read_back_as_written(tmp_path):
    """Sequence, artefacts, earlier revisions."""
    file = tmp_path / "a" / "bartizan.lock"
    lock = Lock().with_revision("m", "models/m", revision()).with_revision("m", "models/m", revision(2, "2.0", "bb"))
    locks.write(file, lock, KEY)
    found = locks.read(file, KEY.public_key())
    assert found == lock
    assert found.sequence == 2
    assert found.artefacts["m"].current.version == "2.0"
    assert found.file_digests() == {"bb" * 32: "m"}
    assert locks.as_manifest("m", revision()).digests == {"m.bin": "aa" * 32}


def test_no_lock_approves_nothing(tmp_path):
    """A missing file is the empty lock."""
    assert locks.read(tmp_path / "none", KEY.public_key()) == Lock()


def test_a_changed_lock_is_refused(tmp_path):
    """One byte, another key, another kind of envelope, no JSON."""
    file = tmp_path / "bartizan.lock"
    locks.write(file, Lock().with_revision("m", "m", revision()), KEY)
    good = json.loads(file.read_text())
    with pytest.raises(BadEvidence, match="does not belong"):
        locks.read(file, ec.generate_private_key(ec.SECP256R1()).public_key())
    for change in ({"payload": good["payload"][:-8] + "AAAAAAA="}, {"payloadType": "x"}, {"signatures": []}):
        file.write_text(json.dumps(good | change))
        with pytest.raises(BadEvidence):
            locks.read(file, KEY.public_key())
    file.write_text("{")
    with pytest.raises(BadEvidence, match="no lock"):
        locks.read(file, KEY.public_key())
