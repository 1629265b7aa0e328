"""The whole training of the classifier, seeded: network, the windows that it cannot clear, encoder, thresholds."""

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.cli import detector_windows
from bartizan.cli.detector_lessons import Lessons
from bartizan.detect import calibration, encoder, network
from bartizan.detect.cascade import Cascade, Mix
from bartizan.detect.classifier import readable, readings
from bartizan.detect.tokens import SPECIAL, tokenizer
from bartizan.lab import detector_training, encoder_training
from bartizan.lab.detector_corpus import STRANGERS, Corpus
from bartizan.lab.detector_training import Array, Sample
from bartizan.lab.examples import Example
from bartizan.lab.word_vectors import Beginning, reduced, with_buckets

MOST_CHARACTERS = 6_000
"""Of a text in training; longer ones are read in part."""


@dataclass(frozen=True)
class Recipe:
    """What the figures of a training depend on besides its rows."""

    passes: float = 2.0
    """Times that the network sees each row."""
    windows: int = 80_000
    """How many windows the encoder sees once; two in five of them bad."""
    layers: int = 5
    asked: float = 0.07
    """Share of innocent texts at most that the encoder is asked about: the cost of the usual case."""
    share: float = 0.8
    """Of the network's score in the sum of both."""
    close: float = 0.5
    """Of the encoder's close look in its score, in texts of more than one window."""
    long_share: float = 0.6
    """Of the network's score in the sum there."""
    lesson: int = 12_000
    """How many windows and close looks the encoder's last lesson holds; two in five of them bad."""
    seed: int = 1


def trained(
    corpus: Corpus, begun: Beginning, recipe: Recipe, folder: Path, lessons: Lessons, known: Path | None = None
) -> dict[str, Any]:
    """Write the weights of a classifier to `folder`; return what its card says of shape, mix and thresholds.

    With the folder of a classifier that is `known` both go on from it, and the encoder grows to `recipe.layers`.
    """
    words = tokenizer()
    samples, spare = sampled(corpus.train), sampled(corpus.spare)
    shape = detector_training.Shape()
    fresh = {"vectors.weight": with_buckets(reduced(begun.pieces, shape.width), SPECIAL, words.size, recipe.seed)}
    plain = _network(samples, spare, network.weights(known) if known else fresh, recipe, folder, lessons)
    quick = network.load(folder, shape.dilations, shape.around)
    if known:
        start = encoder_training.resumed(encoder.weights(known), begun.tensors, recipe.layers)
    else:
        others = np.concatenate((plain[:SPECIAL], plain[SPECIAL + len(words.pieces) :]))
        start = encoder_training.begun(begun.pieces, others, begun.tensors, begun.ends, recipe.layers)
    _encoder(start, [*samples, *spare], quick, recipe, lessons)
    _close_lesson(start, [*samples, *spare], quick, recipe, folder, lessons)
    return _weighed(corpus, quick, recipe, folder, lessons.say)


def further(corpus: Corpus, model: Path, recipe: Recipe, folder: Path, lessons: Lessons) -> dict[str, Any]:
    """Write to `folder` a classifier that went on from that of another folder.

    The network sees the rows once more, slowly, and learns from its mistakes; the encoder has its last lesson again.
    """
    samples, spare, shape = sampled(corpus.train), sampled(corpus.spare), detector_training.Shape()
    _network(samples, spare, network.weights(model), recipe, folder, lessons)
    quick = network.load(folder, shape.dilations, shape.around)
    start = encoder_training.resumed(encoder.weights(model))
    _close_lesson(start, [*samples, *spare], quick, recipe, folder, lessons)
    return _weighed(corpus, quick, recipe, folder, lessons.say)


