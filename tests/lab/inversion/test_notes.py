"""Notes hold what they say they hold, and files of texts are read or refused by the line."""

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.lab.inversion.notes import KINDS, load, notes


def test_planted_values_stand_in_the_text_and_the_seed_decides():
    """Every kind comes; a name is always planted; an illness goes with its group."""
    found = notes(300, 1)
    assert found == notes(300, 1)
    assert found != notes(300, 2)
    assert all(value in note.text for note in found for value in note.values.values())
    assert all("name" in note.values and note.values["name"] in note.question for note in found)
    assert {note.attributes["kind"] for note in found} == set(KINDS)
    assert all(("illness" in note.attributes) == ("ill" in note.values) for note in found)
    assert {note.attributes["kind"] for note in notes(50, 1, ("bank",))} == {"bank"}


def test_a_file_of_lines_is_read_with_its_numbers_as_values(tmp_path):
    """Empty lines are none; JSON lines say more."""
    (tmp_path / "a.txt").write_text("Order 40225 is late\n\nnothing here\n")
    first, second = load(tmp_path / "a.txt")
    assert first.values == {"number": "40225"}
    assert second.values == {}
    (tmp_path / "b.jsonl").write_text(
        '{"text": "Ann Bo called", "values": {"name": "Ann Bo"}, "attributes": {"a": "b"}}\n'
    )
    assert load(tmp_path / "b.jsonl")[0].attributes == {"a": "b"}


def test_a_bad_line_is_named(tmp_path):
    """So is a file without texts, and one that is not there."""
    (tmp_path / "b.jsonl").write_text('{"text": "a"}\n{"txt": "a"}\n')
    with pytest.raises(BadArtifact, match="line 2"):
        load(tmp_path / "b.jsonl")
    (tmp_path / "c.txt").write_text("\n")
    with pytest.raises(BadArtifact, match="holds no texts"):
        load(tmp_path / "c.txt")
    with pytest.raises(BadArtifact, match="cannot be read"):
        load(tmp_path / "d.txt")
