"""The controlled update from the first version to a rollback, and everything that must not work on the way."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadArtifact, BadEvidence, BadSettings, Refused
from bartizan.core.sections.supply import Supply
from bartizan.ledger.log import Ledger
from bartizan.supply.admission.desk import Desk
from bartizan.supply.admission.guard import check

GOOD, BETTER = b"\x80\x02N.", b"\x80\x02K\x01."
LIBRARY = b"\x80\x02csklearn.svm\nSVC\n)\x81."
EVIL = b"cposix\nsystem\n(S'true'\ntR."
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def desk(tmp_path):
    """A desk over a ledger of its own."""
    clock = StoppedClock()
    ledger = Ledger.open(tmp_path / "ledger", origin="test", clock=clock)
    yield Desk(Supply(lock_file=str(tmp_path / "bartizan.lock")), ledger, KEY, clock)
    ledger.close()


def with_policy(desk, **changes):
    """Return the same desk with another policy."""
    return Desk(Supply(lock_file=desk.policy.lock_file, **changes), desk.ledger, desk.key, desk.clock)


def model(tmp_path, data):
    """Write the model where it will be served from."""
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    (folder / "m.pkl").write_bytes(data)
    return folder


def admitted(desk, folder, version, *, people=("ada",)):
    """Propose and approve."""
    proposal = desk.propose(folder, "m", version, source="registry", who="bob")
    for who in people:
        revision = desk.decide(proposal.id, "approve", who=who, why="looked at it")
    return revision


def test_a_controlled_update_from_end_to_end(tmp_path, desk):
    """Scan, diff, two people, lock, guarded start, rollback; a downgrade and a replay are refused."""
    # (1) The first version is plain: one person.
    folder = model(tmp_path, GOOD)
    assert admitted(desk, folder, "1.0").number == 1
    assert check(desk.lock(), {}) == []
    first_lock = Path(desk.policy.lock_file).read_bytes()

    # (2) The next one names a class: the scan says REVIEW, and two people are needed.
    model(tmp_path, LIBRARY)
    assert [one.rule for one in check(desk.lock(), {})] == ["artefact-changed"]
    proposal = desk.propose(folder, "m", "2.0", source="registry", who="bob")
    assert proposal.reviewers == 2
    assert "names added: sklearn.svm.SVC" in proposal.changes
    assert desk.decide(proposal.id, "approve", who="ada", why="read it") is None
    with pytest.raises(Refused, match="somebody else"):
        desk.decide(proposal.id, "approve", who="ada", why="again")
    with pytest.raises(Refused, match="somebody else"):
        desk.decide(proposal.id, "approve", who="bob", why="my own")
    assert [one.missing for one in desk.waiting()] == [1]
    assert desk.decide(proposal.id, "approve", who="eve", why="read it too").number == 2
    assert desk.waiting() == []
    assert check(desk.lock(), {}) == []

    # (3) Going back by proposing the old files or an old number is refused; so is putting the old lock back.
    model(tmp_path, GOOD)
    with pytest.raises(Refused, match="rollback"):
        desk.propose(folder, "m", "3.0", source="registry", who="bob")
    model(tmp_path, BETTER)
    with pytest.raises(Refused, match="older than"):
        desk.propose(folder, "m", "1.5", source="registry", who="bob")
    latest = Path(desk.policy.lock_file).read_bytes()
    Path(desk.policy.lock_file).write_bytes(first_lock)
    with pytest.raises(BadEvidence, match="older one was put back"):
        desk.lock()
    Path(desk.policy.lock_file).write_bytes(latest)

    # (4) A rollback is a decision of its own; then the old files start and the new ones do not.
    back = desk.roll_back("m", 1, who="bob", why="2.0 answers nonsense")
    assert desk.decide(back.id, "approve", who="ada", why="agreed") is None
    assert desk.decide(back.id, "approve", who="eve", why="agreed").rollback_of == 1
    assert [one.rule for one in check(desk.lock(), {})] == ["artefact-changed"]
    model(tmp_path, GOOD)
    assert check(desk.lock(), {}) == []
    assert desk.lock().sequence == 3
    assert [one.kind for one in (entry.record for entry in desk.ledger.entries())].count("supply.admitted") == 3


@pytest.mark.parametrize("data", [EVIL, b"\x80\x02X\xff\xff"])
def test_what_the_scan_stops_nobody_can_approve(tmp_path, desk, data):
    """Blocked or unreadable: recorded and refused."""
    with pytest.raises(Refused, match="the scan says"):
        desk.propose(model(tmp_path, data), "m", "1.0", source="", who="bob")
    assert desk.waiting() == []
    assert len(desk.ledger.latest("supply.refused")) == 1


def test_files_that_changed_after_the_review_do_not_get_in(tmp_path, desk):
    """What was reviewed is what gets in."""
    folder = model(tmp_path, GOOD)
    proposal = desk.propose(folder, "m", "1.0", source="", who="bob")
    model(tmp_path, BETTER)
    with pytest.raises(Refused, match="not the files that were reviewed"):
        desk.decide(proposal.id, "approve", who="ada", why="fine")
    assert desk.lock().artefacts == {}


def test_a_denial_ends_a_proposal(tmp_path, desk):
    """Nobody can approve it afterwards; an unknown one or another word is an error."""
    proposal = desk.propose(model(tmp_path, GOOD), "m", "1.0", source="", who="bob")
    with pytest.raises(BadSettings, match="approve or deny"):
        desk.decide(proposal.id, "maybe", who="ada", why="hm")
    desk.decide(proposal.id, "deny", who="ada", why="not wanted")
    with pytest.raises(BadArtifact, match="no open proposal"):
        desk.decide(proposal.id, "approve", who="eve", why="wanted")
    with pytest.raises(BadArtifact, match="no earlier revision"):
        desk.roll_back("m", 1, who="bob", why="x")


def test_a_cooling_off_time(tmp_path, desk):
    """Approved early, admitted when the time is over."""
    slow = with_policy(desk, cooldown_hours=24)
    assert admitted(slow, model(tmp_path, GOOD), "1.0") is None
    assert slow.finish() == 0
    desk.clock.advance(25 * 3600)
    assert slow.finish() == 1
    assert slow.lock().artefacts["m"].current.approvals[0].who == "ada"


def test_with_reviewers_keys_a_name_alone_is_nothing(tmp_path, desk):
    """The key of that name must sign this very decision; a path in a name opens nothing."""
    ada, eve = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    folder = tmp_path / "reviewers"
    folder.mkdir()
    public = ada.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "ada.pub").write_bytes(public)
    shutil.copy(folder / "ada.pub", tmp_path / "eve.pub")
    strict = with_policy(desk, reviewer_keys=str(folder))
    proposal = strict.propose(model(tmp_path, GOOD), "m", "1.0", source="", who="bob")
    for who, key in (("ada", None), ("ada", eve), ("eve", eve), ("../eve", ada)):
        with pytest.raises(Refused, match="no valid signature"):
            strict.decide(proposal.id, "approve", who=who, why="x", key=key)
    assert strict.decide(proposal.id, "approve", who="ada", why="read it", key=ada).approvals[0].signature


def test_an_approval_without_signature_in_the_ledger_does_not_count_when_keys_are_asked_for(tmp_path, desk):
    """Somebody who can write records cannot make a reviewer of themselves."""
    folder = tmp_path / "reviewers"
    folder.mkdir()
    proposal = desk.propose(model(tmp_path, GOOD), "m", "1.0", source="", who="bob")
    desk.ledger.append(
        "supply.decided",
        {
            "id": proposal.id, "decision": "approve", "who": "ada", "why": "x", "root": proposal.root, "time_ns": 1,
            "signature": None,
        },
    )  # fmt: skip
    assert with_policy(desk, reviewer_keys=str(folder)).waiting()[0].approvals == ()
    assert len(desk.waiting()[0].approvals) == 1
