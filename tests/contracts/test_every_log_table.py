"""The same promises of a log wherever its rows are kept: in a SQLite file and in a real PostgreSQL server."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid

import msgspec
import pytest
from tests.doubles.servers import postgres_server

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import export, merkle, standalone
from bartizan.ledger.log import Ledger
from bartizan.ledger.verify import verify


@pytest.fixture(params=["sqlite", "postgres"])
def section(request, tmp_path):
    """Where an empty log is kept."""
    database = postgres_server() if request.param == "postgres" else ""
    return Section(
        directory=str(tmp_path / "log"),
        database=database,
        schema=f"t{uuid.uuid4().hex}",
        checkpoint_file=str(tmp_path / "notes" / "c.txt"),
        origin="test/log",
    )


@pytest.fixture
def ledger(section):
    """An empty log."""
    one = Ledger.configured(section, StoppedClock())
    yield one
    one.close()


def tampered(ledger, statement):
    """Do to the database what whoever administers it can do."""
    tables = ledger._tables
    with tables.writing():
        if ledger.section.database:
            tables._do(statement.replace("FROM ", "FROM {space}.").replace("UPDATE ", "UPDATE {space}."))
        else:
            tables._db.execute(statement)


def test_what_was_appended_is_read_back(ledger):
    """Kinds, contents, places, the latest of a kind, counts; letters of every script and half a surrogate pair."""
    bodies = [{"n": 1}, {"text": "Übergröße 🙂 \u202e"}, {"half": "\ud800"}, {"deep": [{"x": 1.5}, None]}]
    receipts = ledger.append_many([(f"kind-{n % 2}", body) for n, body in enumerate(bodies)])
    assert [one.seq for one in receipts] == [0, 1, 2, 3]
    entries = ledger.entries()
    assert [one.body for one in entries] == bodies
    assert [one.leaf_hash for one in entries] == [one.leaf_hash for one in receipts]
    assert [one.record.seq for one in ledger.latest("kind-1", 5)] == [3, 1]
    assert [one.record.seq for one in ledger.latest("kind-1", 5, before=3)] == [1]
    assert ledger.counts() == {"kind-0": 2, "kind-1": 2}
    assert [one.record.seq for one in ledger.entries(2, 1)] == [2]


def test_records_that_mention_a_word_are_found_in_a_range(ledger):
    """By their content, in order, erased ones not; the word is no pattern."""
    ledger.append_many([("k", {"request": name}) for name in ("r1", "r2", "r1", "%", "r1")])
    ledger.erase(2, "asked for")
    assert [one.record.seq for one in ledger.mentioning('"r1"', 0, 5)] == [0, 4]
    assert [one.record.seq for one in ledger.mentioning('"r1"', 1, 3)] == []
    assert [one.record.seq for one in ledger.mentioning("%", 0, 5)] == [3]


def test_a_batch_is_all_or_nothing(ledger):
    """A body that is no JSON stops the batch; the next record takes the first place."""
    with pytest.raises(BadEvidence, match="no JSON"):
        ledger.append_many([("a", {}), ("b", {"x": float("nan")})])
    assert ledger.size() == 0
    assert ledger.append("c", {}).seq == 0


def test_a_write_that_fails_half_way_leaves_the_log_as_it_was(ledger):
    """What the failed transaction added to the tree in memory is forgotten too."""
    ledger.append("a", {})
    with pytest.raises(BadEvidence), ledger._writing() as write:
        raise BadEvidence(str(write("b", b"{}")))
    assert ledger.append("c", {}).seq == 1
    ledger.checkpoint()
    assert verify(ledger.section).intact


def test_many_writers_make_one_sequence(section):
    """Two open logs and three threads, as several machines have: no number twice, nothing lost, all of it sealed."""
    logs = [Ledger.configured(section, StoppedClock()) for _ in range(2)]
    seqs = []

    def write(one):
        seqs.extend(one.append("k", {}).seq for _ in range(30))

    threads = [threading.Thread(target=write, args=(one,)) for one in (*logs, logs[0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seqs) == list(range(90))
    assert logs[1].checkpoint().size == 90
    for one in logs:
        one.close()
    assert verify(section).intact


def test_proofs_over_stored_and_computed_subtrees_hold(ledger):
    """Inclusion and consistency, also after the log is opened again."""
    receipts = [one for _ in range(7) for one in ledger.append_many([("k", {"n": n}) for n in range(100)])]
    sealed = ledger.checkpoint()
    again = Ledger.configured(ledger.section, StoppedClock())
    assert again.append("k", {}).seq == 700
    again.close()
    for seq in (0, 255, 256, 511, 512, 699):
        proof = ledger.inclusion_proof(seq, sealed.size)
        merkle.verify_inclusion(receipts[seq].leaf_hash, seq, sealed.size, proof, sealed.root)
    for old in (1, 256, 300):
        merkle.verify_consistency(old, 700, ledger.consistency_proof(old, 700), ledger.root(old), sealed.root)


def test_erasing_removes_the_content_and_keeps_every_proof(ledger):
    """It is a record itself; what is gone already, or never was, cannot be erased."""
    ledger.append("chat", {"text": "my very private sentence"})
    ledger.checkpoint()
    ledger.erase(0, "asked by the person")
    assert ledger.entries()[0].body is None
    for gone in (0, 99):
        with pytest.raises(BadEvidence, match="no content to erase"):
            ledger.erase(gone, "again")
    result = verify(ledger.section)
    assert (result.intact, result.erased, result.records) == (True, 1, 2)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE body SET body = '{}' WHERE seq = 41", "the content does not match"),
        ("UPDATE leaf SET hash = (SELECT hash FROM leaf WHERE seq = 1) WHERE seq = 41", "its stored hash differ"),
        ("UPDATE leaf SET kind = 'other' WHERE seq = 41", "the index calls it"),
        ("DELETE FROM leaf WHERE seq = 41", "are missing"),
        ("DELETE FROM leaf WHERE seq > 290", "the end was cut off"),
        ("DELETE FROM body WHERE seq = 41", "no record says that it was erased"),
        ("UPDATE node SET idx = idx + 1", "stored hash"),
    ],
)
def test_tampering_by_who_administers_the_database_is_found(ledger, statement, said):
    """Intact before, named after."""
    ledger.append_many([("k", {"n": n}) for n in range(300)])
    ledger.checkpoint()
    assert verify(ledger.section).intact
    tampered(ledger, statement)
    assert any(said in one.what for one in verify(ledger.section).problems)


def test_an_export_is_checked_without_us(ledger):
    """By the stand-alone verifier, with the same records."""
    ledger.append_many([("k", {"n": n}) for n in range(40)])
    ledger.checkpoint()
    assert standalone.verify(list(export.lines(ledger.section))) == ([], 40, 40)


WRITER = """
import sys
import msgspec
from bartizan.core.clock import SystemClock
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger.log import Ledger
ledger = Ledger.configured(msgspec.json.decode(sys.argv[1], type=Section), SystemClock())
print("open", flush=True)
number = 0
while True:
    receipts = ledger.append_many([("k", {"n": number + i}) for i in range(number % 5 + 1)])
    number += len(receipts)
    print(receipts[-1].seq, receipts[-1].leaf_hash.hex(), flush=True)
    if number % 7 == 0:
        ledger.checkpoint()
"""


def test_kill_9_at_any_moment_loses_nothing_acknowledged(section):
    """Eight times: kill a writer at random, verify, and find every acknowledged record in its place."""
    draw, acknowledged = random.Random(9), {}
    env = {**os.environ, "PYTHONPATH": "src"}
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, msgspec.json.encode(section).decode()],
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        ) as writer:
            assert writer.stdout.readline() == "open\n"
            time.sleep(draw.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout.read().splitlines():
                words = line.split(" ")
                if len(words) == 2 and len(words[1]) == 64:
                    acknowledged[int(words[0])] = words[1]
        result = verify(section)
        assert result.intact, result.problems
    one = Ledger.configured(section, StoppedClock())
    found = {entry.record.seq: entry.leaf_hash.hex() for entry in one.entries(0, 10**6)}
    one.close()
    assert acknowledged
    assert all(found[seq] == leaf for seq, leaf in acknowledged.items())
