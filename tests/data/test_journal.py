"""A torn line is dropped; another source starts anew; two runs at once are refused."""

from contextlib import closing

import pytest

from bartizan.core.errors import BadArtifact, Refused
from bartizan.data.journal import Copied, Journal, only_one
from bartizan.data.manifest import Shard


def test_a_torn_line_is_dropped_and_overwritten(tmp_path):
    """What a killed process half wrote never happened."""
    path = tmp_path / "journal"
    journal = Journal(path, "f", 1, "")
    assert not journal.resumed
    shard = Shard("a", 0, 3, 1, "00")
    journal.add(Copied(shard))
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"type":"copied","shar')
    again = Journal(path, "f", 1, "")
    assert again.resumed
    assert again.shards() == [shard]
    again.add(Copied(shard))
    again.close()
    with closing(Journal(path, "f", 1, "")) as last:
        assert len(last.shards()) == 2


def test_another_source_or_version_starts_anew(tmp_path):
    """The journal speaks of one state of the files."""
    path = tmp_path / "journal"
    journal = Journal(path, "f", 1, "")
    journal.add(Copied(Shard("a", 0, 3, 1, "00")))
    journal.close()
    with closing(Journal(path, "other", 1, "")) as other:
        assert not other.resumed
    path.write_bytes(b"nonsense\n")
    with pytest.raises(BadArtifact, match="not a journal"):
        Journal(path, "f", 1, "")


def test_one_admission_at_a_time(tmp_path):
    """The second is told to wait."""
    with only_one(tmp_path / "x"), pytest.raises(Refused, match="another admission"), only_one(tmp_path / "x"):
        pass
    with only_one(tmp_path / "x"):
        pass
