"""What wires share."""

from bartizan.gateway.wires.base import new_id


def test_ids_carry_their_prefix_and_differ():
    """Distinct and in the dialect's style."""
    first, second = new_id("chatcmpl-"), new_id("chatcmpl-")
    assert first.startswith("chatcmpl-")
    assert first != second
