"""By which words a record is called."""

from bartizan.core.messages import Text, Trust
from bartizan.policy.intent import intent_of
from bartizan.policy.phrases import part_named, phrase_of, telling


def test_phrases_and_parts():
    """Small words and numbers name nobody."""
    assert phrase_of("Re: Hiking Trip.docx") == " hiking trip "
    assert phrase_of("the file") == phrase_of("everyone") == phrase_of("mal@evil.com") == ""
    assert phrase_of("report.txt") == " report txt "
    intent = intent_of([Text("Invite Mark to the trip at 5", Trust.USER)])
    assert part_named("mark.davies@x.com", intent) == "mark"
    assert part_named("5@x.com", intent) == ""


def test_words_with_which_people_ask_tell_nothing():
    """Whatever they are said of."""
    assert not telling("the file")
    assert not telling("make")
    assert telling("docs/intro.md")
