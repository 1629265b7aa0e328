"""Bearer tokens: what holds gets in, and every known way to make one that does not hold is refused."""

import json

import httpx
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.gateway.conftest import InProcess

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings, Refused
from bartizan.core.sections import Settings
from bartizan.core.sections.gateway import Gateway, Upstream
from bartizan.core.sections.tokens import TokenRole, Tokens
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.assembly import authenticator, gate_opener
from bartizan.gateway.auth import SharedKey
from bartizan.gateway.testing import MemoryLog, WordScreen
from bartizan.gateway.tokens import TokenKeys

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
SETTINGS = Tokens(
    issuer="https://id.example",
    audience="bartizan",
    keys_file="unused",
    roles=(TokenRole("boss", admin=True), TokenRole("chat", models=("small-*",))),
)


def public(key, kid, algorithm):
    """The key as the provider publishes it."""
    kind = jwt.algorithms.RSAAlgorithm if algorithm.startswith("RS") else jwt.algorithms.ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": kid, "alg": algorithm, "use": "sig"}


SET = json.dumps({"keys": [public(RSA, "one", "RS256"), public(CURVE, "two", "ES256")]}).encode()


class Published:
    """A provider: change `body` to rotate its keys, or make it an error."""

    def __init__(self, body=SET):
        self.body = body

    async def fetch(self):
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


async def opened(source=None, clock=None, otherwise=None):
    """A check that has read its keys."""
    tokens = TokenKeys(SETTINGS, source or Published(), clock or StoppedClock(), otherwise)
    await tokens.refresh()
    return tokens


def claims(**changed):
    """What a good token says; None leaves a claim out."""
    now = StoppedClock().wall_ns() // 10**9
    said = {"iss": "https://id.example", "aud": "bartizan", "sub": "ann", "exp": now + 600, "roles": ["chat"]}
    return {name: value for name, value in (said | changed).items() if value is not None}


def signed(said=None, key=RSA, algorithm="RS256", kid="one", **headers):
    """A token in a header."""
    text = jwt.encode(said or claims(), key, algorithm=algorithm, headers={"kid": kid, **headers})
    return [(b"authorization", b"Bearer " + text.encode())]


async def test_a_good_token_names_its_holder_and_its_rights():
    """Both kinds of key; the first role in the settings that the token holds counts."""
    tokens = await opened()
    caller = tokens.identify(signed())
    assert (caller.id, caller.grant.models, caller.admin_only) == ("chat:ann", ("small-*",), False)
    assert tokens.identify(signed(key=CURVE, algorithm="ES256", kid="two")).id == "chat:ann"
    assert tokens.identify(signed(claims(roles="chat boss"))).admin_only


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, "missing"),
        ({"exp": "never"}, "no time"),
        ({"nbf": 2**40}, "not valid yet"),
        ({"iss": "https://evil.example"}, "somebody else issued"),
        ({"aud": "mail"}, "somebody else"),
        ({"aud": None}, "missing"),
        ({"sub": None}, "missing"),
        ({"roles": ["cook"]}, "none of the roles"),
        ({"roles": {"chat": True}}, "none of the roles"),
    ],
)
async def test_a_token_that_says_the_wrong_thing_is_refused(changed, why):
    """Signed by the right key, and still no."""
    with pytest.raises(Refused, match=why):
        (await opened()).identify(signed(claims(**changed)))


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (signed(key=OTHER), "signature"),
        (signed(kid="three"), "no such key"),
        (signed(key=CURVE, algorithm="ES256", kid="one"), "algorithm"),
        (signed(key="k" * 64, algorithm="HS256"), "algorithm"),
        (signed(key=None, algorithm="none"), "algorithm"),
        (signed(crit=["b64"]), "malformed"),
        (signed(claims(fat="x" * 9000)), "longer"),
        ([(b"authorization", b"Bearer ey.ey.ey")], "malformed"),
        ([(b"authorization", b"Bearer sk-plain")], "bearer tokens"),
    ],
)
async def test_a_token_that_was_made_the_wrong_way_is_refused(headers, why):
    """Algorithm none, a public key used as a shared secret, a foreign key: the attacks of RFC 8725."""
    with pytest.raises(Refused, match=why) as error:
        (await opened()).identify(headers)
    assert headers[0][1][7:40].decode() not in str(error.value)


async def test_whoever_has_no_token_may_still_have_a_key():
    """Tokens and keys work side by side."""
    tokens = await opened(otherwise=SharedKey("plain-key"))
    assert tokens.identify([(b"x-api-key", b"plain-key")]).id == "shared-key"
    assert tokens.identify(signed()).id == "chat:ann"


async def test_keys_rotate_and_an_outage_of_the_provider_is_survived_for_a_while():
    """A new set replaces the old one; a failed fetch keeps it until it is stale."""
    source, clock = Published(), StoppedClock()
    tokens = await opened(source, clock)
    source.body = httpx.ConnectError("away")
    await tokens.refresh()
    assert tokens.identify(signed()).id == "chat:ann"
    source.body = json.dumps({"keys": [public(OTHER, "new", "RS256")]}).encode()
    await tokens.refresh()
    assert tokens.identify(signed(key=OTHER, kid="new")).id == "chat:ann"
    with pytest.raises(Refused, match="no such key"):
        tokens.identify(signed())
    clock.advance(2 * 86400)
    with pytest.raises(Refused, match="too old"):
        tokens.identify(signed(key=OTHER, kid="new"))


async def test_before_the_first_keys_nobody_gets_in():
    """Fail closed."""
    with pytest.raises(Refused, match="never read"):
        (await opened(Published(OSError("away")))).identify(signed())


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        (Tokens(issuer="i", keys_file="f"), "audience"),
        (Tokens(issuer="i", audience="a"), "either"),
        (Tokens(issuer="i", audience="a", keys_url="http://id.example/keys"), "https"),
        (Tokens(issuer="i", audience="a", keys_file="f", algorithms=("HS256",)), "HS256"),
    ],
)
def test_settings_that_could_not_be_trusted_do_not_start(tokens, why):
    """Nobody finds out in production that any token of the provider opens the gateway."""
    with pytest.raises(BadSettings, match=why):
        authenticator(Settings(tokens=tokens), StoppedClock())


async def test_a_token_opens_the_gateway_over_http(tmp_path):
    """From the settings to the answer: a good token reaches the (absent) model server, others get 401."""
    (tmp_path / "jwks.json").write_bytes(SET)
    tokens = msgspec.structs.replace(SETTINGS, keys_file=str(tmp_path / "jwks.json"))
    upstream = Upstream(url="http://127.0.0.1:9")
    settings = Settings(tokens=tokens, gateway=Gateway(keys_file=str(tmp_path / "none"), upstreams=(upstream,)))
    app = GatewayApp(gate_opener(settings, WordScreen(), MemoryLog, StoppedClock()))
    body = {"model": "small-1", "messages": [{"role": "user", "content": "hello"}]}
    async with app.running(), httpx.AsyncClient(transport=InProcess(app), base_url="http://gate") as client:
        statuses = [
            (await client.post("/v1/chat/completions", json=body | {"model": model}, headers=headers)).status_code
            for model, headers in (("small-1", signed()), ("large-1", signed()), ("small-1", signed(key=OTHER)))
        ]
    assert statuses == [502, 403, 401]
