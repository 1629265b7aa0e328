"""Rows become columns without losing or merging one; what two readers would read differently is refused."""

import datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from bartizan.core.errors import BadArtifact
from bartizan.data import frames
from bartizan.data.frames import Batch, csv_frame, flat, frame_digests, jsonl_frame, parquet_batches, row_keys
from bartizan.data.layout import cut


def text(path, form):
    """All batches of a text file."""
    shards = [shard for shard, _ in cut(path, path.name, form)]
    return list(frames.text_batches(path, path.name, form, shards, 0))


def test_csv_rows_align_with_their_digests(tmp_path):
    """The header has a digest and no place in the frame; numbers are numbers."""
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"a, ""b""\nc"\n2,plain\n')
    (batch,) = text(path, "csv")
    assert (batch.rows(), batch.lead, batch.frame.height) == (3, 1, 2)
    assert batch.frame["id"].to_list() == [1.0, 2.0]
    assert batch.frame["text"][0] == 'a, "b"\nc'
    assert len(row_keys(batch, "")) == 3 * frames.KEY_BYTES


def test_bad_rows_are_named(tmp_path):
    """With their number."""
    with pytest.raises(BadArtifact, match="row 2 has 1 fields"):
        csv_frame(b"a,b\n1,2\n3\n", "x.csv", 0, ["a", "b"])
    with pytest.raises(BadArtifact, match=r"row 2 is not JSON"):
        jsonl_frame(b'{"a": 1}\nnope\n', "x.jsonl", 0)
    path = tmp_path / "twice.csv"
    path.write_text("a,a\n1,2\n")
    with pytest.raises(BadArtifact, match="different column names"):
        text(path, "csv")


def test_json_of_any_shape_is_read():
    """Mixed types become text; blank lines and missing keys are nulls."""
    frame = jsonl_frame(b'{"a": 1, "b": [1]}\n\n{"a": "x", "c": true}\n', "x", 0)
    assert frame["a"].to_list() == ["1", None, "x"]
    assert frame["b"].to_list() == ["[1]", None, None]
    assert frame["c"].to_list() == [None, None, True]


def test_every_kind_of_column_is_in_the_digest(tmp_path):
    """Changing one value of any type changes the digest of its row and of no other; NaN is not null."""
    rows = {
        "i": [1, 2],
        "f": [0.5, float("nan")],
        "b": [b"x", b"y"],
        "l": [[1, 2], [3]],
        "s": [{"q": 1, "w": b"u"}, {"q": 2, "w": b"v"}],
        "t": [datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 2)],
        "d": [Decimal("1.1"), Decimal("2.2")],
    }
    other = {"i": 9, "f": None, "b": b"z", "l": [4], "s": {"q": 2, "w": b"z"}, "t": None, "d": Decimal("2.3")}
    base = frame_digests(flat(pl.DataFrame(rows)))
    for name, value in other.items():
        changed = frame_digests(flat(pl.DataFrame(rows | {name: [rows[name][0], value]})))
        assert changed[:16] == base[:16], name
        assert changed[16:] != base[16:], name


def test_parquet_is_streamed_in_batches(tmp_path, monkeypatch):
    """The same rows whatever the batch size; the first batches can be skipped."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"x": np.arange(5000), "t": ["row"] * 5000}).write_parquet(path)
    whole = b"".join(batch.digests for batch in parquet_batches(path, "a", 0))
    monkeypatch.setattr(frames, "BATCH_BYTES", 2000)
    parts = list(parquet_batches(path, "a", 0))
    assert len(parts) > 2
    assert b"".join(batch.digests for batch in parts) == whole
    assert [batch.digests for batch in parquet_batches(path, "a", 2)] == [batch.digests for batch in parts[2:]]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(BadArtifact, match="not a Parquet file"):
        list(parquet_batches(tmp_path / "bad.parquet", "bad", 0))


def test_keys_ignore_case_spacing_digits_and_the_class():
    """But not the words."""

    def key(words, label):
        batch = Batch("t", "f", bytes(16), pl.DataFrame({"text": [words], "label": [label]}))
        return row_keys(batch, "label")

    assert key("A film,  number 7", "good") == key("a film number 8", "bad")
    assert key("a film", "good") != key("a play", "good")
