"""`[flagged]`: texts that the input screen flagged, kept for people to label. Off by default."""

from typing import Annotated

from msgspec import Meta, Struct


class Flagged(Struct, frozen=True, forbid_unknown_fields=True):
    """Flagged texts kept for people to label. Off by default: it stores what users wrote."""

    file: Annotated[
        str, Meta(description="File that keeps them, readable by its owner only. Empty: no text is ever kept.")
    ] = ""
    keep_days: Annotated[float, Meta(gt=0, le=365, description="An unlabelled text is removed after this long.")] = 30.0
    most: Annotated[int, Meta(ge=10, le=1000000, description="Texts kept at most; the oldest unlabelled one goes.")] = (
        5000
    )
    longest: Annotated[
        int, Meta(ge=100, le=1000000, description="Characters of one text; what is longer is cut around the finding.")
    ] = 8000
