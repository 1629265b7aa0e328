"""Sign-in at an identity provider: who it vouches for comes in, and every known way to slip somebody in fails."""

from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from tests.dashboard.houses import BASE, PASSWORD, House, sign_in, token
from tests.doubles.identity import CLIENT, KEY, SECRET, STRANGER, Identity, public

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings, Refused
from bartizan.core.sections.sso import Sso, SsoRole
from bartizan.dashboard.app import Dashboard
from bartizan.dashboard.entrance import COOKIE
from bartizan.dashboard.oidc import Provider
from bartizan.dashboard.people import Role
from bartizan.dashboard.single_sign_on import COOKIE as SIGN_IN
from bartizan.dashboard.single_sign_on import HOLDS_S, SingleSignOn, person

ROLES = (SsoRole("everybody", "viewer"), SsoRole("security", "operator"), SsoRole("chiefs", "admin"))


class Town:
    """A dashboard with accounts, and an identity provider beside it."""

    def __init__(self, house, identity, **changed):
        """Configure the dashboard as a client of `identity`."""
        self.house, self.identity = house, identity
        asked = {"issuer": identity.issuer, "name_claim": "preferred_username", "roles": ROLES, **changed}
        section = Sso(client_id=CLIENT, return_url=f"{BASE}/sso/return", **asked)
        self.sso = SingleSignOn(Provider(section, SECRET, house.clock), house.clock)
        self.app = Dashboard(
            house.ledger, house.people, house.clock, (house.shelf,), house.settings, sso=self.sso
        ).app()

    def leave(self, client, path="/sso"):
        """Begin a sign-in; return the address of the provider."""
        answer = client.get(path)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def consent(self, address):
        """Sign in at the provider; return the path and query with which the browser comes back."""
        back = urlsplit(httpx.get(address).headers["location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, client, path="/sso"):
        """Go the whole way; return the last answer."""
        return client.get(self.consent(self.leave(client, path)))


@pytest.fixture(scope="module")
def served():
    """A provider that runs."""
    with Identity(StoppedClock()).running() as one:
        yield one


@pytest.fixture
def town(tmp_path, served):
    """A house beside an honest provider with the same clock."""
    identity = served.honest(StoppedClock())
    house = House(tmp_path, clock=identity.clock)
    house.people.add("vic", Role.VIEWER, PASSWORD)
    yield Town(house, identity)
    house.ledger.close()


def why_not(town):
    """Return what the page says to a sign-in that must fail; nobody is signed in by it."""
    with town.house.browser(town.app) as client:
        answer = town.sign_in(client)
        assert answer.status_code in (403, 502), answer.text
        assert COOKIE not in client.cookies
        assert client.get("/").status_code == 303
    return answer.text


def test_whom_the_provider_vouches_for_comes_in_with_the_highest_role(town):
    """By code and PKCE, to the page that was asked for; the ledger says who, by what, as what."""
    with town.house.browser(town.app) as client:
        assert "/sso?next=%2Frecords" in client.get("/login?next=/records").text
        address = town.leave(client, "/sso?next=/records")
        asked = parse_qs(urlsplit(address).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert len({asked["state"][0], asked["nonce"][0], asked["code_challenge"][0]}) == 3
        answer = client.get(town.consent(address))
        assert answer.status_code == 200
        assert 'content="0;url=/records"' in answer.text
        assert "oidc:ann, operator" in client.get("/").text
        form = {"csrf": token(client), "action": "add", "item": "", "name": "n", "kind": "a", "why": "w"}
        assert client.post("/things/shelf", data=form).status_code == 200
    signed = town.house.ledger.latest("signed-in", 1)[0].body
    assert signed == {"name": "oidc:ann", "address": "testclient", "by": "oidc", "role": "operator"}
    assert town.house.shelf.done == [("add", "", "oidc:ann", "w")]


def test_an_account_of_the_same_name_is_somebody_else(town):
    """The provider's `ann` is not the admin `ann`, and no account may be called what she is called here."""
    town.identity.user["roles"] = ["everybody"]
    with town.house.browser(town.app) as client:
        town.sign_in(client)
        assert "oidc:ann, viewer" in client.get("/").text
        form = {"csrf": token(client), "action": "add", "item": "", "name": "n", "kind": "a", "why": "w"}
        assert client.post("/things/shelf", data=form).status_code == 403
    with pytest.raises(BadSettings, match="letters, digits"):
        town.house.people.add("oidc:ann", 1, "a long enough password")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another-client"}, "meant for somebody else"),
        ({"aud": [CLIENT, "another-client"]}, "issued to somebody else"),
        ({"aud": [CLIENT, "another-client"], "azp": "another-client"}, "issued to somebody else"),
        ({"azp": "another-client"}, "issued to somebody else"),
        ({"iss": "https://evil.example"}, "somebody else issued it"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "missing"),
        ({"sub": None}, "missing"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "an earlier one"}, "nonce"),
        ({"nonce": ["a list"]}, "nonce"),
        ({"roles": ["guests"]}, "none of the roles"),
        ({"roles": {"security": True}}, "none of the roles"),
        ({"preferred_username": None}, "no name"),
        ({"preferred_username": "a\nb"}, "no name"),
        ({"preferred_username": "a" * 200}, "no name"),
    ],
)
def test_a_token_that_says_the_wrong_thing_lets_nobody_in(town, claims, why):
    """Signed by the right key, and still no; the ledger has why."""
    town.identity.claims = claims
    assert why in why_not(town)
    assert why in town.house.ledger.latest("sign-in-failed", 1)[0].body["why"]


