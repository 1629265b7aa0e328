"""Rows are sampled evenly, shown by their number, and left out one by one, whatever the format."""

import numpy as np
import polars as pl
import pytest

from bartizan.data.rows import sample, values, without

FRAME = pl.DataFrame({"t": [f'line "{at}", with\na break' for at in range(50)], "n": list(range(50))})
WRITERS = {
    "a.csv": pl.DataFrame.write_csv,
    "a.jsonl": pl.DataFrame.write_ndjson,
    "a.parquet": pl.DataFrame.write_parquet,
}


@pytest.fixture(params=WRITERS)
def manifest(request, place, monkeypatch):
    """The frame in one of the formats, in shards of a few rows."""
    monkeypatch.setattr("bartizan.data.layout.SHARD_BYTES", 256)
    WRITERS[request.param](FRAME, place.root / request.param)
    return place.admit(place.root / request.param).manifest


def test_values_are_those_of_the_row(manifest):
    """By its number in the file, also in later shards."""
    name = next(iter(manifest.shards))
    found = values(manifest, [(name, 0), (name, 17), (name, 49)])
    assert {row: record["n"] for (_, row), record in found.items()} == {0: 0, 17: 17, 49: 49}
    assert found[(name, 17)]["t"] == FRAME["t"][17]


def test_a_sample_of_everything_is_everything(manifest):
    """With the rows' numbers."""
    names, frame = sample(manifest, 100)
    assert [row for _, row in names] == list(range(50))
    assert frame["n"].to_list() == list(range(50))


def test_a_smaller_sample_is_spread(manifest):
    """Its numbers are those of its rows."""
    names, frame = sample(manifest, 10)
    assert 5 <= len(names) <= 10
    assert frame["n"].to_list() == [row for _, row in names]
    assert frame["n"].max() - frame["n"].min() > 25


def test_rows_are_left_out_and_the_others_stay_as_they_are(manifest, place):
    """Byte for byte in text formats."""
    name = next(iter(manifest.shards))
    gone = [(name, 0), (name, 17), (name, 18), (name, 49)]
    path = without(manifest, gone, place.root / "kept")
    again = place.admit(path, "again").manifest
    kept = np.delete(np.arange(50), [row for _, row in gone])
    assert sample(again, 100)[1]["n"].to_list() == kept.tolist()
    if name.endswith(".csv"):
        lines = path.read_bytes().splitlines(keepends=True)
        assert [
            one for one in lines if one not in (manifest.folder / "data" / name).read_bytes().splitlines(True)
        ] == []


def test_formats_without_records_have_no_values(place):
    """Arrays are shown otherwise."""
    np.savez(place.root / "a.npz", x=np.zeros((3, 2)))
    assert values(place.admit(place.root / "a.npz").manifest, [("a.npz[x]", 1)]) == {}
