"""The words that every database of a log speaks."""

from bartizan.ledger.tables.base import Content, Leaf, Node


def test_rows_stand_in_the_order_of_the_columns():
    """They are inserted by position."""
    assert Leaf(1, b"r", b"h", "k") == (1, b"r", b"h", "k")
    assert Content(1, b"s", b"b") == (1, b"s", b"b")
    assert Node(8, 0, b"h")._fields == ("level", "idx", "hash")
