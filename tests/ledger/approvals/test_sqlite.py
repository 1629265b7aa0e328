"""What is particular to a file."""

import pytest

from bartizan.core.errors import BadEvidence
from bartizan.ledger.approvals.sqlite import SqliteRows


def test_a_file_that_is_none_is_an_error_with_its_path(tmp_path):
    """Garbage, and a folder in its place."""
    (tmp_path / "q").write_bytes(b"no database" * 100)
    with pytest.raises(BadEvidence, match="cannot be opened"):
        SqliteRows(tmp_path / "q")
    with pytest.raises(BadEvidence, match="cannot be opened"):
        SqliteRows(tmp_path)


def test_what_fails_inside_a_transaction_changes_nothing(tmp_path):
    """And a statement that makes no sense is our error, not the database's."""
    rows = SqliteRows(tmp_path / "q")
    with pytest.raises(BadEvidence, match="cannot be used"), rows.writing():  # noqa: PT012 - two statements, one fails
        rows.run("INSERT INTO endorsed VALUES ('a', 1, x'', 0)")
        rows.run("INSERT INTO nothing VALUES (1)")
    assert rows.run("SELECT count(*) FROM endorsed") == [(0,)]
    assert rows.name == str(tmp_path / "q")
    rows.close()
