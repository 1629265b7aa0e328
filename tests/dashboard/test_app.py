"""The pages: what the ledger says, hostile text without effect, loopback names only, no script anywhere."""

import sqlite3

import pytest
from starlette.testclient import TestClient

from bartizan.core.clock import StoppedClock
from bartizan.dashboard.app import Dashboard
from bartizan.ledger.log import DATABASE, Ledger

HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def ledger(tmp_path):
    """A log of an assessment and three exchanges, one of them blocked."""
    one = Ledger.open(tmp_path / "log", origin="t", clock=StoppedClock(), checkpoint_file=tmp_path / "c.txt")
    one.append("assessment-started", {"target": "http://x", "model": HOSTILE})
    one.append("row", {"threat": "T01", "state": "holds", "why": "every claim held"})
    one.append("assessment-ended", {})
    one.append_many([("exchange", {"caller": "k", "model": "m", "verdict": "allow", "why": ""})] * 2)
    one.append("exchange", {"caller": HOSTILE, "model": "m", "verdict": "block", "why": "instruction-override"})
    one.checkpoint()
    yield one
    one.close()


@pytest.fixture
def client(ledger):
    """A browser on loopback."""
    with TestClient(Dashboard(ledger).app(), base_url="http://127.0.0.1:8788") as one:
        yield one


def test_the_first_page_says_what_was_stopped_and_what_was_proved(client):
    """Counts, the blocked request with its reason, the row of the last assessment."""
    page = client.get("/").text
    for said in ("instruction-override", "T01", "every claim held", "6</b>records in the ledger"):
        assert said in page, said


@pytest.mark.parametrize("path", ["/", "/records"])
def test_hostile_text_stays_text_and_no_script_may_run(client, path):
    """Escaped, made visible, and forbidden by policy besides."""
    answer = client.get(path)
    assert "<script" not in answer.text
    assert "\u202e" not in answer.text
    assert "⟨U+202E⟩" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_another_host_name_is_refused(ledger):
    """A page elsewhere that points its name at loopback learns nothing."""
    with TestClient(Dashboard(ledger).app(), base_url="http://evil.example") as rebinding:
        assert rebinding.get("/").status_code == 400


def test_the_log_is_paged_and_bad_numbers_are_explained(client):
    """From any record; beyond the end is the end."""
    assert "<td>3</td>" in client.get("/records?first=3").text
    assert client.get("/records?first=999").status_code == 200
    assert client.get("/records?first=x").status_code == 400
    assert client.get("/records?first=-5").status_code == 200


def test_verification_runs_and_names_what_is_wrong(client, ledger):
    """Intact, then tampered, then no database worth the name."""
    assert "Intact" in client.post("/verify").text
    db = sqlite3.connect(ledger.directory / DATABASE)
    db.execute("UPDATE body SET body = '{}' WHERE seq = 3")
    db.commit()
    db.close()
    page = client.post("/verify").text
    assert "Not intact" in page
    assert "the content does not match its commitment" in page
    ledger.checkpoint_file.write_text("forged")
    answer = client.post("/verify")
    assert answer.status_code == 500
    assert "not a signed note" in answer.text


def test_reading_does_not_verify(client):
    """Verification costs time: a link or a prefetch must not start it."""
    assert client.get("/verify").status_code == 405
