"""Several processes: the same results in the same order; one that dies leaves its files unreadable."""

import os
from multiprocessing.connection import Pipe
from threading import Thread

import pytest

from bartizan.supply import jobs
from bartizan.supply.base import Verdict
from bartizan.supply.jobs import Worker, scan_paths
from bartizan.supply.scan import scan_path

EVIL = b"cposix\nsystem\n(S'true'\ntR."


@pytest.fixture
def folder(tmp_path):
    """Files in folders, every fifth hostile, and a link that leads out."""
    for number in range(35):
        (tmp_path / f"d{number % 3}").mkdir(exist_ok=True)
        (tmp_path / f"d{number % 3}" / f"{number:02d}.pkl").write_bytes(EVIL if number % 5 == 0 else b"\x80\x02N.")
    (tmp_path / "link").symlink_to("/etc/hostname")
    return tmp_path


def test_two_processes_say_what_one_says(folder, monkeypatch):
    """Folders, links and single files, in order; here the processes start after the first file."""
    paths = [folder, folder / "d0" / "00.pkl"]
    one = [result for path in paths for result in scan_path(path)]
    assert list(scan_paths(paths, 1)) == one
    monkeypatch.setattr(jobs, "_ALONE_S", -1)
    monkeypatch.setattr(jobs, "_FILES", 5)
    assert list(scan_paths(paths, 2)) == one


def test_no_process_starts_for_what_takes_no_time(folder, monkeypatch):
    """A start costs more than these files."""
    monkeypatch.setattr(jobs, "Worker", None)
    assert len(list(scan_paths([folder], 8))) == 36


def test_files_of_a_process_that_died_are_not_passed(tmp_path):
    """Each is named."""
    files = [(tmp_path / "a", tmp_path), (tmp_path / "b", tmp_path)]
    results, still_there = Worker("raise SystemExit(3)").scan(files)
    assert not still_there
    assert [(one.path, one.verdict) for one in results] == [
        (str(tmp_path / "a"), Verdict.UNREADABLE),
        (str(tmp_path / "b"), Verdict.UNREADABLE),
    ]


def test_groups_are_bounded_by_bytes_and_number(folder, monkeypatch):
    """A large file goes alone; the other side answers until its input ends."""
    monkeypatch.setattr(jobs, "_BYTES", 60)
    files = [(file, folder) for file in sorted(folder.glob("d0/*"))]
    groups = list(jobs._groups(iter(files)))
    assert [file for group in groups for file in group] == files
    assert max(len(group) for group in groups[:-1]) < 12
    here, there = Pipe()
    other = Thread(target=jobs.serve, args=[os.dup(there.fileno())])
    other.start()
    for group in groups:
        here.send(group)
        assert [one.path for one in here.recv()] == [str(file) for file, _ in group]
    here.close()
    there.close()
    other.join(10)
    assert not other.is_alive()
