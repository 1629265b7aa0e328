"""How the model takes an odd request: an answer that gives in is held until its opening shows whether it does.

Looks only where the conversation stands so badly that giving in would take it over the threshold, or where the user
dictated the first words of the answer in a turn that looked odd; other answers are not held at all. The first `OPENING`
characters of a text decide, so a stream is judged as the whole is.
"""

from bartizan.detect.turns.course import Course
from bartizan.detect.turns.refusals import OPENING
from bartizan.gateway.output.base import Hit, Look


class Conduct:
    """Looks at the opening of the answer to the last turn of a conversation."""

    name = "conduct"

    def __init__(self, course: Course) -> None:
        """Judge answers to the last turn of `course`, which stays as it is."""
        self._course = course

    def overhear(self, text: str) -> bool:
        """What a tool found is no answer."""
        return False

    def look(self, text: str, *, final: bool) -> Look:
        """Return the opening as one hit if it takes the conversation over the threshold. Needs a text's beginning."""
        if len(text) < OPENING and not final:
            return Look((), 0)
        opening = text[:OPENING]
        after = self._course.after(opening)
        if after.over and not self._course.over:
            return Look((Hit(0, len(opening), "conversation", after.why(), sure=True),), len(text))
        return Look((), len(text))


def watched(course: Course | None) -> Conduct | None:
    """Return the control for the answer to a conversation, or None where no answer could take it over."""
    return Conduct(course) if course is not None and course.could_tip else None
