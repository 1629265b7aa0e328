"""The whole training of the classifier, seeded: network, the windows that it cannot clear, encoder, thresholds."""

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.cli import detector_windows
from bartizan.detect import calibration, encoder, network
from bartizan.detect.cascade import Cascade, Mix
from bartizan.detect.classifier import readable
from bartizan.detect.tokens import SPECIAL, tokenizer
from bartizan.lab import detector_training, encoder_training
from bartizan.lab.detector_corpus import STRANGERS, Corpus, Example
from bartizan.lab.detector_training import Array, Sample
from bartizan.lab.word_vectors import Beginning, reduced, with_buckets

MOST_CHARACTERS = 6_000
"""Of a text in training; longer ones are read in part."""


@dataclass(frozen=True)
class Recipe:
    """What the figures of a training depend on besides its rows."""

    passes: float = 2.0
    """Times that the network sees each row."""
    windows: int = 26_000
    """How many windows the encoder sees once; two in five of them bad."""
    layers: int = 3
    asked: float = 0.15
    """Share of innocent texts at most that the encoder is asked about: the cost of the usual case."""
    share: float = 0.3
    """Of the network's score in the sum of both."""
    seed: int = 1


def trained(
    corpus: Corpus, begun: Beginning, recipe: Recipe, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Write the weights of a classifier to `folder`; return what its card says of shape, mix and thresholds."""
    words = tokenizer()
    samples, spare = sampled(corpus.train), sampled(corpus.spare)
    shape = detector_training.Shape()
    vectors = with_buckets(reduced(begun.pieces, shape.width), SPECIAL, words.size, recipe.seed)
    plain = _network(samples, spare, vectors, recipe, folder, say)
    quick = network.load(folder, shape.dilations, shape.around)
    others = np.concatenate((plain[:SPECIAL], plain[SPECIAL + len(words.pieces) :]))
    start = encoder_training.EncoderNetwork(begun.pieces, others, begun.tensors, begun.ends, recipe.layers)
    _encoder(start, detector_windows.windows([*samples, *spare], quick, recipe.seed), recipe, folder, say)
    rows = [(one.text, one.source) for one in corpus.calibrate]
    mix = Mix(calibration.floors(quick, words, rows, recipe.asked), recipe.share)
    cascade = Cascade(quick, encoder.load(folder), mix)
    say("thresholds")
    return {
        "shape": {"width": shape.width, "dilations": list(shape.dilations), "around": shape.around},
        "mix": asdict(mix),
        "thresholds": calibration.thresholds(cascade, words, rows, STRANGERS, recipe.seed),
        "recipe": {**asdict(recipe), "spare innocent texts looked through": len(spare)},
    }


def _network(
    samples: Sequence[Sample],
    spare: Sequence[Sample],
    vectors: Array,
    recipe: Recipe,
    folder: Path,
    say: Callable[[str], None],
) -> Array:
    """Train the network and once more on its mistakes; write it to `folder` and return its vectors of tokens."""
    shape, plan = detector_training.Shape(), detector_training.Plan(passes=recipe.passes, seed=recipe.seed)
    say(f"{len(samples)} texts for the network")
    weights = detector_training.train(samples, vectors, shape, plan, say)
    network.save(folder, weights)
    lesson = detector_windows.lesson(samples, spare, network.load(folder, shape.dilations, shape.around), recipe.seed)
    say(f"a second lesson of {len(lesson)}: what it takes for attacks among {len(spare)} spare innocent texts")
    slow = replace(plan, passes=1.0, rate=plan.rate / 8, seed=recipe.seed + 1)
    weights = detector_training.train(lesson, vectors, shape, slow, say, weights)
    network.save(folder, weights)
    return weights["vectors.weight"]


def _encoder(
    start: encoder_training.EncoderNetwork,
    seen: Sequence[detector_windows.Seen],
    recipe: Recipe,
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Train the encoder, and once more on what fools it; write it to `folder`."""
    bad = int(recipe.windows * 0.4)
    windows = detector_windows.chosen(seen, bad, recipe.windows - bad, recipe.seed)
    say(f"{len(windows)} of {len(seen)} windows for the encoder")
    plan = encoder_training.EncoderPlan(layers=recipe.layers, seed=recipe.seed)
    encoder_training.train_encoder(start, windows, plan, say)
    fooled = encoder_training.fooling(start, detector_windows.innocent(seen, windows), int(recipe.windows * 0.08))
    say(f"{len(fooled)} innocent windows that the encoder takes for attacks, and as many of all kinds, once more")
    again = [*fooled, *random.Random(recipe.seed).sample(windows, min(len(windows), 2 * len(fooled)))]
    slow = replace(plan, rate=plan.rate / 4, seed=recipe.seed + 1)
    encoder.save(folder, encoder_training.train_encoder(start, again, slow, say))


def sampled(rows: Sequence[Example]) -> list[Sample]:
    """Return the rows as numbers, without those that hold no token."""
    words = tokenizer()
    found = []
    for row in rows:
        tokens = words.read(readable(row.text[:MOST_CHARACTERS]))
        if len(tokens.ids):
            found.append(Sample(tokens.ids, tokens.marks, row.attack, row.planted))
    return found
