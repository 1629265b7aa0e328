"""A judgement is found again behind the same texts only."""

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text, Trust
from bartizan.core.verdicts import Allow, Block
from bartizan.detect.judge import Judge
from bartizan.detect.memo import BEGINNING, Memo, passed


class Counting:
    """A detector that counts what it reads."""

    name = "counting"

    def __init__(self):
        """Nothing yet."""
        self.read = []

    def scan(self, text):
        """Find something in every text."""
        self.read.append(text.content)
        return [Finding("seen", Severity.LOW, "text", text.origin)]


def test_a_text_is_read_once_in_its_place():
    """Behind other texts, from somebody else's mouth, or once it is forgotten, it is read again."""
    detector = Counting()
    judge, memo = Judge([detector]), Memo(most=2)
    system = passed(Text("Be kind.", Trust.OPERATOR), BEGINNING)
    memo.judge(judge, Text("Hi", Trust.USER, "/messages/1"), system)
    again, key = memo.judge(judge, Text("Hi", Trust.USER, "/messages/2"), system)
    assert detector.read == ["Hi"]
    assert again.findings[0].where == "/messages/2"
    memo.judge(judge, Text("Hi", Trust.USER), BEGINNING)
    memo.judge(judge, Text("Hi", Trust.WEB), system)
    assert detector.read == ["Hi"] * 3
    assert memo.judge(judge, Text("Hi", Trust.USER), system)[1] == key
    assert detector.read == ["Hi"] * 4


def test_a_crash_that_has_passed_does_not_stay():
    """What failed is asked again; the text is blocked only as long as the detector fails."""

    class Passing(Counting):
        def scan(self, text):
            found = super().scan(text)
            if len(self.read) == 1:
                raise OSError
            return found

    judge, memo = Judge([Passing()]), Memo()
    first, _ = memo.judge(judge, Text("Hi", Trust.USER), BEGINNING)
    second, _ = memo.judge(judge, Text("Hi", Trust.USER), BEGINNING)
    assert isinstance(first.verdict, Block)
    assert isinstance(second.verdict, Allow)
