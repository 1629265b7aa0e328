"""An admission that is killed anywhere and run again ends as if it had run through."""

import json
from collections import Counter
from contextlib import closing

import pytest

from bartizan.data import layout, staging
from bartizan.data.journal import Journal
from bartizan.data.layout import look
from bartizan.data.staging import read_sample, stage


class Killed(Exception):
    """Stands for the end of the process: nothing after it runs."""


def run(source, folder, label, kill_at):
    """Stage until the `kill_at`-th progress report, or to the end."""
    folder.mkdir(exist_ok=True)
    journal = Journal(folder / "journal", source.fingerprint(), 1, label)
    calls = Counter()

    def progress(what, done, total):
        calls["n"] += 1
        if calls["n"] == kill_at:
            raise Killed

    with closing(journal):
        return stage(source, folder, journal, label, progress)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_killed_run_continues_without_loss_or_doubling(tmp_path, monkeypatch, form):
    """Killed at every step in turn, with half-written bytes left behind each time."""
    monkeypatch.setattr(layout, "SHARD_BYTES", 900)
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        if form == "jsonl":
            rows = [json.dumps({"text": f"{name} {n}", "n": n, "label": "xyz"[n % 3]}) for n in range(150)]
        else:
            rows = ["text,n,label", *(f'"{name}\n{n}",{n},{"xyz"[n % 3]}' for n in range(150))]
        (tmp_path / f"in/{name}.{form}").write_text("\n".join(rows) + "\n")
    source = look(tmp_path / "in")
    expected = run(source, tmp_path / "whole", "label", 0)
    assert expected.rows == (300 if form == "jsonl" else 302)
    kills = 0
    while True:
        try:
            found = run(source, tmp_path / "parts", "label", 2)
            break
        except Killed:
            kills += 1
            for file in (tmp_path / "parts").rglob("*.bin"):
                with file.open("ab") as half:
                    half.write(b"half")
    assert kills >= 5
    assert found == expected
    for name in (
        "rows.bin",
        "keys.bin",
        "labels.bin",
        "shards.jsonl",
        "sample.jsonl",
        f"data/a.{form}",
        f"data/b.{form}",
    ):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_the_sample_is_the_rows_with_the_smallest_digests(tmp_path, monkeypatch):
    """Whatever the batches were."""
    monkeypatch.setattr(staging, "SAMPLE_ROWS", 20)
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"n": n}) + "\n" for n in range(500)))
    run(look(tmp_path / "a.jsonl"), tmp_path / "one", "", 0)
    monkeypatch.setattr(layout, "SHARD_BYTES", 700)
    run(look(tmp_path / "a.jsonl"), tmp_path / "many", "", 0)
    one, many = (read_sample(tmp_path / folder / "sample.jsonl") for folder in ("one", "many"))
    assert one == many
    raw = (tmp_path / "one/rows.bin").read_bytes()
    smallest = sorted(raw[at : at + 16].hex() for at in range(0, len(raw), 16))[:20]
    assert [row["digest"] for row in one] == smallest
    assert all(row["values"]["n"] == row["row"] for row in one)
