"""Several processes: the same results in the same order; one that dies leaves its files unreadable."""

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from bartizan.supply.base import Verdict
from bartizan.supply.jobs import _finished, files_of, scan_paths
from bartizan.supply.scan import scan_path

EVIL = b"cposix\nsystem\n(S'true'\ntR."


def test_two_processes_say_what_one_says(tmp_path):
    """Folders, links and single files, in order."""
    for number in range(35):
        (tmp_path / f"d{number % 3}").mkdir(exist_ok=True)
        (tmp_path / f"d{number % 3}" / f"{number:02d}.pkl").write_bytes(EVIL if number % 5 == 0 else b"\x80\x02N.")
    (tmp_path / "link").symlink_to("/etc/hostname")
    one = [*scan_path(tmp_path), *scan_path(tmp_path / "d0" / "00.pkl")]
    assert list(scan_paths([tmp_path, tmp_path / "d0" / "00.pkl"], 1)) == one
    assert list(scan_paths([tmp_path, tmp_path / "d0" / "00.pkl"], 2)) == one
    assert [str(file) for file in files_of([tmp_path])] == [result.path for result in one[:-1]]


def test_files_of_a_process_that_died_are_not_passed(tmp_path):
    """Each is named."""
    future = Future()
    future.set_exception(BrokenProcessPool("gone"))
    results = _finished([tmp_path / "a", tmp_path / "b"], future)
    assert [(one.path, one.verdict) for one in results] == [
        (str(tmp_path / "a"), Verdict.UNREADABLE),
        (str(tmp_path / "b"), Verdict.UNREADABLE),
    ]