@pytest.mark.parametrize(
    ("sign", "why"),
    [
        (lambda claims: jwt.encode(claims, None, algorithm="none", headers={"kid": "one"}), "algorithm"),
        (lambda claims: jwt.encode(claims, None, algorithm="none"), "no such key"),
        (lambda claims: jwt.encode(claims, "k" * 64, algorithm="HS256", headers={"kid": "one"}), "algorithm"),
        (lambda claims: jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": "one"}), "signature"),
        (lambda claims: jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": "two"}), "no such key"),
        (lambda claims: jwt.encode(claims, KEY, algorithm="RS512", headers={"kid": "one"}), "algorithm"),
        (lambda claims: jwt.encode(claims, KEY, algorithm="RS256", headers={"jwk": public(STRANGER, "x")}), "key"),
        (lambda claims: "ey.ey.ey", "malformed"),
        (lambda claims: 17, "gave no ID token"),
    ],
)
def test_a_token_that_was_made_the_wrong_way_lets_nobody_in(town, sign, why):
    """Algorithm none, a public key as shared secret, a foreign key, a key that the token brings along (RFC 8725)."""
    town.identity.sign = sign
    assert why in why_not(town)


def test_an_answer_works_once_and_only_in_the_browser_that_asked(town):
    """Login CSRF (RFC 9700, 4.7): the attacker's answer in the victim's browser; replay; a state that is made up."""
    with town.house.browser(town.app) as attacker, town.house.browser(town.app) as victim:
        answer = town.consent(town.leave(attacker))
        assert victim.get(answer).status_code == 403
        town.leave(victim)
        assert victim.get(answer).status_code == 403
        assert COOKIE not in victim.cookies
        assert town.identity.exchanges == 0
        assert attacker.get(answer).status_code == 200
        attacker.cookies.delete(COOKIE)
        assert attacker.get(answer).status_code == 403
        assert attacker.get("/sso/return?code=x&state=made-up").status_code == 403
        assert attacker.get("/sso/return").status_code == 403
    assert town.identity.exchanges == 1


def test_two_sign_ins_do_not_mix(town):
    """State mix-up: the code of one sign-in under the state of another of the same browser fails at the verifier."""
    with town.house.browser(town.app) as client:
        first = parse_qs(urlsplit(town.consent(town.leave(client))).query)
        second = parse_qs(urlsplit(town.consent(town.leave(client))).query)
        mixed = client.get("/sso/return", params={"code": first["code"][0], "state": second["state"][0]})
        assert mixed.status_code == 502
        assert "<script>" not in mixed.text
        assert COOKIE not in client.cookies


def test_a_sign_in_takes_ten_minutes_at_most(town):
    """Then it must be begun again."""
    with town.house.browser(town.app) as client:
        answer = town.consent(town.leave(client))
        town.house.clock.advance(HOLDS_S + 1)
        assert "took too long" in client.get(answer).text


def test_an_answer_that_names_another_provider_is_refused(town):
    """Mix-up (RFC 9207): a wrong `iss`, and none from a provider that promises one; the right one comes in."""
    town.identity.extra = {"iss": "https://evil.example"}
    assert "does not come from" in why_not(town)
    assert town.identity.exchanges == 0
    town.identity.extra = {"iss": town.identity.issuer}
    with town.house.browser(town.app) as client:
        assert town.sign_in(client).status_code == 200
    town.identity.metadata, town.identity.extra = {"authorization_response_iss_parameter_supported": True}, {}
    again = Town(town.house, town.identity)
    assert "does not come from" in why_not(again)


def test_a_parameter_said_twice_is_refused(town):
    """Which of two states would count?"""
    with town.house.browser(town.app) as client:
        answer = town.consent(town.leave(client))
        assert "twice" in client.get(f"{answer}&state=other").text


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"token_endpoint": "http://evil.example/token"}, "token_endpoint is no https address"),
        ({"jwks_uri": 3}, "jwks_uri is no https address"),
        ({"jwks_uri": "http://127.0.0.1:9/keys"}, "cannot be read"),
    ],
)
def test_metadata_that_leads_elsewhere_is_refused(town, metadata, why):
    """Before the browser is sent anywhere."""
    town.identity.metadata = metadata
    with town.house.browser(town.app) as client:
        answer = client.get("/sso")
        assert answer.status_code == 502
        assert why in answer.text


