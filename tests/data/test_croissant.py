"""Croissant metadata goes in and comes out, and its digests are checked."""

import json

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.data import croissant
from bartizan.data.manifest import file_digest


def test_what_is_written_can_be_read_back(place):
    """Licence, digest and fields survive; a changed file disagrees."""
    path = place.root / "a.csv"
    path.write_text("text,label\nhello,x\n")
    found = place.admit(path, label="label").manifest
    files = {"a.csv": file_digest(path)}
    document = json.loads(json.dumps(croissant.written(found, files)))
    assert document["conformsTo"] == croissant.CONFORMS
    assert [one["name"] for one in document["recordSet"][0]["field"]] == ["text", "label"]
    assert croissant.disagreements(document, files) == []
    assert "the metadata says" in croissant.disagreements(document, {"a.csv": "00" * 32})[0]
    assert croissant.provenance(document).source == "here"


def test_provenance_is_taken_from_names_and_lists():
    """As authors write them."""
    document = {"@type": "sc:Dataset", "name": "n", "license": ["CC0"], "creator": [{"name": "A"}, {"name": "B"}]}
    about = croissant.provenance(document)
    assert (about.source, about.licence, about.collector) == ("n", "CC0", "A, B")


def test_other_documents_are_refused(tmp_path):
    """JSON that is no data set, and what is no JSON."""
    for text in ('{"@type": "sc:Person"}', "[]", "no"):
        (tmp_path / "c.json").write_text(text)
        with pytest.raises(BadArtifact):
            croissant.read(tmp_path / "c.json")
