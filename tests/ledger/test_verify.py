"""Verification: an untouched log is intact; after any tampering at all it is not, and the problem names the place."""

import shutil
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import merkle
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.sqlite import DATABASE
from bartizan.ledger.verify import verify

SIZE = 600


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A log of 600 records with three checkpoints, the last one over everything, and two erased contents."""
    folder = tmp_path_factory.mktemp("original")
    one = Ledger.open(folder / "log", origin="t", clock=StoppedClock(), checkpoint_file=folder / "c.txt")
    for start in range(0, SIZE - 2, 200):
        one.append_many([("k", {"n": n}) for n in range(start, min(start + 200, SIZE - 2))])
        one.checkpoint()
    one.erase(3, "x")
    one.erase(300, "x")
    one.checkpoint()
    one.close()
    return folder


def check(folder):
    """Verify the log of a folder."""
    return verify(Section(directory=str(folder / "log"), checkpoint_file=str(folder / "c.txt")))


def test_an_untouched_log_is_intact(original):
    """The control of every test below."""
    result = check(original)
    assert result.intact
    assert (result.records, result.sealed, result.checkpoints, result.erased) == (SIZE, SIZE, 4, 2)


seqs = st.integers(0, SIZE - 1)
tamperings = st.one_of(
    st.tuples(st.just("edit record"), seqs, st.integers(0, 10**6)),
    st.tuples(st.just("edit record and hash"), seqs, st.integers(0, 10**6)),
    st.tuples(st.just("edit hash"), seqs, st.integers(0, 10**6)),
    st.tuples(st.just("edit body"), seqs, st.integers(0, 10**6)),
    st.tuples(st.just("delete body"), seqs, st.just(0)),
    st.tuples(st.just("delete"), seqs, st.just(0)),
    st.tuples(st.just("truncate"), seqs, st.just(0)),
    st.tuples(st.just("swap"), seqs, seqs),
    st.tuples(st.just("insert"), seqs, st.just(0)),
    st.tuples(st.just("edit node"), st.integers(0, 2), st.integers(0, 10**6)),
    st.tuples(st.just("delete node"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("rewrite consistently"), seqs, st.just(0)),
    st.tuples(st.just("edit kind"), seqs, st.just(0)),
    st.tuples(st.just("text for blob"), seqs, st.integers(0, 10**6)),
)


def flipped(data, where):
    """Return `data` with one bit changed."""
    place = where % (len(data) * 8)
    return bytes(byte ^ (1 << place % 8 if index == place // 8 else 0) for index, byte in enumerate(data))


def tamper(db, what, at, more):  # noqa: C901, PLR0915 - one branch for each way to cheat
    """Change the database as a forger would; return False when this case changes nothing."""
    row = db.execute("SELECT record, hash FROM leaf WHERE seq = ?", (at,)).fetchone()
    match what:
        case "edit record" | "text for blob":
            changed = flipped(row[0], more)
            changed = changed.decode("latin-1") if what == "text for blob" else changed
            db.execute("UPDATE leaf SET record = ? WHERE seq = ?", (changed, at))
        case "edit record and hash":
            changed = flipped(row[0], more)
            db.execute("UPDATE leaf SET record = ?, hash = ? WHERE seq = ?", (changed, merkle.leaf_hash(changed), at))
        case "edit hash":
            db.execute("UPDATE leaf SET hash = ? WHERE seq = ?", (flipped(row[1], more), at))
        case "edit body":
            body = db.execute("SELECT body FROM body WHERE seq = ?", (at,)).fetchone()
            if body is None:
                return False
            db.execute("UPDATE body SET body = ? WHERE seq = ?", (flipped(body[0], more), at))
        case "delete body":
            return db.execute("DELETE FROM body WHERE seq = ?", (at,)).rowcount > 0
        case "delete":
            db.execute("DELETE FROM leaf WHERE seq = ?", (at,))
            db.execute("UPDATE leaf SET seq = -seq WHERE seq > ?", (at,))
            db.execute("UPDATE leaf SET seq = -seq - 1 WHERE seq < 0")
        case "truncate":
            db.execute("DELETE FROM leaf WHERE seq >= ?", (at,))
            db.execute("DELETE FROM body WHERE seq >= ?", (at,))
        case "swap":
            other = db.execute("SELECT record, hash FROM leaf WHERE seq = ?", (more,)).fetchone()
            db.execute("UPDATE leaf SET record = ?, hash = ? WHERE seq = ?", (*other, at))
            db.execute("UPDATE leaf SET record = ?, hash = ? WHERE seq = ?", (*row, more))
            return at != more
        case "insert":
            db.execute("UPDATE leaf SET seq = -seq WHERE seq > ?", (at,))
            db.execute("UPDATE leaf SET seq = -seq + 1 WHERE seq < 0")
            db.execute("INSERT INTO leaf VALUES (?, ?, ?, 'k')", (at + 1, *row))
        case "edit node":
            stored = db.execute("SELECT level, idx, hash FROM node").fetchall()[at]
            db.execute("UPDATE node SET hash = ? WHERE level = ? AND idx = ?", (flipped(stored[2], more), *stored[:2]))
        case "delete node":
            stored = db.execute("SELECT level, idx FROM node").fetchall()[at]
            db.execute("DELETE FROM node WHERE level = ? AND idx = ?", stored)
        case "edit kind":
            db.execute("UPDATE leaf SET kind = kind || 'x' WHERE seq = ?", (at,))
        case "rewrite consistently":
            rewrite(db, at)
    return True


def rewrite(db, at):
    """Forge one record and make everything in the database agree with it: only a checkpoint outside can tell."""
    record = db.execute("SELECT record FROM leaf WHERE seq = ?", (at,)).fetchone()[0].replace(b'"kind":"', b'"kind":"z')
    change = "UPDATE leaf SET record = ?, hash = ?, kind = 'z' || kind WHERE seq = ?"
    db.execute(change, (record, merkle.leaf_hash(record), at))
    edge = merkle.Edge()
    for (leaf,) in db.execute("SELECT hash FROM leaf ORDER BY seq").fetchall():
        for level, index, value in edge.add(leaf):
            if level >= 8:
                db.execute("UPDATE node SET hash = ? WHERE level = ? AND idx = ?", (value, level, index))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tampering=tamperings)
def test_every_tampering_is_found(original, tmp_path_factory, tampering):
    """Edits, deletions, insertions, reorderings, truncation, forged hashes, and a fully consistent rewrite."""
    folder = tmp_path_factory.mktemp("t")
    shutil.copytree(original, folder, dirs_exist_ok=True)
    db = sqlite3.connect(folder / "log" / DATABASE)
    changed = tamper(db, *tampering)
    db.commit()
    db.close()
    result = check(folder)
    assert result.intact != changed, tampering
    shutil.rmtree(folder)


def test_the_problem_names_the_record(original, tmp_path):
    """Not only that something is wrong, but where."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    db = sqlite3.connect(tmp_path / "log" / DATABASE)
    tamper(db, "edit body", 417, 3)
    db.commit()
    db.close()
    assert [(one.seq, one.what) for one in check(tmp_path).problems] == [
        (417, "the content does not match its commitment")
    ]


