"""From files to a signed version: everything recorded once, however often the run was interrupted."""

import shutil

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.data.admission import JOURNAL


def write(path, rows):
    """JSON lines."""
    path.write_text("".join(f'{{"text": "{text}", "label": "{label}"}}\n' for text, label in rows))


def test_the_same_bytes_make_no_second_version(place):
    """And one record each for two versions."""
    path = place.root / "a.jsonl"
    write(path, [("one", "x"), ("two", "y")])
    assert place.admit(path, label="label").new
    assert not place.admit(path, label="label").new
    write(path, [("one", "x"), ("two", "x"), ("three", "y")])
    second = place.admit(path, label="label")
    assert (second.comparison.rows_new, second.comparison.rows_gone, second.comparison.labels_changed) == (2, 1, 1)
    assert [(kind, body["version"]) for kind, body in place.records] == [("data-admitted", 1), ("data-admitted", 2)]
    assert not (place.root / "quarantine/set/incoming").exists()


def test_a_run_that_died_before_its_record_is_recorded_by_the_next(place):
    """The journal lies beside the version until the ledger knows of it."""
    path = place.root / "a.jsonl"
    write(path, [("one", "x")])
    found = place.admit(path).manifest
    place.records.clear()
    (found.folder / JOURNAL).write_text("")
    place.admit(path)
    assert [body["root"] for _, body in place.records] == [found.root.hex()]
    assert not (found.folder / JOURNAL).exists()


def test_a_copy_that_was_damaged_between_two_runs_is_not_signed(place, monkeypatch):
    """A power cut may take what the journal believes written."""
    path = place.root / "a.jsonl"
    write(path, [("one", "x"), ("two", "y")])

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("bartizan.data.manifest.sign", dies)
        with pytest.raises(KeyboardInterrupt):
            place.admit(path)
    copy = place.root / "quarantine/set/incoming/data/a.jsonl"
    copy.write_bytes(copy.read_bytes().replace(b"two", b"owt"))
    with pytest.raises(BadArtifact, match="not what the journal says"):
        place.admit(path)
    shutil.rmtree(place.root / "quarantine/set/incoming")
    assert place.admit(path).new


def test_rows_that_two_readers_would_count_differently_are_refused(place):
    """A bare carriage return is a row to some readers and not to others."""
    path = place.root / "a.csv"
    path.write_bytes(b"a,b\n1,2\r3,4\n")
    with pytest.raises(BadArtifact, match="rows by their bytes"):
        place.admit(path)
    path.write_bytes(b"")
    with pytest.raises(BadArtifact):
        place.admit(path)
