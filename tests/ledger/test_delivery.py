"""Telling people: real servers on loopback get what each format promises; one that is dead stops no other."""

import json
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bartizan.core.errors import BadSettings
from bartizan.core.sections.watch import Watch
from bartizan.ledger.alerts import Raised
from bartizan.ledger.delivery import deliver, ocsf, ways

RAISED = Raised("flood", 4, "flood: record 7", (5, 6, 7), 3, 1_700_000_000_000_000_000)


@contextmanager
def serving(server):
    """Serve in a thread; yields the port."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hook():
    """A web server that keeps the JSON it gets; /no answers 500."""
    got = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(500 if self.path == "/no" else 204)
            self.end_headers()

        def log_message(self, *args):
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Hook)) as port:
        yield f"http://127.0.0.1:{port}", got


def test_webhook_slack_and_events_get_it_each_in_its_form(hook, tmp_path, monkeypatch):
    """JSON with everything, one line of text, one OCSF event a line."""
    url, got = hook
    monkeypatch.setenv("HOOK", f"{url}/hook")
    monkeypatch.setenv("SLACK", f"{url}/slack")
    path = tmp_path / "events" / "ocsf.jsonl"
    by = ways(Watch(webhook_env="HOOK", slack_env="SLACK", ocsf_file=str(path)))
    assert deliver(RAISED, by) == (["webhook", "slack", "ocsf"], {})
    assert got[0]["seqs"] == [5, 6, 7]
    assert got[1] == {"text": "Bartizan, high: flood: record 7"}
    event = json.loads(path.read_text())
    assert (event["class_uid"], event["type_uid"], event["severity_id"]) == (2004, 200401, 4)
    assert event == ocsf(RAISED)


def test_one_that_is_dead_or_refuses_stops_no_other_and_its_address_stays_out_of_the_record(
    hook, tmp_path, monkeypatch
):
    """A Slack address is a secret."""
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/secret-path")
    monkeypatch.setenv("SLACK", f"{hook[0]}/no")
    by = ways(Watch(webhook_env="HOOK", slack_env="SLACK", ocsf_file=str(tmp_path / "e")))
    done, failed = deliver(RAISED, by)
    assert done == ["ocsf"]
    assert failed == {"webhook": "ConnectError", "slack": "HTTPStatusError"}


def test_mail_arrives_at_a_mail_server(monkeypatch):
    """A small one of our own, without TLS."""
    got = []

    class Mail(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 hello\r\n")
            data = False
            while line := self.rfile.readline():
                if data:
                    got.append(line)
                    data = line != b".\r\n"
                    if not data:
                        self.wfile.write(b"250 ok\r\n")
                    continue
                word = line[:4].upper()
                data = word == b"DATA"
                self.wfile.write(b"354 go on\r\n" if data else b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as port:
        plan = Watch(smtp_host="127.0.0.1", smtp_port=port, smtp_tls=False, smtp_to=("soc@example.org",))
        assert deliver(RAISED, ways(plan)) == (["mail"], {})
    text = b"".join(got).decode()
    assert "Subject: Bartizan, high: flood" in text
    assert "5, 6, 7" in text


def test_a_secret_that_is_not_there_is_said_at_start(monkeypatch):
    """Not when the alert is due."""
    monkeypatch.delenv("HOOK", raising=False)
    with pytest.raises(BadSettings, match="HOOK"):
        ways(Watch(webhook_env="HOOK"))
