"""What is particular to a file: its damage, its durability, its write-ahead log."""

import sqlite3

import pytest

from bartizan.core.errors import BadEvidence
from bartizan.ledger.tables.base import Content, Leaf
from bartizan.ledger.tables.sqlite import DATABASE, SqliteTables, connect


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path):
    """Full synchronisation, and deleted bytes are overwritten."""
    db = connect(tmp_path / "x")
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA secure_delete").fetchone() == (1,)
    db.close()


def test_a_file_that_is_no_database_is_bad_evidence(tmp_path):
    """It says which folder."""
    (tmp_path / DATABASE).write_bytes(b"not a database" * 100)
    with pytest.raises(BadEvidence, match="damaged"):
        SqliteTables(tmp_path)


def test_a_table_that_somebody_dropped_is_bad_evidence(tmp_path):
    """Reading and writing say so instead of failing with a trace."""
    tables = SqliteTables(tmp_path)
    other = sqlite3.connect(tmp_path / DATABASE)
    other.execute("DROP TABLE leaf")
    other.close()
    with pytest.raises(BadEvidence, match="cannot be read"):
        tables.size()
    with pytest.raises(BadEvidence, match="cannot be written"), tables.writing():
        tables.add([Leaf(0, b"r", b"h", "k")], [], [])
    tables.close()


def test_a_scrubbed_content_is_in_no_file(tmp_path):
    """Neither in the database nor in its log."""
    tables = SqliteTables(tmp_path)
    with tables.writing():
        tables.add([], [Content(0, b"s", b"my very private sentence")], [])
    with tables.writing():
        assert tables.forget(0)
        assert not tables.forget(0)
    tables.scrub()
    assert not any(b"private sentence" in path.read_bytes() for path in tmp_path.iterdir())
    tables.close()
