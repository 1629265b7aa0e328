"""Values print short and without hidden characters."""

from bartizan.supply.values import Global, Made, Pile


def test_a_call_prints_as_it_would_be_written():
    """Long arguments are cut, hidden characters written out."""
    made = Made(Global("os", "system"), ["x" * 500, "\u202e"])
    assert str(made).startswith("os.system('xxx")
    assert "\u202e" not in str(made)
    assert len(str(made)) < 300


def test_a_pile_remembers_so_many_items_and_counts_the_rest():
    """A dict is found by key as far as it is remembered."""
    pile = Pile("dict")
    pile.add(["a", 1, "b", 2], 2)
    assert (pile.get("a"), pile.get("b"), pile.more) == (1, None, 2)
    assert str(pile) == "a dict of 4 items"
