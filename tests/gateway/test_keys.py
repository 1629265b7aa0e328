"""The book of keys."""

import re

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings
from bartizan.gateway.keys import KeyBook, minted, taken_apart


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def book(tmp_path, clock):
    return KeyBook(tmp_path / "keys.json", clock)


def test_a_key_opens_and_its_text_is_nowhere_in_the_files(book, tmp_path):
    """The book holds a peppered hash, readable by its owner only."""
    key, text = book.create("bob", days=1)
    assert book.find(text).id == key.id
    secret = text.partition(".")[2]
    for path in tmp_path.iterdir():
        assert secret not in path.read_text()
        assert path.name.endswith(".lock") or path.stat().st_mode & 0o077 == 0


def test_a_mistyped_key_is_told_by_its_checksum():
    """Any single wrong character is noticed without looking anything up."""
    text = minted("abcdefghijkl")
    assert taken_apart(text) is not None
    for place in range(3, len(text)):
        wrong = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
        assert taken_apart(wrong) is None
    for odd in ("", "bz_", "bz_a.", "sk-abc", ".", "bz_x.123456"):
        assert taken_apart(odd) is None


def test_a_right_checksum_is_not_a_right_key(book):
    """Anybody can compute a checksum."""
    key, _ = book.create("bob", days=1)
    assert book.find(minted(key.id)) is None
    assert book.find(minted("nosuchkey123")) is None


def test_rotation_overlaps_and_ends(book, clock):
    """Both secrets work for the overlap; then only the new one; a second rotation ends the first."""
    key, first = book.create("bob", days=30)
    second = book.rotate(key.id, overlap_hours=2)
    assert book.find(first).id == book.find(second).id == key.id
    clock.advance(2 * 3600)
    assert (book.find(first), book.find(second).id) == (None, key.id)
    third = book.rotate(key.id, overlap_hours=1)
    fourth = book.rotate(key.id, overlap_hours=1)
    assert [book.find(text) is not None for text in (second, third, fourth)] == [False, True, True]


def test_keys_expire_and_are_revoked(book, clock):
    """At the time set; or at once."""
    key, text = book.create("bob", days=1)
    other, second = book.create("eve", days=9)
    clock.advance(86400)
    assert book.find(text) is None
    assert key.state(clock.wall_ns()) == "expired"
    book.revoke(other.id)
    assert book.find(second) is None
    with pytest.raises(BadSettings, match="or revoked"):
        book.rotate(other.id, overlap_hours=1)


def test_a_running_reader_sees_changes_within_a_second(tmp_path, clock):
    """Another process revokes; this one refuses a second later."""
    path = tmp_path / "keys.json"
    writer, reader = KeyBook(path, clock), KeyBook(path, clock)
    key, text = writer.create("bob", days=9)
    assert reader.find(text) is not None
    writer.revoke(key.id)
    clock.advance(1.1)
    assert reader.find(text) is None


def test_a_lost_or_broken_book_opens_for_nobody(book, tmp_path, clock):
    """No file, no keys; a broken file is a clear error."""
    _, text = book.create("bob", days=9)
    (tmp_path / "keys.json").write_text("{")
    clock.advance(2)
    with pytest.raises(BadSettings, match="cannot be read as a book of keys"):
        book.find(text)
    (tmp_path / "keys.json").unlink()
    clock.advance(2)
    assert book.find(text) is None


def test_ids_are_public_and_distinct(book):
    """Twelve letters and digits."""
    ids = {book.create("x", days=1)[0].id for _ in range(5)}
    assert len(ids) == 5
    assert all(re.fullmatch("[a-z0-9]{12}", key_id) for key_id in ids)
