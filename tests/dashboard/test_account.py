"""The account page and the doors of passkeys: the password is asked for again, everything is in the ledger."""

import pytest
from tests.dashboard.houses import PASSWORD, House, sign_in, token
from tests.doubles.authenticator import Authenticator

from bartizan.dashboard.entrance import COOKIE

BASE = "http://localhost:8788"


@pytest.fixture
def house(tmp_path):
    """A dashboard under a name that passkeys may belong to."""
    one = House(tmp_path).with_people()
    yield one
    one.ledger.close()


def make(client, device, label="laptop", password=PASSWORD):
    """Make a passkey by the page's forms; return the last answer."""
    csrf = token(client, "/account")
    form = {"csrf": csrf, "label": label, "password": password, "credential": ""}
    begun = client.post("/account/passkeys/begin", data=form)
    if begun.status_code != 200:
        return begun
    return client.post("/account/passkeys", data={**form, "password": "", "credential": device.make(begun.text)})


def enter(client, device, **data):
    """Sign in with a passkey; return the answer."""
    asked = client.post("/login/passkey/begin", data={"next": "/"})
    return client.post("/login/passkey", data={"credential": device.answer(asked.text), **data})


def test_a_passkey_is_made_used_and_removed(house):
    """From the page to the next sign-in, and each step is a record."""
    device = Authenticator(BASE)
    with house.browser(base=BASE) as client:
        assert "passkey" not in client.get("/login").text.partition("<main")[2]
        sign_in(client, "rex")
        made = make(client, device).text
        assert "laptop signs you in from now on" in made
        assert "<td>laptop</td>" in made
        client.cookies.clear()
        assert "Sign in with a passkey" in client.get("/login").text
        answer = enter(client, device, next="/records")
        assert (answer.status_code, answer.headers["location"]) == (303, "/records")
        assert "rex, reviewer" in client.get("/").text
        named = house.people.find("rex").passkeys[0].id
        form = {"csrf": token(client, "/account"), "id": named}
        assert "signs nobody in" in client.post("/account/passkeys/remove", data=form).text
        client.cookies.clear()
        assert enter(client, device).status_code == 401
        assert COOKIE not in client.cookies
    log = house.ledger
    assert log.latest("passkey-added", 1)[0].body == {"name": "rex", "label": "laptop"}
    assert log.latest("signed-in", 1)[0].body == {"name": "rex", "address": "testclient", "by": "passkey"}
    assert log.latest("passkey-removed", 1)[0].body["who"] == "rex"
    assert log.latest("sign-in-failed", 1)[0].body["by"] == "passkey"


def test_without_the_password_a_session_makes_none(house):
    """A desk left open; tries are counted with those of the sign-in."""
    with house.browser(base=BASE) as client:
        sign_in(client, "rex")
        for _ in range(5):
            assert make(client, Authenticator(BASE), password="wrong").status_code == 400
        assert make(client, Authenticator(BASE)).status_code == 429
        asked = client.post("/login/passkey/begin", data={"next": "/"}).text
        device = Authenticator(BASE)
        device.handle = "x"
        form = {"csrf": token(client, "/account"), "label": "x", "credential": device.answer(asked)}
        assert client.post("/account/passkeys", data=form).status_code == 400
    assert house.people.find("rex").passkeys == ()


@pytest.mark.parametrize("label", ["", " ", "x" * 65, "a\nb"])
def test_a_label_is_a_few_printable_characters(house, label):
    """Anything else is refused."""
    with house.browser(base=BASE) as client:
        sign_in(client, "rex")
        assert make(client, Authenticator(BASE), label=label).status_code == 400


def test_guessing_passkeys_becomes_slow(house):
    """Five tries an address are free."""
    with house.browser(base=BASE) as client:
        statuses = [client.post("/login/passkey", data={"credential": "{}"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


def test_under_another_name_the_page_says_where_passkeys_work(house):
    """And a passkey of another person cannot be removed."""
    device = Authenticator(BASE)
    with house.browser(base=BASE) as client:
        sign_in(client, "rex")
        make(client, device)
        sign_in(client, "vic")
        form = {"csrf": token(client, "/account"), "id": house.people.find("rex").passkeys[0].id}
        assert client.post("/account/passkeys/remove", data=form).status_code == 400
    with house.browser(base="http://127.0.0.1:8788") as client:
        sign_in(client, "vic")
        assert "Passkeys belong to the name localhost" in client.get("/account").text
        assert "data-passkey" not in client.get("/login").text
    assert house.people.find("rex").passkeys
