"""The reading process: loads the networks once, then reads every picture in a child of its own that gives up all else.

A child is forked with the networks in memory, bounds itself, gives up files, network and programs, reads one picture,
answers and ends. So a picture that takes over its reader reaches no other picture, and one that kills it or takes too
long costs an answer that says so. This process itself reads no picture but the one
that it drew to test itself.
"""

import io
import os
import select
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from PIL import Image, ImageDraw, ImageFont

from bartizan.core.errors import BartizanError
from bartizan.detect.pictures.answers import MOST_BYTES, PATIENCE, Answer, Limits, Read, Unread, understood, written
from bartizan.detect.pictures.confinement import can_confine, confined, limited
from bartizan.detect.pictures.decoding import FORMATS, decoded
from bartizan.detect.pictures.layout import in_order, together
from bartizan.detect.pictures.models import models
from bartizan.detect.pictures.recognition import Recogniser

KNOWN = "Open at seven"
"""What the picture says that is read before anything relies on the reader."""


def serve(number: int, limits: Limits) -> None:
    """Read pictures that come over this descriptor until it is closed; the first answer says whether it works."""
    line: Connection[bytes, bytes] = Connection(number)
    try:
        recogniser = Recogniser(models())
        line.send_bytes(written(_tested(recogniser, limits)))
    except BartizanError as error:
        line.send_bytes(written(Unread(f"{error}\n{error.hint()}", "unfit")))
        return
    with suppress(EOFError, KeyboardInterrupt, OSError):
        while True:
            data = line.recv_bytes()
            line.send_bytes(apart(recogniser, data, limits))


def read(recogniser: Recogniser, data: bytes, limits: Limits) -> Answer:
    """Return what a picture says, in this process."""
    try:
        readings = []
        for one in decoded(data, limits.pixels):
            lines, unread = recogniser.read(one.pixels)
            readings.append(in_order(lines, unread, one.shrunk))
        return Read(together(readings))
    except BartizanError as error:
        return Unread(str(error), "unfit")
    except MemoryError:
        return Unread("it takes more memory than a picture may", "unfit")


def apart(recogniser: Recogniser, data: bytes, limits: Limits) -> bytes:
    """Return the answer of a child that reads one picture and can do nothing else."""
    ours, theirs = os.pipe()
    child = os.fork()  # ONNX Runtime keeps one idle thread, which the child does without
    if child == 0:
        _alone(recogniser, data, limits, theirs)
    os.close(theirs)
    try:
        answer = _heard(ours, time.monotonic() + PATIENCE * limits.seconds)
    finally:
        os.close(ours)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(ended)
    if answer is None or code == -signal.SIGXCPU:
        return written(Unread(f"reading it took longer than {limits.seconds} s", "late"))
    if not answer:
        return written(Unread(f"its reader ended with {code} before it answered"))
    return answer


def _alone(recogniser: Recogniser, data: bytes, limits: Limits, answers: int) -> None:
    """Be the child: let go of all other descriptors, bound, confine, read, answer, end. Never returns."""
    try:
        # The line to the gateway above all: whoever can write there answers for other pictures.
        os.closerange(0, answers)
        os.closerange(answers + 1, os.sysconf("SC_OPEN_MAX"))
        limited(limits.memory_bytes, int(limits.seconds) + 1)
        if can_confine():
            confined()
        try:
            answer = written(read(recogniser, data, limits))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with a picture is an answer about it
            answer = written(Unread(f"its reader failed: {type(error).__name__}: {str(error)[:200]}"))
        while answer:
            answer = answer[os.write(answers, answer) :]
    finally:
        os._exit(0)


def _heard(pipe: int, until: float) -> bytes | None:
    """Return everything that comes before the pipe closes; None when that takes too long."""
    answer = bytearray()
    while (left := until - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            piece = os.read(pipe, 65536)
            if not piece or len(answer) > MOST_BYTES:
                return bytes(answer[:MOST_BYTES])
            answer += piece
    return None


def _tested(recogniser: Recogniser, limits: Limits) -> Answer:
    """Return the reading of a known picture in every format, by children, once every decoder is loaded here."""
    said: Answer = Unread("nothing was read")
    for kind in FORMATS:
        data = drawn(KNOWN, kind)
        read(recogniser, data, limits)  # loads what a confined child could not load any more
        said = understood(apart(recogniser, data, limits))
        if not isinstance(said, Read) or KNOWN not in said.reading.text:
            return Unread(f"a known picture as {kind} is not read: {said}", "unfit")
    return said


def drawn(words: str, kind: str = "PNG") -> bytes:
    """Return a small picture that says `words`, in the font that the decoder's library brings."""
    image = Image.new("RGB", (16 * len(words) + 40, 64), "white")
    ImageDraw.Draw(image).text((20, 16), words, fill="black", font=ImageFont.load_default(24))
    kept = io.BytesIO()
    image.save(kept, kind)
    return kept.getvalue()
