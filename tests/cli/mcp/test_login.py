"""`bartizan mcp login`: the address is printed, the browser comes back, the token is kept for the proxy."""

import asyncio
import contextlib
import threading
import urllib.request

import pytest
from tests.mcp.http.authorization_server import AuthorizationServer
from tests.mcp.http.far_server import served

from bartizan.cli.main import main

SETTINGS = """
[[mcp.servers]]
name = "issues"
url = "{url}"
{client}
consent_file = "token.json"
"""


class Browser:
    """Reads what is printed, and does what a person would do with the address; first a strange page comes along."""

    def __init__(self, giving):
        self.giving, self.shown = giving, ""

    def write(self, text):
        self.shown += text
        address = next((line.strip() for line in text.splitlines() if "/authorize?" in line), "")
        if address:
            threading.Thread(target=self._open, args=(address,)).start()

    def flush(self):
        pass

    def _open(self, address):
        query = self.giving.consent(address)
        redirect = next(iter(self.giving.consented.values()))["redirect_uri"]
        for what in ("?code=stolen&state=guessed", f"?{query}"):
            with urllib.request.urlopen(redirect + what) as answer:
                assert answer.status == 200


@pytest.mark.parametrize(("client", "said"), [('client_id = "us"', ""), ("", "as client client-0")])
def test_a_person_consents(client, said, tmp_path, monkeypatch, capsys):
    """A strange answer is refused and waited past; the token stands in the file, and what happened in the ledger.

    Without a client_id we register ourselves, and say so.
    """
    monkeypatch.chdir(tmp_path)
    giving, ready, over = AuthorizationServer(), threading.Event(), asyncio.Event()
    giving.registers = None if client else {}

    async def give():
        async with served(giving) as url:
            giving.url, giving.resource = url.removesuffix("/mcp"), url
            ready.set()
            await over.wait()

    loop = asyncio.new_event_loop()
    serving = threading.Thread(target=loop.run_until_complete, args=(give(),))
    serving.start()
    ready.wait(10)
    (tmp_path / "bartizan.toml").write_text(SETTINGS.format(url=giving.resource, client=client), encoding="utf-8")
    browser = Browser(giving)
    with contextlib.redirect_stdout(browser):
        code = main(["mcp", "login", "issues", "--wait", "20"])
    loop.call_soon_threadsafe(over.set)
    serving.join()
    loop.close()
    assert code == 0
    assert "refused: this answer is not to what we asked" in browser.shown
    assert "token-0" in (tmp_path / "token.json").read_text()
    assert "token-0" not in browser.shown
    assert said in browser.shown
    assert ("registered at" in browser.shown) == (not client)
    assert main(["ledger", "show"]) == 0
    assert "mcp-consented" in capsys.readouterr().out


def test_what_cannot_be_logged_in_to_is_said(tmp_path, monkeypatch, capsys):
    """No such server, or one without a file for the token; nobody who consents."""
    monkeypatch.chdir(tmp_path)
    assert main(["mcp", "login", "issues"]) == 2
    assert "consent_file" in capsys.readouterr().err
