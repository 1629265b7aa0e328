"""Every edit of admitted data is found and located, in every format, and an untouched copy is clean."""

import csv
import io
import json
import shutil

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bartizan.data import layout
from bartizan.data.verification import verify


def packed(form, rows):
    """Rows in the bytes of a format."""
    if form == "csv":
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows([["text"], *([row] for row in rows)])
        return buffer.getvalue().encode()
    return "".join(json.dumps({"text": row}) + "\n" for row in rows).encode()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_edits_are_all_found_and_located(place, monkeypatch, form, data):
    """Changed, removed and added rows of a file of many shards, with line breaks inside rows."""
    monkeypatch.setattr(layout, "SHARD_BYTES", 60)
    rows = [f"{n}\n{'x' * (n % 7)}" for n in range(60)]
    path = place.root / f"a.{form}"
    path.write_bytes(packed(form, rows))
    name = f"set-{form}"
    found = place.admit(path, name).manifest if not place.store.versions(name) else place.store.open(name)
    changed = data.draw(st.sets(st.integers(0, 59), max_size=5))
    removed = data.draw(st.sets(st.integers(0, 59), max_size=5)) - changed
    added = data.draw(st.lists(st.integers(0, 60), max_size=3))
    edited = [f"other {row}" if at in changed else row for at, row in enumerate(rows)]
    parts = [[row] if at not in removed else [] for at, row in enumerate(edited)] + [[]]
    for number, at in enumerate(added):
        parts[at].insert(0, f"new {number}")
    now = [row for part in parts for row in part]
    copy = place.root / "copy"
    copy.mkdir(exist_ok=True)
    (copy / f"a.{form}").write_bytes(packed(form, now))
    wrong = verify(found, copy).differences
    assert bool(wrong) == (now != rows)
    touched = {int(one.row.split()[1]) - 1 for one in wrong if one.rule in ("changed", "added")}
    assert touched == {at for at, row in enumerate(now) if row not in rows}
    gone = sum(one.rule in ("changed", "removed") for one in wrong)
    assert gone == len(changed) + len(removed)
    assert not any(one.rule == "moved" for one in wrong)


def test_a_moved_row_is_named_with_its_old_place(place):
    """Reordering is a change too: it decides what a model sees last."""
    rows = [f"row {n}" for n in range(40)]
    path = place.root / "a.jsonl"
    path.write_bytes(packed("jsonl", rows))
    found = place.admit(path).manifest
    rows.insert(30, rows.pop(4))
    path.write_bytes(packed("jsonl", rows))
    (one,) = verify(found, path).differences
    assert (one.rule, one.row, one.why) == ("moved", "row 31", "was admitted as row 5")


def test_a_removed_line_break_is_seen_as_the_row_it_makes(place, monkeypatch):
    """Two rows become one, at a shard's end too."""
    monkeypatch.setattr(layout, "SHARD_BYTES", 20)
    path = place.root / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n{"a": 3}\n{"a": 4}\n')
    found = place.admit(path).manifest
    path.write_bytes(b'{"a": 1}\n{"a": 2}{"a": 3}\n{"a": 4}\n')
    assert {one.rule for one in verify(found, path).differences} == {"changed", "removed"}


def test_rows_of_parquet_and_npz_are_named(place):
    """And a file with other bytes and the same rows is said to be rewritten."""
    frame = pl.DataFrame({"x": range(50), "t": [f"r{n}" for n in range(50)]})
    frame.write_parquet(place.root / "a.parquet")
    found = place.admit(place.root / "a.parquet", "parquet").manifest
    frame.with_columns(t=pl.when(pl.col("x") == 7).then(pl.lit("no")).otherwise("t")).write_parquet(
        place.root / "a.parquet"
    )
    (one,) = verify(found, place.root / "a.parquet").differences
    assert (one.rule, one.row) == ("changed", "row 8")
    frame.write_parquet(place.root / "a.parquet", compression="gzip")
    assert [one.rule for one in verify(found, place.root / "a.parquet").differences] == ["rewritten"]
    x, y = np.zeros((9, 2)), np.arange(9)
    np.savez(place.root / "b.npz", x=x, y=y)
    found = place.admit(place.root / "b.npz", "npz").manifest
    y[3] = 100
    np.savez(place.root / "b.npz", x=x, y=y)
    (one,) = verify(found, place.root / "b.npz").differences
    assert (one.file, one.rule, one.row) == ("b.npz[x+y]", "changed", "row 4")
    (place.root / "b.npz").write_bytes(b"no")
    assert [one.rule for one in verify(found, place.root / "b.npz").differences] == ["unreadable"]


def test_files_of_a_folder_are_named(place):
    """A picture moved to another class is another label."""
    folder = place.root / "in"
    for name in ("cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    found = place.admit(folder).manifest
    copy = place.root / "copy"
    shutil.copytree(folder, copy)
    assert verify(found, copy).differences == []
    (copy / "cat/1.png").rename(copy / "dog/1.png")
    (copy / "cat/2.png").write_bytes(b"other")
    (copy / "dog/3.png").unlink()
    (copy / "dog/5.png").write_bytes(b"new")
    wrong = {(one.rule, one.file): one.why for one in verify(found, copy).differences}
    assert set(wrong) == {
        ("moved", "dog/1.png"),
        ("changed", "cat/2.png"),
        ("removed", "dog/3.png"),
        ("added", "dog/5.png"),
    }
    assert wrong["moved", "dog/1.png"] == "was admitted as cat/1.png"


def test_files_that_come_and_go_are_named(place):
    """With how many rows went."""
    folder = place.root / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(packed("jsonl", ["a", "b"]))
    found = place.admit(folder).manifest
    (folder / "a.jsonl").rename(folder / "b.jsonl")
    assert {(one.rule, one.file) for one in verify(found, folder).differences} == {
        ("removed", "a.jsonl"),
        ("added", "b.jsonl"),
    }
    assert verify(found, place.root / "nowhere").differences[0].rule == "unreadable"
