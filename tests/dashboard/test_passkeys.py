"""Passkeys: the right one signs in; a wrong site, a replay, a copied device and a missing PIN do not."""

import json

import pytest
from tests.doubles.authenticator import UP, Authenticator, packed

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest, BadSettings, Refused
from bartizan.dashboard.passkeys import HOLDS_S, MOST, Challenges, Passkeys
from bartizan.dashboard.people import People, Role

HOST, ORIGIN = "localhost:8788", "http://localhost:8788"


class Desk:
    """Accounts, the passkeys of the page, and one device."""

    def __init__(self, folder):
        """One admin without a passkey."""
        self.clock = StoppedClock()
        self.people = People(folder / "people.json", self.clock)
        self.people.add("ann", Role.ADMIN, "correct horse battery")
        self.passkeys = Passkeys(self.people, self.clock, "localhost", https=False)
        self.device = Authenticator(ORIGIN)

    def register(self, device=None, session="s", label="laptop", **how):
        """Make a passkey on a device and keep it."""
        asked = self.passkeys.ask_new(self.people.find("ann"), session)
        answer = (device or self.device).make(asked, **how)
        self.passkeys.add(self.people.find("ann"), session, answer, label, HOST)

    def sign_in(self, device=None, **how):
        """Sign in with a device."""
        return self.passkeys.check((device or self.device).answer(self.passkeys.ask(), **how), HOST)


@pytest.fixture
def desk(tmp_path):
    """A desk."""
    return Desk(tmp_path)


def test_a_passkey_is_made_and_signs_in(desk):
    """Again and again; the counter is kept."""
    desk.register()
    assert [key.label for key in desk.people.find("ann").passkeys] == ["laptop"]
    assert desk.sign_in().name == "ann"
    assert desk.sign_in().name == "ann"
    assert desk.people.find("ann").passkeys[0].sign_count == 2


def test_what_a_browser_is_asked_names_nobody_and_wants_a_pin(desk):
    """The same before and after somebody has a passkey, but for the challenge."""
    before = json.loads(desk.passkeys.ask())
    desk.register()
    after = json.loads(desk.passkeys.ask())
    assert before.pop("challenge") != after.pop("challenge")
    assert before == after
    assert after["userVerification"] == "required"
    assert not after.get("allowCredentials")
    asked = json.loads(desk.passkeys.ask_new(desk.people.find("ann"), "s"))
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in asked["excludeCredentials"]] == [packed(b"credential-one")]
    assert "ann" not in asked["user"]["id"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"origin": "http://localhost:9999"}, "another port of this machine"),
        ({"origin": "https://localhost:8788"}, "another scheme"),
        ({"origin": "https://evil.example"}, "a phishing page"),
        ({"host": "evil.example"}, "a key made for another name"),
        ({"handle": packed(b"somebody else")}, "another account's handle"),
        ({"name": b"unknown"}, "a passkey that nobody has"),
    ],
)
def test_an_answer_from_elsewhere_signs_nobody_in(desk, change, why):
    """Everything signed properly, by the right key, and still no."""
    desk.register()
    for name, value in change.items():
        setattr(desk.device, name, value)
    with pytest.raises(Refused, match="does not sign anybody in"):
        desk.sign_in()
    assert why


def test_an_answer_works_once_and_not_for_ever(desk):
    """Replay, a challenge that is too old, one that was made up, one that was made for a registration."""
    desk.register()
    answer = desk.device.answer(desk.passkeys.ask())
    assert desk.passkeys.check(answer, HOST).name == "ann"
    old = desk.device.answer(desk.passkeys.ask())
    desk.clock.advance(HOLDS_S + 1)
    made_up = desk.device.answer(json.dumps({"challenge": packed(bytes(56))}))
    other = desk.device.answer(desk.passkeys.ask_new(desk.people.find("ann"), "sign-in "))
    elsewhere = desk.device.answer(Passkeys(desk.people, desk.clock, "localhost", https=False).ask())
    for bad in (answer, old, made_up, other, elsewhere):
        with pytest.raises(Refused):
            desk.passkeys.check(bad, HOST)
    assert desk.sign_in().name == "ann"


