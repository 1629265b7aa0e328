"""Keys in requests."""

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import Refused
from bartizan.gateway.auth import Anyone, BookKeys, SharedKey, presented_key
from bartizan.gateway.grants import Grant
from bartizan.gateway.keys import KeyBook, minted


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


def test_keys_of_the_book_carry_their_rights(tmp_path):
    """Live keys identify; mistyped, unknown and unreadable ones do not, and no error repeats a key."""
    clock = StoppedClock()
    book = KeyBook(tmp_path / "keys.json", clock)
    key, text = book.create("bob", days=1, grant=Grant(models=("m",)))
    auth = BookKeys(book)
    caller = auth.identify([(b"authorization", b"Bearer " + text.encode())])
    assert (caller.id, caller.grant.models, caller.admin_only) == (key.id, ("m",), False)
    for wrong, why in ((text[:-1] + "?", "checksum"), (minted(key.id), "unknown, expired or revoked")):
        with pytest.raises(Refused, match=why) as error:
            auth.identify([(b"x-api-key", wrong.encode())])
        assert wrong not in str(error.value)
    (tmp_path / "keys.json").write_text("{")
    clock.advance(2)
    with pytest.raises(Refused, match="cannot be checked"):
        auth.identify([(b"x-api-key", text.encode())])