def test_a_provider_that_is_away_leaves_the_passwords(town):
    """The page says so; an account signs in as before."""
    away = Town(town.house, town.identity, issuer="http://127.0.0.1:9")
    with town.house.browser(away.app) as client:
        assert "sign in with a password" in client.get("/sso").text
        assert sign_in(client, "vic").status_code == 303


def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(town):
    """`client_secret_post`."""
    town.identity.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    with town.house.browser(town.app) as client:
        assert town.sign_in(client).status_code == 200


def test_a_new_key_of_the_provider_is_read_but_not_for_every_token(town):
    """Rotation: an unknown key makes the keys be read again, ten seconds apart at the soonest."""
    with town.house.browser(town.app) as client:
        assert town.sign_in(client).status_code == 200
        town.identity.published = [public(STRANGER, "new")]
        town.identity.sign = lambda claims: jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": "new"})
        assert town.sign_in(client).status_code == 403
        town.house.clock.advance(11)
        assert town.sign_in(client).status_code == 200


def test_a_session_of_the_provider_ends_like_any_other(town):
    """By time, and by signing out; another session may be open meanwhile."""
    with town.house.browser(town.app) as client:
        town.sign_in(client)
        assert client.get("/").status_code == 200
        town.house.clock.advance(3601)
        assert client.get("/").status_code == 303
        town.sign_in(client)
        client.post("/logout", data={"csrf": token(client)})
        assert client.get("/").status_code == 303


def test_the_cookies_are_what_they_must_be(town):
    """The one that comes back from another site is lax and for one path only; the session's is strict."""
    with town.house.browser(town.app) as client:
        answer = client.get("/sso")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{SIGN_IN}=")
        assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/sso/return", "Max-Age=600"))
        done = client.get(town.consent(answer.headers["location"]))
        assert "SameSite=strict" in done.headers.get_list("set-cookie")[0]


def test_without_a_provider_the_doors_are_shut(tmp_path):
    """And the sign-in page offers none."""
    house = House(tmp_path).with_people()
    with house.browser() as client:
        assert client.get("/sso").status_code == client.get("/sso/return?code=x&state=y").status_code == 403
        assert "/sso" not in client.get("/login").text
    house.ledger.close()


def test_an_unverified_address_is_no_name():
    """Whoever could type another's e-mail address at the provider would be that person here."""
    section = Sso(name_claim="email", roles=ROLES)
    said = {"email": "ann@firm.example", "roles": ["chiefs"]}
    for verified in ({}, {"email_verified": False}, {"email_verified": "true"}):
        with pytest.raises(Refused, match="did not verify"):
            person(said | verified, section, StoppedClock())
    found = person(said | {"email_verified": True}, section, StoppedClock())
    assert (found.name, found.role, found.password) == ("oidc:ann@firm.example", "admin", "")


def test_who_comes_from_a_provider_has_no_passkey_here(town):
    """The page says whose matter it is; the doors refuse."""
    with town.house.browser(town.app) as client:
        town.sign_in(client)
        assert "You come in by the identity provider" in client.get("/account").text
        form = {"csrf": token(client), "label": "x", "credential": "{}", "id": "x", "password": PASSWORD}
        for path in ("/account/passkeys", "/account/passkeys/remove", "/account/passkeys/begin"):
            assert client.post(path, data=form).status_code == 403
