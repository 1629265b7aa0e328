"""Whatever is changed in a signed manifest, reading it fails."""

import json

import pytest

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.data import manifest
from bartizan.data.store import open_signer


@pytest.fixture
def admitted(place):
    """A small admitted set."""
    (place.root / "a.jsonl").write_text('{"n": 1}\n{"n": 2}\n')
    return place, place.admit(place.root / "a.jsonl").manifest


@pytest.mark.parametrize(
    "part", ["manifest.json", "shards.jsonl", "rows.bin", "keys.bin", "labels.bin", "sample.jsonl"]
)
def test_one_changed_byte_anywhere_is_noticed(admitted, part):
    """In the head, the shards and every sidecar."""
    place, found = admitted
    path = found.folder / part
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadEvidence):
        manifest.read(found.folder, place.store.verifier_key)


def test_another_key_or_another_place_is_no_signature(admitted):
    """A manifest signed by somebody else, or that of another version, does not hold."""
    place, found = admitted
    other = open_signer(place.root / "other.key", "test/data")
    with pytest.raises(BadEvidence):
        manifest.read(found.folder, other.verifier_key())
    found.folder.rename(place.store.folder("set", 7))
    with pytest.raises(BadEvidence, match="exchanged"):
        place.store.open("set", 7)


def test_a_signed_head_of_another_name_is_refused(admitted):
    """The note names the data set that it signs."""
    place, found = admitted
    note = place.signer.sign(*manifest.tree_root(found.folder), "test/data/else/v1")
    (found.folder / "manifest.note").write_text(str(note))
    with pytest.raises(BadEvidence, match="signed as test/data/else/v1"):
        manifest.read(found.folder, place.store.verifier_key)
    (found.folder / "manifest.note").unlink()
    with pytest.raises(BadEvidence, match="cannot be read"):
        manifest.read(found.folder, place.store.verifier_key)


def test_the_head_says_what_the_rows_are(admitted):
    """Rows, columns, source."""
    _, found = admitted
    head = json.loads((found.folder / "manifest.json").read_bytes())
    assert (head["rows"], head["provenance"]["source"], head["columns"]["n"]["total"]) == (2, "here", 3.0)
    with pytest.raises(BadSettings, match="data set name"):
        manifest.check_name("../x")
