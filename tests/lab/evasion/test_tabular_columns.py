"""What a row may be: inferred from rows, read from a file, written as one; what is wrong in it is named."""

import json

import numpy as np
import pytest

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.tabular_columns import inferred, read

NAMES = ("age", "work=private", "work=state", "owner", "income", "total", "always")


def rows(n=40):
    """Whole ages, a group of two, one 0/1 column that is no group, a real number, their sum, a constant."""
    draw = np.random.default_rng(0)
    x = np.zeros((n, 7), np.float32)
    x[:, 0] = draw.integers(18, 90, n)
    x[np.arange(n), 1 + draw.integers(0, 2, n)] = 1
    x[:, 3] = np.arange(n) % 3 == 0
    x[:, 4] = draw.uniform(0, 9, n)
    x[:, 6] = 5
    return total(x)


def total(x):
    """The function that a schema names: the sixth column is the sum of two others."""
    out = x.copy()
    out[:, 5] = out[:, 0] + out[:, 4]
    return out


def written(tmp_path, text, name="schema.toml"):
    """Return a schema's file."""
    path = tmp_path / name
    path.write_text(text)
    return path


def test_rows_tell_ranges_whole_numbers_groups_and_constants():
    """A 0/1 column that is not the other half of a group stays alone."""
    x = rows()
    found = inferred(x, NAMES)
    assert found.groups == ("work",)
    assert found.schema.one_hot == ((1, 2),)
    assert found.schema.integer == (0, 3, 6)
    assert found.schema.immutable == (6,)
    assert (found.schema.low[0], found.schema.high[0]) == (x[:, 0].min(), x[:, 0].max())
    assert [name for name, _ in found.parts] == ["age", "work", "owner", "income", "total", "always"]
    assert found.shown(np.array([30, 0, 1, 0, 2.5, 32.5, 5]), (1, 2)) == "state"


def test_a_category_that_no_row_has_stays_with_its_name():
    """Its column is all zeros, and would fit the next group as well."""
    x = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 1]], np.float32)
    names = ["work=private", "work=state", "work=none", "sex=f", "sex=m"]
    assert dict(inferred(x, names).parts) == {"work": (0, 1, 2), "sex": (3, 4)}
    assert dict(inferred(x[:, [0, 1, 3, 4]], list("abcd")).parts) == {"a to b": (0, 1), "c to d": (2, 3)}


def test_a_file_says_what_rows_cannot_and_is_written_back_the_same(tmp_path):
    """Ranges beyond the data, fixed columns and groups by name, columns that follow from others."""
    text = """
    most_changed = 2
    reach = 0.5
    immutable = ["work", "owner"]
    derived = ["total"]
    derive = "tests.lab.evasion.test_tabular_columns:total"
    [columns.age]
    low = 0
    integer = false
    """
    found = read(written(tmp_path, text), rows(), NAMES)
    schema = found.schema
    assert (schema.most_changed, schema.reach, schema.low[0]) == (2, 0.5, 0)
    assert schema.immutable == (1, 2, 3, 5, 6)
    assert schema.units == ((0,), (4,))
    assert ("total", "follows from the others") in [(name, how) for name, _, how in found.described()]
    moved = rows() + 1
    repaired = schema.repaired(moved, rows())
    assert np.allclose(repaired[:, 5], repaired[:, 0] + repaired[:, 4])
    again = read(written(tmp_path, inferred(rows(), NAMES).as_toml(), "again.toml"), rows(), NAMES).schema
    first = inferred(rows(), NAMES).schema
    assert np.array_equal(again.low, first.low)
    assert (again.one_hot, again.integer, again.immutable) == (first.one_hot, first.integer, first.immutable)


def test_json_is_taken_too(tmp_path):
    """The same words."""
    path = written(tmp_path, json.dumps({"most_changed": 1, "groups": {}}), "schema.json")
    found = read(path, rows(), NAMES)
    assert found.schema.most_changed == 1
    assert found.schema.one_hot == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('immutable = ["agee"]', "no column 'agee'; the data have age"),
        ("[columns.age]\nlow = 40", "expected a whole number in 40.."),
        ('[groups]\nboth = ["owner", "always"]', "both = 1, 5: expected exactly one 1"),
        ('derived = ["total"]', "derived and derive"),
        ("reach = 3", "<= 1.0"),
        ("reaches = 0.3", "unknown field `reaches`"),
        ("reach == 3", "schema.toml"),
        ('immutable = ["age", "work", "owner", "income", "total"]', "nothing to attack"),
    ],
)
def test_what_is_wrong_in_a_schema_is_said(tmp_path, text, said):
    """The name, the value, what was expected."""
    with pytest.raises(BadSettings) as caught:
        read(written(tmp_path, text), rows(), NAMES)
    assert said in str(caught.value)


def test_names_must_differ_and_the_file_must_be_there(tmp_path):
    """Otherwise a schema could mean either column."""
    with pytest.raises(BadSettings, match="two columns are called 'a'"):
        inferred(np.zeros((2, 2), np.float32), ["a", "a"])
    with pytest.raises(BadSettings, match="cannot be read"):
        read(tmp_path / "none.toml", rows(), NAMES)
