"""Only files of one known format are admitted; they are cut between rows."""

import json

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.data import layout


def test_links_and_mixed_folders_are_refused(tmp_path):
    """A link could point anywhere; two formats are two data sets."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "b.csv").symlink_to("/etc/passwd")
    with pytest.raises(BadArtifact, match="a link"):
        layout.look(tmp_path)
    (tmp_path / "b.csv").unlink()
    (tmp_path / "b.jsonl").write_text("{}\n")
    with pytest.raises(BadArtifact, match="files of one format"):
        layout.look(tmp_path)
    with pytest.raises(BadArtifact, match="no link"):
        layout.look(tmp_path / "gone.csv")


def test_shards_end_with_rows_and_cover_every_byte(tmp_path, monkeypatch):
    """Even a row that is longer than a shard stays whole."""
    monkeypatch.setattr(layout, "SHARD_BYTES", 50)
    rows = [json.dumps({"n": n, "text": "x" * (n % 90)}) + "\n" for n in range(200)]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(rows))
    shards = list(layout.cut(path, "a.jsonl", "jsonl"))
    assert b"".join(data for _, data in shards) == path.read_bytes()
    assert sum(shard.rows for shard, _ in shards) == 200
    assert all(data.endswith(b"\n") for _, data in shards)
    assert [shard for shard, _ in layout.cut(path, "a.jsonl", "jsonl", shards[3][0].offset)] == [
        s for s, _ in shards[3:]
    ]


def test_the_fingerprint_tells_another_state_of_the_files(tmp_path):
    """Size or time changed: an interrupted admission starts anew."""
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n")
    before = layout.look(path).fingerprint()
    assert before == layout.look(path).fingerprint()
    path.write_text("x\n12\n")
    assert layout.look(path).fingerprint() != before
