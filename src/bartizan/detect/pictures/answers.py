"""What the reading process says of one picture, as JSON between two processes: words, or why there are none."""

from typing import Literal

import msgspec

from bartizan.detect.pictures.layout import Reading

MOST_BYTES = 4 << 20
"""Of an answer: four times what the most lines of the most letters take."""
PATIENCE = 3
"""Times the computing time that a picture may take until nobody waits for it any more."""


class Unread(msgspec.Struct, frozen=True, tag="unread"):
    """Why a picture was not read. `unfit`: no reading of it will ever come; `late` and `failed`: this one did not."""

    why: str
    kind: Literal["unfit", "late", "failed"] = "failed"


class Read(msgspec.Struct, frozen=True, tag="read"):
    """What a picture says."""

    reading: Reading


class Limits(msgspec.Struct, frozen=True):
    """What reading one picture may take."""

    picture_bytes: int = 10 << 20
    pixels: int = 40_000_000
    seconds: int = 10
    """Of computing; the clock may run `PATIENCE` times as long, for a busy machine is no fault of the picture."""
    memory_bytes: int = 3 << 30
    """Address space of the process; the networks and their libraries take one third of a GiB of it."""


Answer = Read | Unread
_decoder = msgspec.json.Decoder(Answer)


def written(answer: Answer) -> bytes:
    """Return the answer as JSON."""
    return msgspec.json.encode(answer)


def understood(data: bytes) -> Answer:
    """Return the answer in `data`; what is none is a failure of whoever wrote it, for it may have been taken over."""
    try:
        answer: Answer = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        return Unread(f"the reading process answered something else: {str(error)[:100]}")
    return answer