def test_a_stolen_key_without_its_pin_opens_nothing(desk):
    """Neither at sign-in nor to make one."""
    with pytest.raises(BadRequest, match="does not hold"):
        desk.register(flags=UP)
    desk.register()
    with pytest.raises(Refused):
        desk.sign_in(flags=UP)


def test_a_counter_that_goes_back_is_a_copied_device(desk):
    """The original has been used since the copy was made."""
    desk.register()
    desk.sign_in()
    desk.sign_in()
    desk.device.count = 0
    with pytest.raises(Refused):
        desk.sign_in()


def test_a_wrong_signature_signs_nobody_in(desk):
    """Another key under the same name; a signature of nothing; one that is no base64."""
    desk.register()
    thief = Authenticator(ORIGIN)
    thief.handle = desk.device.handle
    with pytest.raises(Refused):
        desk.sign_in(thief)
    for signature in (packed(b""), packed(b"\x30\x06\x02\x01\x01\x02\x01\x01"), "%%%", None, 7):
        with pytest.raises(Refused):
            desk.sign_in(signature=signature)


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", "{}", '{"id": 1}', '{"id": "x", "response": {}}', "[" * 9999, "x" * 20000,
     '{"id": "x", "response": {"clientDataJSON": "bnVsbA"}}', '{"id": "x", "response": []}'],
)  # fmt: skip
def test_nonsense_signs_nobody_in_and_makes_nothing(desk, answer):
    """No stack trace from either door."""
    desk.register()
    with pytest.raises(Refused):
        desk.passkeys.check(answer, HOST)
    with pytest.raises(BadRequest):
        desk.passkeys.add(desk.people.find("ann"), "s", answer, "x", HOST)


def test_a_passkey_is_made_only_where_it_was_asked_for(desk):
    """Another session's challenge, a used one, another origin, a passkey that is there already."""
    asked = desk.passkeys.ask_new(desk.people.find("ann"), "mine")
    answer = desk.device.make(asked)
    with pytest.raises(BadRequest, match="not asked for in this session"):
        desk.passkeys.add(desk.people.find("ann"), "another", answer, "x", HOST)
    desk.passkeys.add(desk.people.find("ann"), "mine", answer, "x", HOST)
    with pytest.raises(BadRequest, match="not asked for"):
        desk.passkeys.add(desk.people.find("ann"), "mine", answer, "x", HOST)
    with pytest.raises(BadSettings, match="known already"):
        desk.register()
    with pytest.raises(BadRequest, match="does not hold"):
        desk.register(Authenticator("https://evil.example", b"two"))


def test_nobody_has_more_than_ten(desk):
    """And what is forgotten signs nobody in."""
    for number in range(MOST):
        desk.register(Authenticator(ORIGIN, b"credential-%d" % number))
    with pytest.raises(BadRequest, match="remove one first"):
        desk.register()
    assert desk.people.forget_passkeys("ann") == MOST
    desk.register()
    assert desk.people.remove_passkey("ann", packed(b"credential-one")) == "laptop"
    with pytest.raises(Refused):
        desk.sign_in()
    with pytest.raises(BadSettings, match="no such passkey"):
        desk.people.remove_passkey("ann", "x")


def test_passkeys_are_offered_under_their_name_only(desk):
    """A page under 127.0.0.1 cannot use them, and an empty name switches them off."""
    assert desk.passkeys.offered("localhost:8788")
    assert desk.passkeys.offered("localhost")
    assert not desk.passkeys.offered("127.0.0.1:8788")
    assert not desk.passkeys.offered("[::1]:8788")
    assert not Passkeys(desk.people, desk.clock, "", https=False).offered("localhost")


def test_a_challenge_is_spent_once_for_its_own_purpose():
    """And remembers no more than what could still be replayed."""
    clock = StoppedClock()
    challenges = Challenges(clock)
    one = challenges.make(b"a")
    assert not challenges.spend(one, b"b")
    assert not challenges.spend(one[:-1] + bytes([one[-1] ^ 1]), b"a")
    assert not challenges.spend(b"", b"a")
    assert challenges.spend(one, b"a")
    assert not challenges.spend(one, b"a")
    clock.advance(HOLDS_S + 1)
    late = challenges.make(b"a")
    assert challenges.spend(late, b"a")