def _weighed(
    corpus: Corpus, quick: network.Network, recipe: Recipe, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Return what the card says of the weights in `folder`: how both scores add up, and the thresholds."""
    words, shape = tokenizer(), detector_training.Shape()
    rows = [(one.text, one.source) for one in corpus.calibrate]
    mix = Mix(calibration.floors(quick, words, rows, recipe.asked), recipe.share, recipe.close, recipe.long_share)
    cascade = Cascade(quick, encoder.load(folder), mix, words)
    say("thresholds")
    return {
        "shape": {"width": shape.width, "dilations": list(shape.dilations), "around": shape.around},
        "mix": asdict(mix),
        "thresholds": calibration.thresholds(cascade, words, rows, STRANGERS, recipe.seed, corpus.manuals),
        "recipe": {**asdict(recipe), "spare innocent texts looked through": len(corpus.spare)},
    }


def _network(
    samples: Sequence[Sample],
    spare: Sequence[Sample],
    begun: detector_training.Weights,
    recipe: Recipe,
    folder: Path,
    lessons: Lessons,
) -> Array:
    """Train the network and once more on its mistakes; write it to `folder` and return its vectors of tokens.

    It begins with these vectors, or goes on from all weights of an earlier training: one pass at a quarter of the rate.
    """
    vectors, anew = begun["vectors.weight"], len(begun) == 1
    shape, say = detector_training.Shape(), lessons.say
    plan = detector_training.Plan(passes=recipe.passes, seed=recipe.seed)

    def first() -> detector_training.Weights:
        say(f"{len(samples)} texts for the network")
        slow = plan if anew else replace(plan, passes=1.0, rate=plan.rate / 4)
        return detector_training.train(samples, vectors, shape, slow, say, None if anew else begun)

    def second() -> detector_training.Weights:
        quick = network.load(folder, shape.dilations, shape.around)
        lesson = detector_windows.lesson(samples, spare, quick, recipe.seed)
        say(f"a second lesson of {len(lesson)}: what it takes for attacks among {len(spare)} spare innocent texts")
        slow = replace(plan, passes=1.0, rate=plan.rate / 8, seed=recipe.seed + 1)
        return detector_training.train(lesson, vectors, shape, slow, say, weights)

    weights = lessons.given("network, first lesson", first)
    network.save(folder, weights)
    weights = lessons.given("network, second lesson", second)
    network.save(folder, weights)
    return weights["vectors.weight"]


def _encoder(
    start: encoder_training.EncoderNetwork,
    samples: Sequence[Sample],
    quick: network.Network,
    recipe: Recipe,
    lessons: Lessons,
) -> None:
    """Train the encoder, and once more on what fools it."""
    plan, say = encoder_training.EncoderPlan(layers=recipe.layers, seed=recipe.seed), lessons.say

    @cache
    def rows() -> tuple[list[detector_windows.Seen], list[Sample]]:
        seen, bad = detector_windows.windows(samples, quick, recipe.seed), int(recipe.windows * 0.4)
        return seen, detector_windows.chosen(seen, bad, recipe.windows - bad, recipe.seed)

    def first() -> dict[str, Array]:
        seen, windows = rows()
        say(f"{len(windows)} of {len(seen)} windows for the encoder")
        return encoder_training.train_encoder(start, windows, plan, say)

    def second() -> dict[str, Array]:
        seen, windows = rows()
        fooled = encoder_training.fooling(start, detector_windows.innocent(seen, windows), int(recipe.windows * 0.08))
        say(f"{len(fooled)} innocent windows that the encoder takes for attacks, and as many of all kinds, once more")
        again = [*fooled, *random.Random(recipe.seed).sample(windows, min(len(windows), 2 * len(fooled)))]
        slow = replace(plan, rate=plan.rate / 4, seed=recipe.seed + 1)
        return encoder_training.train_encoder(start, again, slow, say)

    start.go_on(lessons.given("encoder, first lesson", first))
    start.go_on(lessons.given("encoder, second lesson", second))


def _close_lesson(
    start: encoder_training.EncoderNetwork,
    samples: Sequence[Sample],
    quick: network.Network,
    recipe: Recipe,
    folder: Path,
    lessons: Lessons,
) -> None:
    """Train the encoder on close looks and on windows alike, innocent ones that fool it among them; write it."""

    def last() -> dict[str, Array]:
        seen = detector_windows.windows(samples, quick, recipe.seed, tokenizer())
        bad = int(recipe.lesson * 0.4)
        known = detector_windows.chosen(seen, bad, (recipe.lesson - bad) // 2, recipe.seed)
        rest = detector_windows.innocent(seen, known)
        fooled = encoder_training.fooling(start, rest, (recipe.lesson - bad) // 2)
        windows = [*known, *fooled]
        lessons.say(f"{len(windows)} of {len(seen)} windows and close looks for the encoder's last lesson")
        plan = encoder_training.EncoderPlan(layers=recipe.layers, seed=recipe.seed + 2)
        return encoder_training.train_encoder(start, windows, replace(plan, rate=plan.rate / 3), lessons.say)

    encoder.save(folder, lessons.given("encoder, last lesson", last))


def sampled(rows: Sequence[Example]) -> list[Sample]:
    """Return the rows as numbers, without those that hold no token; an innocent row in every reading of it."""
    words = tokenizer()
    found = []
    for row in rows:
        text = row.text[:MOST_CHARACTERS]
        bad = row.attack == 1 or row.planted == 1
        for reading in [readable(text)] if bad else [view.text for view in readings(text)]:
            tokens = words.read(reading)
            if len(tokens.ids):
                found.append(Sample(tokens.ids, tokens.marks, row.attack, row.planted))
    return found
