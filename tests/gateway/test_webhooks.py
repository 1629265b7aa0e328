"""Signatures of the Standard Webhooks form; delivery is tested with the alerts and the desk that use it."""

import pytest

from bartizan.core.errors import BadSettings, Refused
from bartizan.gateway.webhooks import TOLERANCE_S, Poster, Signer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_specifications_own_example_is_signed_the_same():
    """https://github.com/standard-webhooks/standard-webhooks: libraries, `test_verify`."""
    headers = Signer.of(SECRET).headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    Signer.of(SECRET).check(headers, BODY, 1614265330)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_whatever_is_changed_or_missing_is_refused(name):
    """Every header and the body count; one good signature among several is enough."""
    signer = Signer.of(SECRET)
    headers = signer.headers("m1", 1000, BODY)
    for changed in ({**headers, name: headers[name][:-3] + "999"}, {**headers, name: ""}):
        with pytest.raises(Refused):
            signer.check(changed, BODY, 1000)
    with pytest.raises(Refused):
        signer.check(headers, BODY + b" ", 1000)
    several = {**headers, "webhook-signature": "v1a,xx v1,b2xk " + headers["webhook-signature"]}
    signer.check(several, BODY, 1000)


def test_what_was_signed_long_ago_or_in_the_future_is_refused():
    """Nobody keeps an answer for later."""
    signer = Signer.of("a secret of the operator's own")
    headers = signer.headers("m1", 10_000, BODY)
    signer.check(headers, BODY, 10_000 + TOLERANCE_S)
    for now in (10_001 + TOLERANCE_S, 9_999 - TOLERANCE_S):
        with pytest.raises(Refused, match="away from now"):
            signer.check(headers, BODY, now)


def test_a_short_or_broken_secret_is_refused():
    """With how to make one."""
    with pytest.raises(BadSettings, match="bytes"):
        Signer.of("short")
    with pytest.raises(BadSettings, match="base64"):
        Signer.of("whsec_###")


def test_without_an_address_nothing_is_queued():
    """And nothing is lost."""
    poster = Poster()
    for _ in range(1000):
        poster.post({})
    assert poster.lost == 0
