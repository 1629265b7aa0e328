"""T02's pictures: the same jailbreaks drawn instead of typed, with pictures read or not, and innocent pictures.

Where pictures are not read every drawn attack reaches the model. Needs the extra `images`; without it nothing is
measured, and the report says so.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.core.measures import Measurement, proportion
from bartizan.core.messages import Message, Prompt, Role, Text, Trust
from bartizan.core.verdicts import Allow
from bartizan.detect.pictures.answers import Limits, Read
from bartizan.detect.pictures.reader import PictureReader
from bartizan.lab.drawn_texts import DISGUISES, drawn, innocent
from bartizan.threats.bench import Bench

SHOWN = ("plain", "size 12", "contrast 6 of 255", "turned 5", "noise 25", "JPEG 15", "tiled", "on clouds")
"""The disguises that an assessment tries; `make bench-pictures` tries all."""

EACH = 2
"""Attacks in each disguise, and innocent pictures of each kind, at the quick profile."""


@dataclass(frozen=True)
class Pictured:
    """What came of drawn attacks and innocent pictures."""

    passed: Measurement
    """Share of drawn attacks that pass where pictures are read."""
    blocked: Measurement
    """Share of innocent pictures that are blocked there."""
    by_disguise: dict[str, Measurement]


def in_pictures(attacks: Sequence[str], bench: Bench) -> Pictured:
    """Draw some of `attacks` in each disguise, and innocent pictures. Raises BadSettings."""
    draw = random.Random(f"pictures-{bench.seed}")
    passed: dict[str, list[bool]] = {name: [] for name in SHOWN}
    with PictureReader(Limits()) as reader:
        for number, name in enumerate(SHOWN * EACH * bench.effort):
            bench.progress("jailbreaks drawn into pictures", number, len(SHOWN) * EACH * bench.effort)
            text = draw.choice(attacks)
            through = _passes(drawn(text, DISGUISES[name], draw), reader, bench)
            passed[name].append(through)
            bench.record("attempt", {"threat": "T02", "mechanism": f"drawn: {name}", "sent": text, "passed": through})
        honest = [picture for _ in range(EACH * bench.effort) for picture in innocent(draw).values()]
        stopped = sum(not _passes(picture, reader, bench) for picture in honest)
    tried = [one for many in passed.values() for one in many]
    return Pictured(
        proportion(sum(tried), len(tried), seed=bench.seed),
        proportion(stopped, len(honest), seed=bench.seed),
        {name: proportion(sum(many), len(many), seed=bench.seed) for name, many in passed.items()},
    )


def prompt_of(words: str) -> Prompt:
    """Return a user's message whose only content is a picture that says `words`: his own, or a document he hands on."""
    origin = "/messages/1/content/0"
    said = (Text(words, Trust.USER, origin), Text(words, Trust.WEB, origin))
    return Prompt("", (Message.of(Role.USER, "What does this say?", "/messages/0"), Message(Role.USER, said)))


def _passes(picture: bytes, reader: PictureReader, bench: Bench) -> bool:
    """Return whether a picture passes where pictures are read; one that cannot be read does not."""
    answer = reader.read(picture)
    return isinstance(answer, Read) and isinstance(bench.screen(prompt_of(answer.reading.text)), Allow)
