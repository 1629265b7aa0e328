"""A text that comes in pieces: the judgement at its end is that on the whole text, however it was cut.

The classifier reads along, in the same blocks as it reads a whole text, so that most of the work is done when the last
piece comes. `alarm` says early that the text so far would be blocked, once a block of it has been read; a text can
still be blocked at its end without one, for what only the whole shows: a reading of it (decoded, backwards), a rule.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bartizan.core.findings import Finding
from bartizan.core.messages import Text, Trust
from bartizan.detect.base import Detector
from bartizan.detect.cascade import Known
from bartizan.detect.classifier import Classifier, Seen, kinds_of, readings, worst_of
from bartizan.detect.detectors import detectors
from bartizan.detect.encoder import SPAN
from bartizan.detect.judge import Judge, Judgement
from bartizan.detect.network import BLOCK
from bartizan.detect.tokens import Growing
from bartizan.detect.views import Scripts, View, folded

Array = NDArray[np.float32]


class TextStream:
    """Judges one text while it comes in. Not thread-safe: one stream, one reader."""

    def __init__(self, trust: Trust, origin: str = "", detectors_in_order: tuple[Detector, ...] | None = None) -> None:
        """Use the detectors in this order, or the shipped ones."""
        self._trust = trust
        self._origin = origin
        self._pieces: list[str] = []
        used = detectors() if detectors_in_order is None else detectors_in_order
        self._detectors: list[Detector] = [
            Following(one, trust, origin) if isinstance(one, Classifier) else one for one in used
        ]

    def feed(self, piece: str) -> None:
        """Take the next piece; pieces may be of any length, none of it is lost."""
        self._pieces.append(piece)
        for one in self._detectors:
            if isinstance(one, Following):
                one.feed(piece)

    @property
    def alarm(self) -> Finding | None:
        """The first finding that would have blocked the text as it stood then, or None so far."""
        found = (one.alarm for one in self._detectors if isinstance(one, Following))
        return next((one for one in found if one is not None), None)

    def end(self) -> Judgement:
        """Return the judgement on the whole text: what `Judge.judge` says of it."""
        return Judge(self._detectors).judge(Text("".join(self._pieces), self._trust, self._origin))


class Following:
    """The classifier, reading along with one text."""

    name = Classifier.name

    def __init__(self, classifier: Classifier, trust: Trust, origin: str) -> None:
        """Read along for a text of this trust."""
        self.alarm: Finding | None = None
        self._classifier = classifier
        self._network = classifier.cascade.network
        self._kinds = kinds_of(trust)
        self._origin = origin
        self._tokens = Growing(classifier.words)
        self._scripts = Scripts()
        self._read: list[str] = []
        self._length = 0
        self._scores: list[Array] = []
        self._known: Known = {}

    def feed(self, piece: str) -> None:
        """Take the next piece."""
        self._scripts += Scripts(0, len(piece) - piece.count(" ")) if piece.isascii() else Scripts.of(piece)
        reading = folded(piece, self._scripts.latin)
        self._read.append(reading)
        self._length += len(piece)
        self._tokens.feed(reading)
        while len(self._tokens.ids) >= (len(self._scores) + 1) * BLOCK + self._network.reach:
            self._block()
            if self.alarm is None:
                self.alarm = self._seen_so_far()

    def scan(self, text: Text) -> list[Finding]:
        """Return what the classifier says of the whole text, which must be the pieces together."""
        self._tokens.end()
        read = "".join(self._read)
        whole, words = self._classifier, self._classifier.words
        found = []
        for view in readings(text.content):
            if view.text == read:
                found.append(self._followed(view))
            else:  # another reading; also where the whole is folded otherwise than its beginning was
                tokens = words.read(view.text)
                found.append(
                    whole.seen(whole.cascade.worst(tokens, self._kinds), view, tokens) if tokens.ids.size else None
                )
        worst = worst_of(found)
        return [] if worst is None else [whole.finding(worst, text.origin)]

    def _followed(self, view: View) -> Seen | None:
        count = len(self._tokens.ids)
        if not count:
            return None
        while len(self._scores) * BLOCK < count:
            self._block()
        tokens = self._tokens.part(0, count)
        scores = np.concatenate(self._scores)
        return self._classifier.seen(
            self._classifier.cascade.settled(tokens, scores, self._kinds, self._known), view, tokens
        )

    def _block(self) -> None:
        """Let the network read the next block."""
        first = len(self._scores) * BLOCK
        low, high = self._network.seen_from(first, len(self._tokens.ids))
        part = self._tokens.part(low, high)
        self._scores.append(self._network.part(part.ids, part.marks, first - low))

    def _seen_so_far(self) -> Finding | None:
        """Return the finding in the last block, with a window before it, if the text so far would be blocked for it."""
        first = (len(self._scores) - 1) * BLOCK
        low, high = max(0, first - SPAN), len(self._tokens.ids)
        tokens = self._tokens.part(low, high)
        scores = np.concatenate((*(one[low - first :] for one in self._scores[-2:-1]), self._scores[-1]))
        worst = self._classifier.cascade.settled(tokens, scores, self._kinds, self._known, low)
        reading = "".join(self._read)
        plain = View("plain", reading, range(len(reading)), range(1, len(reading) + 1))
        seen = self._classifier.seen(worst, plain, tokens, high)
        if seen.margin < 0:
            return None
        found = self._classifier.finding(seen, self._origin)
        return found if len(reading) == self._length else replace(found, span=None)
