"""Small private files: whole or not at all, and nobody else's to read."""

import stat
import threading

import pytest

from bartizan.core.files import held, write_private


def test_only_the_owner_may_read_it_and_it_is_replaced_whole(tmp_path):
    """Also when an earlier write was cut off and left its half beside it."""
    path = tmp_path / "secret"
    path.with_name("secret.new").write_text("half of an earlier wri")
    write_private(path, b"one")
    write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["secret"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    """Not a silent loss."""
    with pytest.raises(OSError, match="No such file"):
        write_private(tmp_path / "none" / "secret", b"x")


def test_the_lock_is_held_by_one_at_a_time(tmp_path):
    """A second holder waits for the first."""
    order = []

    def second():
        with held(tmp_path / "sub" / "f"):
            order.append("second")

    with held(tmp_path / "sub" / "f"):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
