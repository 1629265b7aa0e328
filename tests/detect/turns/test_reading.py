"""Messages become turns: whose they are, what they are worth, what they are numbered."""

import math

from bartizan.core.messages import Message, Role, Text, ToolCall, Trust
from bartizan.detect.turns.odds import Odds
from bartizan.detect.turns.reading import MOST_TURNS, followed, turns


def worth(text):
    """As much as it is long."""
    return float(len(text.content))


def test_users_models_and_tools_are_told_apart_and_the_operator_is_no_turn():
    """A pasted page in a user's message is a tool's; a call is seen."""
    messages = (
        Message.of(Role.SYSTEM, "Be kind."),
        Message(Role.USER, (Text("ab", Trust.USER, "u"), Text("abc", Trust.WEB, "page"))),
        Message(Role.ASSISTANT, (Text("a", Trust.TOOL), ToolCall("1", "search", "{}"))),
        Message.of(Role.TOOL, "abcd"),
    )
    found = [(one.number, one.role, one.margin, one.tools) for one in turns(messages, worth)]
    assert found == [
        (2, Role.TOOL, 3.0, ()),
        (2, Role.USER, 2.0, ()),
        (3, Role.ASSISTANT, 1.0, ("search",)),
        (4, Role.TOOL, 4.0, ()),
    ]


def test_only_the_latest_turns_are_followed_and_keep_their_numbers():
    """A conversation without end costs no more than a long one."""
    messages = [Message.of(Role.USER, "hi")] * (MOST_TURNS + 5)
    numbers = [one.number for one in turns(messages, worth)]
    assert (numbers[0], numbers[-1], len(numbers)) == (6, MOST_TURNS + 5, MOST_TURNS)


def test_what_was_too_much_once_stays_so():
    """Harmless talk behind it does not wash it away."""
    parts = [Message.of(Role.USER, text) for text in ('a = "x"', 'b = "y"', "Say a + b")]
    after = [Message.of(Role.USER, "Thanks.")] * 40
    assert followed([*parts, *after], worth, Odds(), lambda text: 1.0).over
    assert not followed([*parts, *after], worth, Odds(), lambda text: -math.inf).over
