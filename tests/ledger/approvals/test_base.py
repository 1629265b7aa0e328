"""What a question's state means at a moment."""

from bartizan.ledger.approvals.base import Held, Question

ASKED = Question(
    id="q", key="k", at_ns=0, until_ns=10, principal="p", tool="t", effect="pay", reason="r", why="w", arguments="{}"
)


def test_the_state_that_counts_is_the_one_of_now():
    """Used beats approved; a question that is too old is expired, unless it was denied."""
    assert Held(ASKED).now(10) == "waiting"
    assert Held(ASKED).now(11) == "expired"
    assert Held(ASKED, "approved").now(11) == "expired"
    assert Held(ASKED, "denied").now(11) == "denied"
    assert Held(ASKED, "approved", used_ns=5).now(11) == "used"


def test_what_is_alive_is_not_asked_again():
    """Until it was used, or is too old."""
    assert Held(ASKED, "denied").alive(10)
    assert not Held(ASKED).alive(11)
    assert not Held(ASKED, "approved", used_ns=5).alive(6)
