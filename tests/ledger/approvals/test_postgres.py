"""What is particular to a server: connections that are cut, errors without passwords, a client that is missing."""

import builtins
import uuid

import psycopg
import pytest
from tests.doubles.servers import postgres_server

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.ledger.approvals.postgres import PostgresRows


def test_a_connection_that_is_cut_is_an_error_once():
    """As by a failover; the next statement goes on."""
    rows = PostgresRows(postgres_server(), f"t{uuid.uuid4().hex}")
    with psycopg.connect(postgres_server(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (rows._db.info.backend_pid,))
    with pytest.raises(BadEvidence, match="cannot be used"):
        rows.run("SELECT 1")
    assert rows.run("SELECT count(*) FROM held") == [(0,)]
    rows.close()


def test_errors_name_the_database_and_never_the_password():
    """A server that is not there; a schema that is no word."""
    with pytest.raises(BadEvidence, match=r"127\.0\.0\.1/none") as caught:
        PostgresRows("postgresql://somebody:geheim@127.0.0.1:1/none")
    assert "geheim" not in str(caught.value)
    with pytest.raises(BadSettings, match="schema"):
        PostgresRows("postgresql://x", 'a"; drop')


def test_a_missing_client_says_what_to_do(monkeypatch):
    """The base install has none."""
    real = builtins.__import__

    def without(name, *rest):
        if name == "psycopg":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadSettings, match="client is not installed") as caught:
        PostgresRows("postgresql://x")
    assert "bartizan[stores]" in caught.value.hint()
