"""Answers: what a reading process says is understood or is its failure."""

from bartizan.detect.pictures.answers import Read, Unread, understood, written
from bartizan.detect.pictures.layout import Placed, Reading


def test_an_answer_comes_back_as_it_was():
    for answer in (Read(Reading((Placed("hi", (1, 2, 3, 4), "\n"),), 2)), Unread("too large", "unfit")):
        assert understood(written(answer)) == answer


def test_what_is_no_answer_is_a_failure_of_the_one_who_wrote_it():
    for said in (b"", b"{}", b"\x80\x04.", b'{"type":"read","reading":[[["x",[1,2,"3",4]]],0]}'):
        answer = understood(said)
        assert isinstance(answer, Unread)
        assert answer.kind == "failed"
