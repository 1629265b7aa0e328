"""What is approved in a lock is not sent to review again: the very bytes, as the same kind, and REVIEW only."""

import hashlib

from tests.supply.admission.test_lock import revision

from bartizan.core.findings import Severity
from bartizan.supply.admission.approved import Approved
from bartizan.supply.admission.lock import Lock, Revision
from bartizan.supply.base import Verdict
from bartizan.supply.scan import scan_path

EVIL = b"cposix\nsystem\n(S'true'\ntR."


def approved(kind, data):
    """Return what a lock with one file of this kind approves."""
    base = revision()
    fields = {name: getattr(base, name) for name in base.__struct_fields__}
    files = {"SKILL.md": hashlib.sha256(data).hexdigest()}
    return Approved.of(Lock().with_revision("s", "s", Revision(**fields | {"files": files, "format": kind})))


def test_only_what_was_read_is_passed(tmp_path):
    """The same file; not a changed one, not one that was approved as something else."""
    text = b"Go on.\n"
    (tmp_path / "SKILL.md").write_bytes(text)
    (result,) = scan_path(tmp_path)
    assert result.verdict is Verdict.REVIEW
    lifted = approved("skill, text", text).lifted(result)
    assert lifted.verdict is Verdict.CLEAN
    assert lifted.findings[0].severity is Severity.LOW
    assert "approved in the lock as s " in lifted.findings[0].why
    assert approved("text", text).lifted(result) == result
    assert approved("skill", b"other").lifted(result) == result
    (tmp_path / "SKILL.md").unlink()
    assert approved("skill", text).lifted(result) == result


def test_what_is_blocked_stays_blocked(tmp_path):
    """It may have been approved before anybody knew."""
    (tmp_path / "m.pkl").write_bytes(EVIL)
    (result,) = scan_path(tmp_path)
    assert approved("pickle", EVIL).lifted(result).verdict is Verdict.BLOCK
