"""The guard before every page: sessions, roles, forms from elsewhere, guessing, and what no page may hold."""

import re

import pytest
from tests.dashboard.houses import BASE, HOSTILE, House, sign_in, token

from bartizan.dashboard.people import Role
from bartizan.dashboard.visits import Door

NAMES = {Role.VIEWER: "vic", Role.REVIEWER: "rex", Role.OPERATOR: "ola", Role.ADMIN: "ann"}


@pytest.fixture
def house(tmp_path):
    """A dashboard with some traffic and one person of each role."""
    one = House(tmp_path).with_people()
    ledger = one.ledger
    ledger.append("assessment-started", {"target": "http://x", "model": HOSTILE})
    ledger.append("row", {"threat": "T01", "name": "Prompt injection", "state": "holds", "why": "every claim held"})
    ledger.append("assessment-ended", {})
    ledger.append("exchange", {"caller": HOSTILE, "model": "m", "verdict": "block", "why": "instruction-override"})
    ledger.checkpoint()
    yield one
    ledger.close()


def addresses(door: Door):
    """Return an address behind `door` that exists."""
    return door.path.replace("{seq}", "3").replace("{panel}", "shelf").replace("{item:path}", "plain")


def test_every_door_lets_in_whom_it_should_and_nobody_else(house):
    """The whole matrix: every address as nobody and as each role."""
    dashboard = house.dashboard()
    with house.browser(dashboard.app()) as client:
        for door in dashboard.doors():
            if door.role is None or door.path == "/logout":
                continue
            for role, name in (None, ""), *NAMES.items():
                client.cookies.clear()
                csrf = ""
                if role is not None:
                    assert sign_in(client, name).status_code == 303
                    csrf = token(client)
                form = {"csrf": csrf, "action": "release", "item": "plain", "why": "x"}
                more = {"data": form} if door.method == "POST" else {}
                answer = client.request(door.method, addresses(door), **more)
                if role is None:
                    assert answer.status_code == 303, (door.path, answer.status_code)
                    assert answer.headers["location"].startswith("/login")
                elif role < door.role:
                    assert answer.status_code == 403, (door.path, role)
                else:
                    refused = door.method == "POST" and door.path.startswith("/things") and name == "rex"
                    assert answer.status_code in ((403,) if refused else (200, 400)), (door.path, role)
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/traffic", "/traffic/3", "/records", "/things/shelf", "/things/shelf/plain"])
def test_hostile_text_stays_text_and_nothing_inline_may_run(house, path):
    """Escaped, made visible, and forbidden by policy besides: no inline script, style or handler in any page."""
    with house.browser() as client:
        sign_in(client, "ann")
        answer = client.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "\u202e" not in answer.text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", answer.text)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", answer.text))
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"


def test_a_page_for_reviewers_is_not_there_for_a_viewer(house):
    """Neither its link, nor its list, nor one thing of it, nor its count of what waits."""
    with house.browser() as client:
        for name, status in (("vic", 403), ("rex", 200), ("ann", 200)):
            sign_in(client, name)
            asked = house.drawer.asked
            assert ("/things/drawer" in client.get("/").text) is (status == 200)
            for path in ("/things/drawer", "/things/drawer/critical"):
                assert client.get(path).status_code == status
            form = {"csrf": token(client), "action": "break", "item": "critical", "why": "x"}
            assert client.post("/things/drawer", data=form).status_code == (403 if name == "vic" else 400)
            assert (house.drawer.asked > asked) is (status == 200)


def test_a_form_from_another_site_changes_nothing(house):
    """No token, another session's token, another origin, a cross-site fetch: each is refused."""
    with house.browser() as other, house.browser() as client:
        sign_in(other, "ola")
        stolen = token(other)
        sign_in(client, "ola")
        form = {"csrf": token(client), "action": "add", "item": "", "name": "n", "kind": "a", "why": "w"}
        attacks = (
            ({**form, "csrf": ""}, {}),
            ({**form, "csrf": stolen}, {}),
            (form, {"origin": "https://evil.example"}),
            (form, {"origin": "null"}),
            (form, {"sec-fetch-site": "cross-site"}),
            (form, {"sec-fetch-site": "same-site"}),
        )
        for data, headers in attacks:
            assert client.post("/things/shelf", data=data, headers=headers).status_code == 403
        assert house.shelf.done == []
        assert client.post("/things/shelf", data=form, headers={"origin": BASE}).status_code == 200
        assert house.shelf.done == [("add", "", "ola", "w")]


def test_a_person_who_is_removed_is_out_at_once(house):
    """And one who is made less may do less at once."""
    with house.browser() as client:
        sign_in(client, "ola")
        csrf = token(client)
        house.people.promote("ola", Role.VIEWER)
        form = {"csrf": csrf, "action": "release", "item": "critical", "why": "w"}
        assert client.post("/things/shelf", data=form).status_code == 403
        house.people.remove("ola")
        assert client.get("/").status_code == 303


def test_another_host_name_is_refused(house):
    """A page elsewhere that points its name at loopback learns nothing (DNS rebinding)."""
    with house.browser(base="http://evil.example") as rebinding:
        assert rebinding.get("/login").status_code == 400


def test_forms_that_are_none_or_too_large_are_refused(house):
    """Clear errors, no stack trace."""
    with house.browser() as client:
        assert client.post("/login", json={"name": "ann"}).status_code == 400
        assert client.post("/login", data={"name": "a" * 70_000}).status_code == 400
        assert (
            client.post(
                "/login", content=b"name=%ff", headers={"content-type": "application/x-www-form-urlencoded"}
            ).status_code
            == 400
        )
        many = "&".join(f"a{number}=1" for number in range(200))
        answer = client.post("/login", content=many, headers={"content-type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 400


def test_static_files_are_ours_only(house):
    """No path leads out of the folder."""
    with house.browser() as client:
        assert client.get("/static/style.css").status_code == 200
        assert client.get("/static/htmx.min.js").headers["content-type"].startswith("text/javascript")
        for path in ("/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/people.json"):
            assert client.get(path).status_code == 404


def test_a_page_that_fails_tells_the_log_and_not_the_browser(house, caplog):
    """A bug of ours is a page, not a stack trace."""
    house.shelf.detail = lambda item: 1 / 0
    with house.browser() as client:
        sign_in(client, "vic")
        answer = client.get("/things/shelf/plain")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "ZeroDivision" in caplog.text
