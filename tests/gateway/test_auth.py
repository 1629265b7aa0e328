"""Keys in requests."""

import pytest

from bartizan.core.errors import Refused
from bartizan.gateway.auth import Anyone, SharedKey, presented_key


def test_the_shared_key_is_known_and_others_are_not():
    """The error never repeats the key."""
    shared = SharedKey("right-key")
    assert shared.identify([(b"authorization", b"bearer right-key")]).id == "shared-key"
    with pytest.raises(Refused) as error:
        shared.identify([(b"x-api-key", b"wrong-key")])
    assert "wrong-key" not in str(error.value)


def test_two_different_keys_are_refused():
    """Which one counts would be anybody's guess."""
    with pytest.raises(Refused, match="two different"):
        presented_key([(b"authorization", b"Bearer a"), (b"x-api-key", b"b")])
    assert presented_key([(b"authorization", b"Bearer a"), (b"x-api-key", b"a")]) == b"a"


def test_anyone_is_anonymous():
    """Nobody is turned away."""
    assert Anyone().identify([]).id == "anonymous"