def test_a_consistent_rewrite_is_named_by_the_checkpoints_around_it(original, tmp_path):
    """The forger left nothing inside the database; the range since the last good checkpoint is named."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    db = sqlite3.connect(tmp_path / "log" / DATABASE)
    rewrite(db, 250)
    db.commit()
    db.close()
    assert [one.what for one in check(tmp_path).problems] == ["records 200 to 399 are not the ones that were sealed"]


def test_what_was_cut_off_after_the_last_checkpoint_is_not_claimed_to_be_found(tmp_path):
    """The limit of the promise: records that no checkpoint covers can vanish; `sealed` says how far it reaches."""
    one = Ledger.open(tmp_path / "log", origin="t", clock=StoppedClock(), checkpoint_file=tmp_path / "c.txt")
    one.append("a", {})
    one.checkpoint()
    one.append("b", {})
    one.close()
    assert (check(tmp_path).records, check(tmp_path).sealed) == (2, 1)


def test_a_database_that_is_none_and_a_missing_one_are_bad_evidence(original, tmp_path):
    """No traceback."""
    shutil.copytree(original, tmp_path / "x")
    (tmp_path / "x" / "log" / DATABASE).write_bytes(b"not a database" * 100)
    for wal in (tmp_path / "x" / "log").glob("*-wal"):
        wal.unlink()
    with pytest.raises(BadEvidence):
        check(tmp_path / "x")
    with pytest.raises(BadEvidence, match="no ledger there"):
        check(tmp_path / "nowhere")


def test_a_forged_checkpoint_file_is_bad_evidence(original, tmp_path):
    """Its signatures are checked before anything is believed."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    notes = tmp_path / "c.txt"
    notes.write_text(notes.read_text().replace("\n600\n", "\n601\n"))
    with pytest.raises(BadEvidence, match="does not hold"):
        check(tmp_path)
    (tmp_path / "c.txt.pub").unlink()
    with pytest.raises(BadEvidence, match="cannot be read"):
        check(tmp_path)
