"""What a proposal says: the scan's verdict, what changed, who is needed, and what would be a step back."""

import pytest
from tests.supply.admission.test_lock import revision

from bartizan.core.errors import BadArtifact
from bartizan.core.sections.supply import Supply
from bartizan.supply.admission import proposals
from bartizan.supply.admission.lock import Lock
from bartizan.supply.base import Verdict

GOOD = b"\x80\x02N."
LIBRARY = b"\x80\x02csklearn.svm\nSVC\n)\x81."


def examined(tmp_path, data=GOOD, name="m.pkl"):
    """Return what is known of a file."""
    (tmp_path / name).write_bytes(data)
    return proposals.examine(tmp_path / name)


def test_an_artefact_is_measured_and_scanned(tmp_path):
    """Digest, verdict, what it names."""
    seen = examined(tmp_path, LIBRARY)
    assert seen.verdict is Verdict.REVIEW
    assert seen.globals == ("sklearn.svm.SVC",)
    assert list(seen.manifest.digests) == ["."]


def test_a_link_cannot_be_proposed(tmp_path):
    """It could point elsewhere tomorrow."""
    (tmp_path / "m").symlink_to("/etc/hostname")
    with pytest.raises(BadArtifact):
        proposals.examine(tmp_path / "m")


def test_changes_against_the_approved_revision(tmp_path):
    """Files, what it names, packages; a first proposal is new."""
    seen = examined(tmp_path, LIBRARY)
    assert proposals.changes(None, "m", seen) == ("new: 1 files",)
    lines = proposals.changes(revision(), "m", seen)
    assert "names added: sklearn.svm.SVC" in lines
    assert any(line.startswith("artefact-") for line in lines)


def test_what_is_critical(tmp_path):
    """Review, code, new abilities, another format, another signer."""
    plain = examined(tmp_path)
    assert proposals.critical(None, plain, "") == ()
    assert "review" in proposals.critical(None, examined(tmp_path, LIBRARY), "")[0]
    script = examined(tmp_path, b"print(1)\n", "a.py")
    assert "code" in proposals.critical(None, script, "")[0]
    same = revision(format="pickle", globals=())
    assert proposals.critical(same, plain, "") == ()
    assert "signed by somebody else" in proposals.critical(revision(signer="x"), plain, "y")[0]
    assert "another format" in proposals.critical(revision(format="onnx"), plain, "")[0]
    assert proposals.needed(Supply(), ()) == 1
    assert proposals.needed(Supply(), ("why",)) == 2


def test_steps_back_are_named():
    """Earlier files, an older version, the same files again; a name without order has only its files."""
    lock = Lock().with_revision("m", "m", revision(1, "1.0", "aa")).with_revision("m", "m", revision(2, "2.0", "bb"))
    assert "rollback" in proposals.is_downgrade(lock, "m", "3.0", "aa")
    assert "older than" in proposals.is_downgrade(lock, "m", "1.5", "cc")
    assert "already" in proposals.is_downgrade(lock, "m", "2.0", "bb")
    assert proposals.is_downgrade(lock, "m", "2.1", "cc") == ""
    assert proposals.is_downgrade(lock, "m", "spring edition", "cc") == ""
    assert proposals.is_downgrade(lock, "other", "0.1", "aa") == ""
