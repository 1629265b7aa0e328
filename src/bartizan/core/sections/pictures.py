"""`[pictures]`: what pictures in a request say, read here and screened like text."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Pictures(Struct, frozen=True, forbid_unknown_fields=True):
    """Text in pictures is read by a local OCR (`bartizan[images]`) in a process that can do nothing else."""

    read: Annotated[
        Literal["off", "on"],
        Meta(
            description="on: pictures sent along are read before the input screen looks; a new picture costs up to "
            "seconds of a core, so it is off by default (docs/detect.md has the figures)."
        ),
    ] = "off"
    unread: Annotated[
        Literal["block", "allow"],
        Meta(description="A picture that cannot be read, in time or at all: block, or allow and note it."),
    ] = "block"
    elsewhere: Annotated[
        Literal["allow", "refuse"],
        Meta(
            description="Pictures given by address or file id, which the gateway never fetches: refuse, allow (unseen)."
        ),
    ] = "refuse"
    most: Annotated[int, Meta(ge=1, le=100, description="Pictures of one request; more count as unread.")] = 8
    picture_bytes: Annotated[int, Meta(ge=1024, le=67108864, description="Bytes of one picture.")] = 10485760
    pixels: Annotated[int, Meta(ge=1024, le=200000000, description="Pixels of one picture.")] = 40000000
    seconds: Annotated[int, Meta(ge=1, le=300, description="Seconds of computing for one picture.")] = 10
    wait_s: Annotated[
        float, Meta(gt=0, le=600, description="Seconds that a request waits for its pictures, with those before it.")
    ] = 20.0
    memory_bytes: Annotated[
        int, Meta(ge=1073741824, le=68719476736, description="Address space of the process that reads one picture.")
    ] = 3221225472
