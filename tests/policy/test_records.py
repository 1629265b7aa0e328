"""The structure of results, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.policy.records import structure_of

YAML = """
- id_: '5'
  title: Dentist
  participants:
  - ann@x.com
  - bob@x.com
  note: "two\\n\\
    lines"
  shared:
    ann@x.com: rw
- id_: '6'
  title: Lunch
"""


def test_yaml_and_json_give_the_same_records():
    """Lists give several values, mappings their keys."""
    first = structure_of(YAML).records[0]
    assert first.fields["id_"] == ("5",)
    assert first.fields["participants"] == ("ann@x.com", "bob@x.com")
    assert first.fields["shared"] == ("ann@x.com",)
    assert first.fields["note"] == ("two\nlines",)
    json_text = '[{"id": 5, "to": ["a", "b"], "x": null}]'
    assert structure_of(json_text).records[0].fields == {"id": ("5",), "to": ("a", "b"), "x": ()}
    assert structure_of("{'first_name': 'Emma', 'city': 'Bern'}").records[0].fields["city"] == ("Bern",)


def test_lists_and_keys_are_seen():
    """A plain list of names, and a mapping from names to answers."""
    assert structure_of("- general\n- random").items == ("general", "random")
    assert structure_of("{'City Hub': 'Rating: 4.3'}").keys == ("City Hub",)


@pytest.mark.parametrize(
    "text",
    [
        "just words",
        "",
        "a: &x [1]\nb: *x",
        "a: 1\na: 2",
        "!!python/object/apply:os.system [id]",
        "- " * 60 + "x",
        "--- a\n--- b",
        '{"a": ' * 60,
        "5",
    ],
)
def test_what_is_not_plain_data_has_no_structure(text):
    """Aliases, repeated keys, tags that build objects, depth, several documents."""
    assert structure_of(text) is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text):
    """Hostile input."""
    structure_of(text)
