"""The guard names every file that is not as approved, and an empty lock lets nothing start."""

import hashlib

from tests.supply.admission.test_lock import revision

from bartizan.supply.admission.guard import check
from bartizan.supply.admission.lock import Lock, Revision


def lock_of(tmp_path):
    """Return a lock of a folder with two files."""
    (tmp_path / "m").mkdir()
    files = {}
    for name in ("a.bin", "b.bin"):
        (tmp_path / "m" / name).write_bytes(name.encode())
        files[name] = hashlib.sha256(name.encode()).hexdigest()
    base = revision()
    fields = {name: getattr(base, name) for name in base.__struct_fields__}
    return Lock().with_revision("m", str(tmp_path / "m"), Revision(**fields | {"files": files}))


def test_what_is_as_approved_starts(tmp_path):
    """At its own place and at another one."""
    lock = lock_of(tmp_path)
    assert check(lock, {}) == []
    assert check(lock, {"m": tmp_path / "m"}) == []


def test_each_difference_is_named(tmp_path):
    """Changed, added, linked, gone, not in the lock."""
    lock = lock_of(tmp_path)
    (tmp_path / "m" / "a.bin").write_bytes(b"x")
    (tmp_path / "m" / "c.py").write_bytes(b"x")
    assert {(one.rule, one.where.rsplit("/", 1)[1]) for one in check(lock, {})} == {
        ("artefact-changed", "a.bin"),
        ("artefact-added", "c.py"),
    }
    (tmp_path / "m" / "d").symlink_to("/etc/hostname")
    assert [one.rule for one in check(lock, {})] == ["artefact-unreadable"]
    assert [one.rule for one in check(lock, {"other": tmp_path})] == ["not-approved"]
    assert [one.rule for one in check(lock, {"m": tmp_path / "none"})] == ["artefact-unreadable"]


def test_an_empty_lock_approves_nothing():
    """Not an empty success."""
    assert [one.rule for one in check(Lock(), {})] == ["nothing-approved"]
