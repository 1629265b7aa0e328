"""Health, readiness, metrics."""

from tests.gateway.conftest import chat

from bartizan.gateway.auth import BookKeys
from bartizan.gateway.keys import KeyBook


async def test_readiness_follows_the_ledger(world):
    """A gateway that cannot record is alive but not ready."""
    async with world.client() as client:
        assert (await client.get("/readyz")).status_code == 200
        world.log.fails = True
        await client.post("/v1/chat/completions", content=chat())
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
        metrics = (await client.get("/metrics")).text
    assert "bartizan_ledger_up 0" in metrics


async def test_metrics_need_the_right_to_measure(world, tmp_path):
    """An admin key reads them; no key and a model key do not."""
    book = KeyBook(tmp_path / "keys.json", world.clock)
    _, plain = book.create("bob", days=1)
    _, admin = book.create("root", days=1, admin=True)
    world.auth = BookKeys(book)
    async with world.client() as client:
        for key, status in ((plain, 403), (admin, 200), ("", 403)):
            headers = {"x-api-key": key} if key else {}
            assert (await client.get("/metrics", headers=headers)).status_code == status
        await client.post("/v1/chat/completions", content=chat("forbidden"), headers={"x-api-key": plain})
        text = (await client.get("/metrics", headers={"x-api-key": admin})).text
    assert 'outcome="blocked",verdict="block",status="200"} 1' in text
