"""`[detect]`: how strict the input screen is, for which models otherwise, and what it lets pass until when."""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Budget = Literal["1%", "0.1%"]
Route = Literal["inherit", "enforce", "monitor", "off"]


class AllowedPhrase(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that are not judged where they stand: what is around them still is."""

    phrase: Annotated[
        str, Meta(min_length=8, max_length=2000, description="The words, exactly as they come, case and all.")
    ]
    until: Annotated[datetime.date, Meta(description="Last day (UTC) on which they pass: an exception ends.")]
    reason: Annotated[str, Meta(min_length=8, max_length=500, description="Why, for whoever reads this in a year.")]


class DetectRoute(Struct, frozen=True, forbid_unknown_fields=True):
    """Other rules for some models. The first entry that names a model counts."""

    models: Annotated[tuple[str, ...], Meta(min_length=1, description="Models, as patterns with *.")]
    mode: Annotated[Route, Meta(description="What the input screen does for them; inherit: gateway.input_screen.")] = (
        "inherit"
    )
    budget: Annotated[
        Literal["inherit", "1%", "0.1%"], Meta(description="False positives for them; inherit: detect.budget.")
    ] = "inherit"


class Detect(Struct, frozen=True, forbid_unknown_fields=True):
    """The detectors of attacks in text, which the input screen runs."""

    budget: Annotated[
        Budget,
        Meta(description="Share of innocent texts that may be blocked at most: 1% sees more, 0.1% disturbs less."),
    ] = "1%"
    classifier: Annotated[
        Literal["on", "off"],
        Meta(
            description="off: the rules look alone, at a tenth of the cost; attacks that no rule names pass the screen."
        ),
    ] = "on"
    model: Annotated[
        str, Meta(description="Folder of a classifier of your own (`bartizan detector train`); empty: the shipped one.")
    ] = ""
    model_key: Annotated[
        str, Meta(description="Public key (PEM) that must have signed the folder (`bartizan sign`).")
    ] = ""
    conversation: Annotated[
        bool,
        Meta(
            description="Judge a user's last turns together too, and follow the whole conversation: attacks in turns."
        ),
    ] = True
    remembered_s: Annotated[
        int,
        Meta(
            ge=0,
            le=604_800,
            description="How long it is known, in memory, which answers were given, and what was said in conversations "
            "that the provider keeps; 0: not at all.",
        ),
    ] = 3_600
    allow: Annotated[tuple[AllowedPhrase, ...], Meta(description="Phrases that pass until a day.")] = ()
    routes: Annotated[tuple[DetectRoute, ...], Meta(description="Other rules for some models.")] = ()
