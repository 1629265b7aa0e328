"""What a token may say and how it may be made; the attacks over HTTP stand with the gateway and the dashboard."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bartizan.core.errors import BadSettings, Refused
from bartizan.core.signed_tokens import ALGORITHMS, Expected, check, key_set, must_be_known, words

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = jwt.PyJWK({**jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "alg": "RS256"})
CLAIMS = {"iss": "https://id.example", "aud": "us", "sub": "ann", "exp": 1000}
EXPECTED = Expected("https://id.example", "us", ALGORITHMS, 30.0)


def checked(changed=None, now_s=500.0, key_of=lambda named: PUBLIC):
    """Return the claims of a token, signed by the right key."""
    token = jwt.encode(CLAIMS | (changed or {}), KEY, algorithm="RS256", headers={"kid": "one"})
    return check(token, key_of, EXPECTED, now_s)


def test_a_token_that_holds_gives_its_claims():
    """Within the leeway too."""
    assert checked() == CLAIMS
    assert checked(now_s=1029.0) == CLAIMS


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"exp": 400}, "expired"), ({"exp": True}, "no time"), ({"nbf": 600}, "not valid yet"), ({"aud": "x"}, "else")],
)
def test_a_token_that_says_the_wrong_thing_is_refused(changed, why):
    """Signed by the right key."""
    with pytest.raises(Refused, match=why):
        checked(changed)


def test_the_caller_says_which_key_belongs_to_an_id():
    """And may refuse it; a token's own key counts for nothing."""
    named = []

    def none(kid):
        named.append(kid)
        raise Refused("no such key")

    with pytest.raises(Refused, match="no such key"):
        checked(key_of=none)
    assert named == ["one"]


def test_an_unknown_algorithm_in_the_settings_is_refused():
    """`none` and shared secrets are not among those that are taken."""
    must_be_known(("RS256",), "x.algorithms")
    for bad in ("none", "HS256"):
        with pytest.raises(BadSettings, match="expected some of RS256"):
            must_be_known((bad,), "x.algorithms")


def test_roles_are_a_list_or_words():
    """Anything else is no role."""
    assert words(["a", 1, "b"]) == words("a b") == ("a", "b")
    assert words({"a": True}) == words(None) == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"keys": 1}',
        b'{"keys": []}',
        b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "one"}]}',
        b"[" * 99999,
    ],
)
def test_a_key_set_that_cannot_be_used_is_an_error(raw):
    """A shared secret in a public set is no key."""
    with pytest.raises(BadSettings):
        key_set(raw)
