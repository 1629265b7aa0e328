"""Coming in and going out by password: a new session each time, guessing made slow, no way to anywhere else."""

import pytest
from tests.dashboard.houses import PASSWORD, House, sign_in, token

from bartizan.dashboard.entrance import COOKIE


@pytest.fixture
def house(tmp_path):
    """A dashboard with one person of each role."""
    one = House(tmp_path).with_people()
    yield one
    one.ledger.close()


def test_signing_in_makes_a_new_session_and_signing_out_ends_it(house):
    """A token that was planted before is worth nothing after (session fixation), nor is one from before the end."""
    with house.browser() as client:
        client.cookies.set(COOKIE, "planted")
        answer = client.post("/login", data={"name": "vic", "password": PASSWORD, "next": "/"})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        first = answer.cookies[COOKIE]
        assert first != "planted"
        client.cookies.clear()
        client.cookies.set(COOKIE, first)
        again = client.post("/login", data={"name": "vic", "password": PASSWORD}).cookies[COOKIE]
        assert again != first
        for dead in ("planted", first):
            client.cookies.clear()
            client.cookies.set(COOKIE, dead)
            assert client.get("/").status_code == 303
        client.cookies.clear()
        client.cookies.set(COOKIE, again)
        client.post("/logout", data={"csrf": token(client)})
        client.cookies.clear()
        client.cookies.set(COOKIE, again)
        assert client.get("/").status_code == 303


def test_the_cookie_is_for_tls_only_behind_a_tls_proxy(tmp_path):
    """`dashboard.https = true`."""
    house = House(tmp_path, https=True).with_people()
    with house.browser(base="https://127.0.0.1:8788") as client:
        assert "Secure" in sign_in(client, "vic").headers["set-cookie"]
    house.ledger.close()


def test_guessing_a_password_becomes_slow_for_the_name_and_for_the_address(house):
    """Five tries are free; then the right password is refused too, until the wait is over. All of it is recorded."""
    with house.browser() as client:
        for _ in range(5):
            assert sign_in(client, "ann", "wrong password").status_code == 401
        assert sign_in(client, "ann").status_code == 429
        assert sign_in(client, "vic").status_code == 429
        house.clock.advance(2)
        assert sign_in(client, "ann").status_code == 303
    assert len(house.ledger.latest("sign-in-failed", 10)) == 5
    assert PASSWORD not in str(house.ledger.entries(0, 1000))
    assert "wrong password" not in str(house.ledger.entries(0, 1000))


def test_a_name_that_nobody_has_is_not_told_from_a_wrong_password(house):
    """The same words and status."""
    with house.browser() as client:
        first, second = sign_in(client, "ann", "wrong"), sign_in(client, "nobody", "wrong")
        assert first.status_code == second.status_code == 401
        assert first.text == second.text


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_signing_in_leads_nowhere_else(house, evil):
    """No open redirect."""
    with house.browser() as client:
        answer = client.post("/login", data={"name": "vic", "password": PASSWORD, "next": evil})
        assert answer.headers["location"] == "/"


def test_the_first_admin_needs_the_address_that_was_printed_and_only_the_first_time(tmp_path):
    """No token, a wrong one, the right one, and the right one again."""
    house = House(tmp_path)
    dashboard = house.dashboard()
    form = {"name": "ann", "password": PASSWORD}
    with house.browser(dashboard.app()) as client:
        assert "Nobody may sign in yet" in client.get("/login").text
        assert client.get("/setup?token=x").status_code == 403
        assert client.post("/setup", data={**form, "token": ""}).status_code == 403
        right = dashboard.setup_token
        assert right in client.get(f"/setup?token={right}").text
        assert client.post("/setup", data={**form, "password": "short", "token": right}).status_code == 400
        assert client.post("/setup", data={**form, "token": right}).status_code == 303
        assert client.get("/").status_code == 200
        assert client.post("/setup", data={**form, "name": "eve", "token": right}).status_code == 403
    assert [one.name for one in house.people.everybody()] == ["ann"]
    house.ledger.close()
