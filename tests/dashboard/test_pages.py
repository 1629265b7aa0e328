"""The pages themselves: verification, proofs for the browser, money, things and what is offered on them."""

import base64
import hashlib
import sqlite3
from pathlib import Path

import pytest
from tests.dashboard.houses import House, sign_in, token

from bartizan.dashboard.pages import money
from bartizan.ledger import merkle
from bartizan.ledger.tables.sqlite import DATABASE


@pytest.fixture
def house(tmp_path):
    """Four records, three of them sealed."""
    one = House(tmp_path).with_people()
    one.ledger.append_many([("exchange", {"verdict": "allow", "request": f"r{n}"}) for n in range(3)])
    one.ledger.checkpoint()
    one.ledger.append("exchange", {"verdict": "allow"})
    yield one
    one.ledger.close()


def test_verification_is_recorded_and_names_what_is_wrong(house):
    """Intact, then tampered, then checkpoints worth nothing."""
    with house.browser() as client:
        sign_in(client, "vic")
        form = {"csrf": token(client)}
        assert "Intact" in client.post("/verify", data=form).text
        assert house.ledger.latest("verified")[0].body["intact"] is True
        db = sqlite3.connect(Path(house.ledger.section.directory) / DATABASE)
        db.execute("UPDATE body SET body = '{}' WHERE seq = 1")
        db.commit()
        db.close()
        page = client.post("/verify", data=form).text
        assert "Not intact" in page
        assert "the content does not match its commitment" in page
        assert house.ledger.latest("verified")[0].body["intact"] is False
        house.ledger.checkpoint_file.write_text("forged")
        answer = client.post("/verify", data=form)
        assert answer.status_code == 500
        assert "not a signed note" in answer.text
        assert client.get("/verify").status_code == 405


def test_the_proof_for_the_browser_holds_and_covers_sealed_records_only(house):
    """The same arithmetic as in verify.js (RFC 6962)."""
    with house.browser() as client:
        sign_in(client, "vic")
        proof = client.get("/records/1/proof.json").json()
        leaf = hashlib.sha256(b"\0" + base64.b64decode(proof["record"])).hexdigest()
        assert leaf == proof["leaf"]
        path = [bytes.fromhex(one) for one in proof["path"]]
        merkle.verify_inclusion(bytes.fromhex(leaf), 1, 3, path, bytes.fromhex(proof["root"]))
        assert client.get("/records/3/proof.json").status_code == 400


def test_the_log_is_paged_and_bad_numbers_are_explained(house):
    """From any record; beyond the end is the end."""
    with house.browser() as client:
        sign_in(client, "vic")
        assert "<td>2</td>" in client.get("/records?first=2").text
        assert client.get("/records?first=999").status_code == 200
        for bad in ("x", "-5", "9" * 30, "٣"):
            assert client.get(f"/records?first={bad}").status_code == 400
        assert client.get("/traffic?before=x").status_code == 400
        assert client.get("/traffic/x").status_code == 400


def test_a_thing_shows_what_is_known_and_offers_what_this_person_may_do(house):
    """A viewer reads; a reviewer decides, but not on what that reviewer asked for."""
    with house.browser() as client:
        sign_in(client, "vic")
        page = client.get("/things/shelf/critical").text
        assert "Your role may only read this" in page
        assert "data:image/png" in page
        assert "<audio controls" in page
        sign_in(client, "rex")
        assert "two people must agree" in client.get("/things/shelf/critical").text
        assert "You asked for this" in client.get("/things/shelf/plain").text
        assert client.get("/things/shelf/none").status_code == 400
        assert client.get("/things/none").status_code == 400


def test_two_people_release_a_critical_thing_in_their_browsers(house):
    """The second sees who was first; then it no longer waits."""
    form = {"action": "release", "item": "critical", "why": "fine"}
    with house.browser() as client:
        sign_in(client, "rex")
        assert "once a second person agrees" in client.post("/things/shelf", data={**form, "csrf": token(client)}).text
        sign_in(client, "ola")
        assert "rex agreed already" in client.get("/things/shelf/critical").text
        assert "release of critical done" in client.post("/things/shelf", data={**form, "csrf": token(client)}).text
        again = client.post("/things/shelf", data={**form, "csrf": token(client)})
        assert again.status_code == 400
        assert "somebody decided" in again.text


def test_the_navigation_counts_what_waits(house):
    """Two things on the shelf; a panel that fails counts as none and breaks no other page."""
    with house.browser() as client:
        sign_in(client, "vic")
        assert '<span class="count">2' in client.get("/").text
        house.shelf.items = lambda: (_ for _ in ()).throw(OSError("gone"))
        assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("nano", "shown"),
    [(None, "–"), (0, "$0.00"), (1, "$0.000000"), (1500, "$0.000002"), (10**7, "$0.01"), (1234567890123, "$1,234.57")],
)
def test_money_keeps_small_sums_visible(nano, shown):
    """Unknown is not zero."""
    assert money(nano) == shown


@pytest.mark.parametrize("path", ["/", "/things/shelf", "/things/shelf/critical", "/records"])
def test_a_page_asks_its_panel_once(house, path):
    """For the count in the navigation, the list and what waits together: a panel may have to read a database."""
    with house.browser() as client:
        sign_in(client, "rex")
        house.shelf.asked = 0
        assert client.get(path).status_code == 200
        assert house.shelf.asked == 1
