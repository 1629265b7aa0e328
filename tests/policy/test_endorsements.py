"""What a person's yes covers."""

from bartizan.policy.endorsements import Endorsement, digest
from bartizan.policy.manifest import Effect


def test_a_value_is_endorsed_for_one_effect_until_a_moment():
    """Not for paying when it was for writing, not afterwards."""
    yes = Endorsement(Effect.SEND, "bob@x.com", until_ns=100)
    assert yes.covers(Effect.SEND, "bob@x.com", frozenset(), 100)
    assert not yes.covers(Effect.SEND, "bob@x.com", frozenset(), 101)
    assert not yes.covers(Effect.PAY, "bob@x.com", frozenset(), 1)
    assert not yes.covers(Effect.SEND, "eve@x.com", frozenset(), 1)


def test_a_document_is_endorsed_by_its_bytes():
    """One letter more is another document."""
    yes = Endorsement(Effect.SEND, document=digest("a list"))
    assert yes.covers(Effect.SEND, "anyone@x.com", frozenset({digest("a list")}), 0)
    assert not yes.covers(Effect.SEND, "anyone@x.com", frozenset({digest("a list.")}), 0)
    assert not Endorsement(Effect.SEND).covers(Effect.SEND, "x", frozenset(), 0)
