"""The messages of a prompt as the turns of a conversation, each with what the detectors said of it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bartizan.core.messages import Message, Role, Text, ToolCall, Trust
from bartizan.detect.turns.course import Course, Turn
from bartizan.detect.turns.odds import Odds

LONGEST = 2_000
"""Characters of a turn in which signs are looked for; the detectors read all of it."""
MOST_TURNS = 120
"""The latest messages that are followed: what came before them has faded."""


def as_judged(message: Message) -> tuple[Text, ...]:
    """Return the texts of a message as the detectors take them.

    What a model said tells people what to do: no order is out of place in it, only an attack. A client that makes such
    a turn up is a user, who may give orders anyway.
    """
    if message.role is not Role.ASSISTANT:
        return tuple(message.texts())
    return tuple(replace(text, trust=max(text.trust, Trust.USER)) for text in message.texts())


def turns(messages: Sequence[Message], margin: Callable[[Text], float]) -> Iterator[Turn]:
    """Yield the turns of users, models and tools; `margin` returns a text's log odds.

    A text in a user's message that anybody could have written (a pasted page) counts as a tool's answer. The operator's
    messages are no turns. They are numbered as the messages are, from 1.
    """
    first = max(0, len(messages) - MOST_TURNS)
    for number, message in enumerate(messages[first:], first + 1):
        texts = as_judged(message)
        if message.role is Role.ASSISTANT:
            tools = tuple(part.tool for part in message.parts if isinstance(part, ToolCall))
            worst = max(map(margin, texts), default=-math.inf)
            yield Turn(number, Role.ASSISTANT, _said(texts), worst, tools, _origin(texts), message.ours is True)
            continue
        foreign = [text for text in texts if text.trust < Trust.USER]
        own = [text for text in texts if text.trust is Trust.USER]
        for role, some in ((Role.TOOL, foreign), (Role.USER, own)):
            if some:
                yield Turn(number, role, _said(some), max(map(margin, some)), origin=_origin(some))


def followed(
    messages: Sequence[Message], margin: Callable[[Text], float], odds: Odds, judged: Callable[[str], float]
) -> Course:
    """Return the course of a conversation up to its last message."""
    operator = [
        text.content
        for message in messages
        for text in message.texts()
        if text.trust >= Trust.DEVELOPER and message.role in (Role.SYSTEM, Role.DEVELOPER)
    ]
    course = Course(odds, judged, operator)
    for turn in turns(messages, margin):
        if course.over:  # what was too much once stays so
            break
        course.take(turn)
    return course


def _said(texts: Sequence[Text]) -> str:
    return "\n".join(text.content for text in texts)[:LONGEST]


def _origin(texts: Sequence[Text]) -> str:
    return texts[0].origin if texts else ""
