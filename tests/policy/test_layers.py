"""A mapping of layers is one dictionary in which the first writer wins."""

from hypothesis import given
from hypothesis import strategies as st

from bartizan.policy.layers import Layers


@given(st.lists(st.dictionaries(st.integers(0, 50), st.integers(), max_size=40), max_size=30))
def test_it_is_the_dictionary_that_one_would_build(parts):
    """Equal in every way, after every step; what was there before is not changed by what comes later."""
    grown, expected, before = Layers(), {}, []
    for part in parts:
        before.append((grown, dict(expected)))
        grown = grown.and_(part)
        for key, number in part.items():
            expected.setdefault(key, number)
        assert grown == expected
        assert bool(grown) == bool(expected)
        assert len(grown) == len(expected)
        assert all(key in grown for key in expected)
        assert 99 not in grown
        assert grown.get(99) is None
    assert all(older == then for older, then in before)


def test_there_are_few_layers():
    """A look-up asks a handful of dictionaries, however often it has grown."""
    grown = Layers()
    for number in range(1000):
        grown = grown.and_(dict.fromkeys(range(number * 10, number * 10 + 10), number))
    assert len(grown._layers) <= 7
