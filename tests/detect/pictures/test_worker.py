"""The reading process: each picture in a child that cannot take anything else along."""

import os
import signal
import time

from bartizan.detect.pictures import worker
from bartizan.detect.pictures.answers import Limits, Read, Unread, understood
from bartizan.detect.pictures.worker import apart, drawn

LIMITS = Limits(seconds=10)


def test_a_child_reads_a_picture_and_says_where_the_words_are(recogniser):
    worker.read(recogniser, drawn("warm"), LIMITS)
    answer = understood(apart(recogniser, drawn("Meet me here"), LIMITS))
    assert isinstance(answer, Read)
    assert answer.reading.text == "Meet me here\n"
    left, top, right, bottom = answer.reading.lines[0].box
    assert 0 <= left < right <= 16 * 12 + 40
    assert 0 <= top < bottom <= 64


def test_what_is_no_picture_is_an_answer(recogniser):
    answer = understood(apart(recogniser, b"not a picture", LIMITS))
    assert isinstance(answer, Unread)
    assert answer.kind == "unfit"


def test_a_picture_that_kills_its_reader_costs_an_answer(recogniser, monkeypatch):
    monkeypatch.setattr(worker, "confined", lambda: os.kill(os.getpid(), signal.SIGKILL))
    answer = understood(apart(recogniser, drawn("x"), LIMITS))
    assert isinstance(answer, Unread)
    assert answer.kind == "failed"
    assert "-9" in answer.why


def test_a_picture_that_takes_too_long_is_stopped(recogniser, monkeypatch):
    monkeypatch.setattr(worker, "PATIENCE", 0.2)
    monkeypatch.setattr(worker, "confined", lambda: time.sleep(30))
    answer = understood(apart(recogniser, drawn("x"), Limits(seconds=1)))
    assert isinstance(answer, Unread)
    assert answer.kind == "late"


def test_a_child_that_was_taken_over_cannot_speak_for_anybody_else(recogniser, monkeypatch):
    monkeypatch.setattr(worker, "written", lambda answer: b"\x80\x04garbage")
    assert isinstance(understood(apart(recogniser, drawn("x"), LIMITS)), Unread)


def test_a_child_reaches_no_descriptor_that_was_open_before(recogniser, monkeypatch):
    """Whoever could write to the gateway's line would answer for other pictures."""
    ours, theirs = os.pipe()
    monkeypatch.setattr(worker, "read", lambda *_: os.write(theirs, b"forged"))
    try:
        said = understood(apart(recogniser, drawn("x"), Limits(seconds=5)))
    finally:
        os.close(theirs)
    assert isinstance(said, Unread)
    assert "Bad file descriptor" in said.why
    with os.fdopen(ours, "rb") as line:
        assert line.read() == b""
