"""A version appears whole and is never written over."""

import pytest

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.data.store import Store, verifier_key


def test_versions_are_numbered_and_kept(place):
    """The old one stays readable beside the new one."""
    path = place.root / "a.jsonl"
    for n in range(2):
        path.write_text(f'{{"n": {n}}}\n')
        place.admit(path)
    assert place.store.names() == ["set"]
    assert place.store.versions("set") == [1, 2]
    assert place.store.open("set").head.previous == place.store.open("set", 1).root.hex()
    assert place.store.latest("other") is None


def test_what_is_not_there_is_said(place):
    """With what is."""
    with pytest.raises(BadSettings, match=r"no admitted data set 'none' v3; versions there: none"):
        place.store.open("none", 3)
    with pytest.raises(BadSettings, match=r"no admitted data set 'none'; versions there: none"):
        place.store.open("none")
    with pytest.raises(BadSettings, match="no public key"):
        verifier_key(place.root / "missing.key")


def test_a_version_is_never_written_over(place, tmp_path):
    """Not even by a complete one."""
    store = Store(tmp_path / "s", "k")
    for _ in range(2):
        (tmp_path / "staged").mkdir(exist_ok=True)
        if store.folder("x", 1).exists():
            with pytest.raises(BadEvidence, match="never written over"):
                store.take(tmp_path / "staged", "x", 1)
        else:
            store.take(tmp_path / "staged", "x", 1)
