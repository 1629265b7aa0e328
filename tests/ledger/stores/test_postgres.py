"""What is particular to a database server: its connections, its lock, its schema."""

import asyncio
import builtins
import uuid

import psycopg
import pytest
from tests.doubles.servers import postgres_server

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.ledger.stores.base import Admitted, Amounts, Hold, Limit
from bartizan.ledger.stores.postgres import PostgresStore

CAP = Limit("money", "budget", "money", 500)


def space():
    return f"t{uuid.uuid4().hex}"


async def test_replicas_on_the_server_clock_share_one_cap():
    """Three stores, a hundred calls each at once: the cap, to the last unit."""
    name = space()
    stores = [PostgresStore(postgres_server(), space=name) for _ in range(3)]

    async def call(store, number):
        return isinstance(await store.admit(Hold(f"{id(store)}-{number}", (CAP,), Amounts(10)), 60_000), Admitted)

    found = await asyncio.gather(*(call(store, number) for store in stores for number in range(100)))
    assert sum(found) == 50
    (standing,) = await stores[0].standings([CAP])
    assert (standing.spent, standing.held) == (0, 500)
    await asyncio.gather(*(store.close() for store in stores))


async def test_a_connection_that_is_cut_is_an_error_once_and_made_anew():
    """As by a failover."""
    store = PostgresStore(postgres_server(), space=space())
    await store.admit(Hold("a", (CAP,), Amounts(10)), 60_000)
    pid = store._connection.info.backend_pid
    async with await psycopg.AsyncConnection.connect(postgres_server(), autocommit=True) as admin:
        await admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(UpstreamFailed, match="does not answer"):
        await store.admit(Hold("b", (CAP,), Amounts(10)), 60_000)
    await asyncio.sleep(0.6)
    assert isinstance(await store.admit(Hold("c", (CAP,), Amounts(10)), 60_000), Admitted)
    await store.close()


async def test_a_server_that_is_not_there_is_an_error():
    """Within seconds."""
    store = PostgresStore("postgresql://postgres@127.0.0.1:1/none")
    with pytest.raises(UpstreamFailed):
        await store.switches()
    await store.close()


def test_a_bad_schema_and_a_missing_client_say_what_to_do(monkeypatch):
    """No name gets into a statement that is not a plain word."""
    with pytest.raises(BadSettings, match="schema"):
        PostgresStore("postgresql://x", space='a"; drop')
    real = builtins.__import__

    def without(name, *rest):
        if name == "psycopg":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadSettings) as caught:
        PostgresStore("postgresql://x")
    assert "bartizan[stores]" in caught.value.hint()
