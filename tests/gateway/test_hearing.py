"""What was told is known again, however it came and whatever white space the client makes of it."""

from bartizan.gateway.hearing import KEPT, Hearing, digest


def test_pieces_have_the_hash_of_the_whole():
    """White space is not counted."""
    heard = Hearing()
    for piece in ("Hello ", "my\n", "friend"):
        heard.take("0/content", piece)
    assert heard.digests() == [digest("Hello my friend")] == [digest(" Hello\tmy friend\n")]
    assert heard.texts() == ["Hello my\nfriend"]
    assert heard.digests() != [digest("Hello my fiend")]


def test_long_texts_are_kept_in_part_and_hashed_whole():
    """Each channel alone."""
    heard = Hearing()
    heard.take("a", "x" * KEPT + "y")
    heard.take("b", "other")
    assert heard.texts() == ["x" * KEPT, "other"]
    assert heard.digests()[0] == digest("x" * KEPT + "y")
    heard.begin()
    assert heard.texts() == []
