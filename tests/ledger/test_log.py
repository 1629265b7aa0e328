"""The log: durable receipts, many writers, proofs, erasure, and kill -9 at any moment."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import merkle
from bartizan.ledger.log import Ledger, public_key_file
from bartizan.ledger.verify import verify

ORIGIN = "test/log"


def opened(folder):
    """Open the log of a folder."""
    return Ledger.open(folder / "log", origin=ORIGIN, clock=StoppedClock(), checkpoint_file=folder / "notes" / "c.txt")


@pytest.fixture
def ledger(tmp_path):
    """An empty log."""
    one = opened(tmp_path)
    yield one
    one.close()


def intact(folder):
    """Verify a folder's log."""
    return verify(Section(directory=str(folder / "log"), checkpoint_file=str(folder / "notes" / "c.txt")))


def test_what_was_appended_is_read_back_in_order(ledger):
    """Kind, content, time, place."""
    receipts = ledger.append_many([("a", {"n": 1}), ("b", {"n": 2})])
    assert [receipt.seq for receipt in receipts] == [0, 1]
    entries = ledger.entries()
    assert [(one.record.kind, one.body) for one in entries] == [("a", {"n": 1}), ("b", {"n": 2})]
    assert str(receipts[1]) == f"1:{entries[1].leaf_hash.hex()}"


def test_the_latest_of_a_kind_and_the_counts(ledger):
    """The latest first; other kinds do not count."""
    ledger.append_many([("a", {"n": 1}), ("b", {"n": 2}), ("a", {"n": 3})])
    assert [one.body["n"] for one in ledger.latest("a", 5)] == [3, 1]
    assert ledger.latest("c") == []
    assert ledger.counts() == {"a": 2, "b": 1}


def test_a_batch_is_all_or_nothing(ledger):
    """A body that is no JSON stops the batch before anything is written."""
    with pytest.raises(BadEvidence, match="no JSON"):
        ledger.append_many([("a", {}), ("b", {"x": float("nan")})])
    assert ledger.size() == 0
    assert ledger.append("c", {}).seq == 0


def test_it_goes_on_where_it_stopped(tmp_path):
    """Also over more than one stored tile; the root does not depend on how the records came."""
    roots = []
    for step in (1, 300, 900):
        folder = tmp_path / str(step)
        folder.mkdir()
        for start in range(0, 900, step):
            one = opened(folder)
            one.append_many([("k", {"n": number}) for number in range(start, start + step)])
            roots.append(one.root(10**9))
            one.close()
            if step == 1 and start > 20:
                break
        assert intact(folder).intact


def test_two_open_logs_write_one_sequence(tmp_path):
    """Two handles on one folder, as two processes have: no number twice, nothing lost."""
    first, second = opened(tmp_path), opened(tmp_path)
    seqs = []

    def write(one):
        seqs.extend(one.append("k", {}).seq for _ in range(60))

    threads = [threading.Thread(target=write, args=(one,)) for one in (first, second, first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seqs) == list(range(180))
    first.checkpoint()
    second.close()
    first.close()
    assert intact(tmp_path).intact


def test_proofs_verify_against_the_checkpoint(ledger):
    """Inclusion of every record, consistency from every size, over stored and computed subtrees."""
    receipts = ledger.append_many([("k", {"n": number}) for number in range(700)])
    sealed = ledger.checkpoint()
    for seq in (0, 1, 255, 256, 511, 512, 699):
        proof = ledger.inclusion_proof(seq, sealed.size)
        merkle.verify_inclusion(receipts[seq].leaf_hash, seq, sealed.size, proof, sealed.root)
    for old in (1, 255, 256, 300, 700):
        merkle.verify_consistency(old, 700, ledger.consistency_proof(old, 700), ledger.root(old), sealed.root)


def test_erasing_removes_the_content_and_keeps_every_proof(tmp_path):
    """The words are in no file any more, and the log verifies."""
    one = opened(tmp_path)
    one.append("chat", {"text": "my very private sentence"})
    before = one.checkpoint()
    one.erase(0, "asked by the person")
    assert one.entries()[0].body is None
    merkle.verify_consistency(1, 2, one.consistency_proof(1, 2), before.root, one.root(2))
    with pytest.raises(BadEvidence, match="no content to erase"):
        one.erase(0, "again")
    with pytest.raises(BadEvidence, match="no content to erase"):
        one.erase(99, "never was")
    one.close()
    assert not any(b"private sentence" in path.read_bytes() for path in (tmp_path / "log").iterdir())
    result = intact(tmp_path)
    assert result.intact
    assert result.erased == 1


def test_a_checkpoint_file_of_another_log_is_refused(tmp_path):
    """Two logs must not share their evidence."""
    opened(tmp_path).close()
    with pytest.raises(BadEvidence, match="another key"):
        Ledger.open(
            tmp_path / "log2", origin=ORIGIN, clock=StoppedClock(), checkpoint_file=tmp_path / "notes" / "c.txt"
        )
    assert public_key_file(tmp_path / "notes" / "c.txt").exists()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    """A file stands in the way."""
    (tmp_path / "log").write_text("")
    with pytest.raises(BadEvidence, match="cannot be opened"):
        opened(tmp_path)


WRITER = """
import sys
from pathlib import Path
from bartizan.core.clock import SystemClock
from bartizan.ledger.log import Ledger
folder = Path(sys.argv[1])
ledger = Ledger.open(folder / "log", origin="test/log", clock=SystemClock(), checkpoint_file=folder / "notes" / "c.txt")
print("open", flush=True)
number = 0
while True:
    receipts = ledger.append_many([("k", {"n": number + i}) for i in range(number % 5 + 1)])
    number += len(receipts)
    print(receipts[-1].seq, receipts[-1].leaf_hash.hex(), flush=True)
    if number % 7 == 0:
        ledger.checkpoint()
"""


def test_kill_9_at_any_moment_loses_nothing_acknowledged(tmp_path):
    """Fifty times: kill a writer at random, verify, and find every acknowledged record in its place."""
    draw = random.Random(9)
    acknowledged = {}
    env = {**os.environ, "PYTHONPATH": "src"}
    for _ in range(50):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env
        ) as writer:
            assert writer.stdout.readline() == "open\n"
            time.sleep(draw.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout.read().splitlines():
                words = line.split(" ")
                if len(words) == 2 and len(words[1]) == 64:
                    acknowledged[int(words[0])] = words[1]
        result = intact(tmp_path)
        assert result.intact, result.problems
    one = opened(tmp_path)
    found = {entry.record.seq: entry.leaf_hash.hex() for entry in one.entries(0, 10**6)}
    one.close()
    assert acknowledged
    assert all(found[seq] == leaf for seq, leaf in acknowledged.items())
