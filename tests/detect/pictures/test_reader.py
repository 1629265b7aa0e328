"""The reader: one process, every picture once, and an answer whatever happens."""

import pytest

from bartizan.core.errors import BadSettings
from bartizan.detect.pictures.answers import Limits, Read, Unread
from bartizan.detect.pictures.reader import PictureReader
from bartizan.detect.pictures.worker import drawn


def test_a_picture_is_read_once_and_remembered(reader):
    data = drawn("Buy more tea")
    assert reader.known(data) is None
    answer = reader.read(data)
    assert isinstance(answer, Read)
    assert answer.reading.text == "Buy more tea\n"
    assert reader.known(data) is answer


def test_what_is_too_large_never_reaches_the_process(reader):
    answer = reader.read(b"x" * (reader.limits.picture_bytes + 1))
    assert isinstance(answer, Unread)
    assert answer.kind == "unfit"


def test_a_process_that_is_gone_is_an_answer_and_another_one_is_started(reader):
    reader._process.kill()
    reader._process.wait()
    lost = reader.read(drawn("Lost and"))
    assert isinstance(lost, Unread)
    assert lost.kind == "failed"
    assert isinstance(reader.read(drawn("Lost and")), Read)


@pytest.mark.parametrize(
    "program", ["raise SystemExit", "import os, sys; os.write(int(sys.argv[1]), bytes([0, 0, 0, 2]) + b'hi')"]
)
def test_a_process_that_does_not_work_stops_the_start(program):
    with pytest.raises(BadSettings, match="does not work"):
        PictureReader(Limits(), program)
