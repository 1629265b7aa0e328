"""Alerts are recorded always, posted when they can be, and never in the way."""

import asyncio
import json

import httptools

from bartizan.gateway.alerts import Alerts


class Hook(asyncio.Protocol):
    """A webhook that fails as often as told before it takes an alert."""

    def __init__(self, got, failures):
        self.got, self.failures, self.body = got, failures, b""
        self.parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_body(self, data):
        self.body += data

    def on_message_complete(self):
        failing = bool(self.failures) and self.failures.pop()
        if not failing:
            self.got.append(json.loads(self.body))
        self.body = b""
        self.transport.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % (500 if failing else 204))


async def test_an_alert_reaches_the_webhook_also_at_the_second_try():
    """And the ledger at once."""
    got, recorded = [], []
    server = await asyncio.get_running_loop().create_server(lambda: Hook(got, [True]), "127.0.0.1", 0)
    alerts = Alerts(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", pause_s=0.01)
    alerts.record = lambda kind, body: recorded.append(kind)
    async with alerts.running():
        alerts.tell("key-quarantine", {"key": "abc"})
        for _ in range(200):
            if got:
                break
            await asyncio.sleep(0.01)
    server.close()
    assert got == [{"alert": "key-quarantine", "key": "abc"}]
    assert (recorded, alerts.lost) == (["key-quarantine"], 0)


async def test_a_webhook_that_is_away_holds_nothing_up():
    """Alerts are dropped and counted; those beyond the queue too; without a webhook they are only recorded."""
    alerts = Alerts("http://127.0.0.1:1/", pause_s=0.0)
    for _ in range(300):
        alerts.tell("x", {})
    assert alerts.lost == 300 - 256
    async with alerts.running():
        for _ in range(300):
            if alerts.lost > 44:
                break
            await asyncio.sleep(0.01)
    assert alerts.lost > 44
    recorded = []
    quiet = Alerts()
    quiet.record = lambda kind, body: recorded.append(body)
    quiet.tell("x", {"a": 1})
    assert recorded == [{"a": 1}]
