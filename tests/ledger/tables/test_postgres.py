"""What is particular to a server: its crashes, its connections, its settings, its errors."""

import builtins
import uuid

import psycopg
import pytest
from tests.doubles.servers import postgres_server, restart_postgres

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.postgres import PostgresTables
from bartizan.ledger.verify import verify


def section(folder):
    """A log of its own."""
    return Section(
        directory=str(folder / "log"),
        database=postgres_server(),
        schema=f"t{uuid.uuid4().hex}",
        checkpoint_file=str(folder / "c.txt"),
    )


def test_a_server_that_crashes_keeps_what_was_acknowledged(tmp_path):
    """It stops as after a power cut; the next record is an error or is kept, and the log goes on and verifies."""
    ledger = Ledger.configured(section(tmp_path), StoppedClock())
    receipts = ledger.append_many([("k", {"n": n}) for n in range(300)])
    sealed = ledger.checkpoint()
    restart_postgres()
    with pytest.raises(BadEvidence, match="cannot be"):
        ledger.append("k", {})
    assert ledger.append("k", {}).seq == 300
    assert ledger.root(300) == sealed.root
    assert ledger.entries(299, 1)[0].leaf_hash == receipts[299].leaf_hash
    ledger.close()
    assert verify(ledger.section).intact


def test_a_connection_that_is_cut_is_an_error_once(tmp_path):
    """As by a failover; reading goes on as well."""
    ledger = Ledger.configured(section(tmp_path), StoppedClock())
    ledger.append("k", {})
    with psycopg.connect(postgres_server(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (ledger._tables._db.info.backend_pid,))
    with pytest.raises(BadEvidence):
        ledger.size()
    assert ledger.size() == 1
    ledger.close()


def test_a_server_that_commits_asynchronously_is_told_not_to(tmp_path):
    """A receipt must survive a crash of the server, whatever its default is; a stricter default stays."""
    with psycopg.connect(postgres_server(), autocommit=True) as admin:
        name = f"d{uuid.uuid4().hex}"
        admin.execute(f"CREATE DATABASE {name}")
        for given, kept in (("off", "on"), ("remote_apply", "remote_apply")):
            admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = {given}")
            tables = PostgresTables(postgres_server().rsplit("/", 1)[0] + f"/{name}", "log")
            assert tables._all("SHOW synchronous_commit") == [(kept,)]
            tables.close()


def test_errors_name_the_database_and_never_the_password():
    """A server that is not there."""
    with pytest.raises(BadEvidence, match=r"127\.0\.0\.1/none \(schema log\) cannot be opened") as caught:
        PostgresTables("postgresql://somebody:geheim@127.0.0.1:1/none", "log")
    assert "geheim" not in str(caught.value)


def test_a_bad_schema_and_a_missing_client_say_what_to_do(monkeypatch):
    """No name gets into a statement that is not a plain word."""
    with pytest.raises(BadSettings, match="schema"):
        PostgresTables("postgresql://x", 'a"; drop')
    real = builtins.__import__

    def without(name, *rest):
        if name == "psycopg":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadSettings) as caught:
        PostgresTables("postgresql://x", "log")
    assert "bartizan[stores]" in caught.value.hint()
