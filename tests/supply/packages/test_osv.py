"""The audit on a small database of ours: hits, misses, and everything that could not be audited."""

import json
import zipfile

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings
from bartizan.supply.base import Package, Scanned, Verdict
from bartizan.supply.packages.osv import Database, audited

NOW = StoppedClock(1_790_000_000_000_000_000)  # 2026-09-21


def record(identity, name, *, ecosystem="PyPI", versions=None, events=None, **more):
    """Return an OSV record."""
    kind = "SEMVER" if ecosystem == "npm" else "ECOSYSTEM"
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "versions": versions or []}
    if events:
        affected["ranges"] = [{"type": kind, "events": events}]
    return {"id": identity, "modified": "2026-09-20T00:00:00Z", "summary": "bad", "affected": [affected], **more}


RECORDS = [
    record("PYSEC-1", "Flask", events=[{"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.0"}, {"fixed": "3.1"}]),
    record("PYSEC-2", "numpy", versions=["1.0"]),
    record("PYSEC-3", "pillow", events=[{"introduced": "5.0"}, {"last_affected": "6.0"}]),
    record("PYSEC-4", "jinja2", events=[{"introduced": "0"}], withdrawn="2026-01-01T00:00:00Z"),
    record("GHSA-1", "lodash", ecosystem="npm", events=[{"introduced": "4.0.0"}, {"fixed": "4.17.21"}]),
    record("MAL-1", "evil", ecosystem="npm", events=[{"introduced": "0"}]),
]


@pytest.fixture
def database(tmp_path):
    """A folder of records."""
    for one in RECORDS:
        (tmp_path / f"{one['id']}.json").write_text(json.dumps(one))
    return Database.open(tmp_path)


def audit(database, *packages, clock=NOW):
    """Return the audited result of a lock file with these packages."""
    scanned = Scanned("requirements.txt", "lock", Verdict.CLEAN, packages=tuple(Package(*one) for one in packages))
    return audited(scanned, database, clock)


@pytest.mark.parametrize(
    ("package", "hit"),
    [
        (("PyPI", "flask", "1.9"), True),
        (("PyPI", "flask", "2.0"), False),
        (("PyPI", "flask", "2.9"), False),
        (("PyPI", "flask", "3.0.1"), True),
        (("PyPI", "flask", "3.1"), False),
        (("PyPI", "numpy", "1.0"), True),
        (("PyPI", "numpy", "1.0.1"), False),
        (("PyPI", "Pillow", "6.0"), True),
        (("PyPI", "pillow", "6.0.1"), False),
        (("PyPI", "pillow", "4.9"), False),
        (("PyPI", "jinja2", "3.0"), False),
        (("npm", "lodash", "4.17.20"), True),
        (("npm", "lodash", "4.17.21"), False),
        (("npm", "lodash", "4.0.0-rc.1"), False),
    ],
)
def test_versions_in_and_out_of_ranges(database, package, hit):
    """Half-open ranges, the last affected one included, withdrawn records left out."""
    result = audit(database, package)
    assert result.verdict is (Verdict.BLOCK if hit else Verdict.CLEAN)


def test_a_malicious_package_is_called_so(database):
    """MAL records."""
    assert audit(database, ("npm", "evil", "1.0.0")).findings[0].rule == "malicious-package"


@pytest.mark.parametrize(
    ("package", "why"),
    [
        (("PyPI", "flask", ""), "version is not known"),
        (("PyPI", "nobody-knows-this-name", "1.0"), "nobody knows"),
        (("PyPI", "flask", "not a version"), "cannot be compared"),
        (("crates.io", "serde", "1.0.0"), "no records about crates.io"),
    ],
)
def test_what_could_not_be_audited_is_no_pass(database, package, why):
    """UNREADABLE, with the reason."""
    result = audit(database, package)
    assert result.verdict is Verdict.UNREADABLE
    assert why in result.findings[0].why


def test_an_old_copy_is_no_audit(database):
    """Forty days later."""
    later = StoppedClock(NOW.ns)
    later.advance(40 * 86_400)
    assert audit(database, ("PyPI", "flask", "2.5"), clock=later).verdict is Verdict.UNREADABLE


def test_a_zip_as_published(tmp_path):
    """all.zip, and a folder of such zips."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for one in RECORDS:
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    for place in (tmp_path / "all.zip", tmp_path):
        assert audit(Database.open(place), ("PyPI", "flask", "1.0")).verdict is Verdict.BLOCK


@pytest.mark.parametrize("content", [b"{", b'{"no": "id"}', b'{"id": "X", "modified": "yesterday"}'])
def test_a_broken_database_is_refused_as_a_whole(tmp_path, content):
    """A part of it would pass what the rest names."""
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(BadSettings, match="no OSV record"):
        Database.open(tmp_path)


def test_an_empty_or_missing_database_is_refused(tmp_path):
    """Not an audit of nothing."""
    with pytest.raises(BadSettings, match="holds no OSV record"):
        Database.open(tmp_path)
    with pytest.raises(BadSettings, match="can be read"):
        Database.open(tmp_path / "none.zip")
