"""The application: open with the ledger, closed without it."""

from tests.mcp.http.test_assembly import written

from bartizan.core.clock import SystemClock
from bartizan.gateway.call import Call
from bartizan.gateway.testing import MemoryLog
from bartizan.mcp.http.app import McpApp

HEALTH = Call("GET", "/healthz", [(b"host", b"localhost")], b"")


async def test_it_answers_while_it_is_open(tmp_path):
    """Before and after, that it does not; what cannot be read is answered in JSON-RPC's form."""
    log = MemoryLog()
    app = McpApp(written(tmp_path, ("a", "https://a.test/mcp")), lambda: log, SystemClock())
    assert (await app.answer(HEALTH)).status == 503
    async with app.running():
        assert (await app.answer(HEALTH)).status == 200
        await app.leave()
    assert (await app.answer(HEALTH)).status == 503
    assert log.records[0][0] == "mcp-launch"
    assert log.closed
    assert b'"error"' in app.refusal("/mcp", 400, "bad", "no").body
