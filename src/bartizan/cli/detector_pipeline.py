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
from bartizan.lab.detector_training import Sample
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
    samples = sampled(corpus.train)
    say(f"{len(samples)} texts for the network")
    shape = detector_training.Shape()
    vectors = with_buckets(reduced(begun.pieces, shape.width), SPECIAL, words.size, recipe.seed)
    plan = detector_training.Plan(passes=recipe.passes, seed=recipe.seed)
    weights = detector_training.train(samples, vectors, shape, plan, say)
    network.save(folder, weights)
    quick = network.load(folder, shape.dilations, shape.around)
    seen = detector_windows.windows(samples, quick, recipe.seed)
    bad = int(recipe.windows * 0.4)
    windows = detector_windows.chosen(seen, bad, recipe.windows - bad, recipe.seed)
    say(f"{len(windows)} of {len(seen)} windows for the encoder")
    plain = weights["vectors.weight"]
    others = np.concatenate((plain[:SPECIAL], plain[SPECIAL + len(words.pieces) :]))
    start = encoder_training.EncoderNetwork(begun.pieces, others, begun.tensors, begun.ends, recipe.layers)
    encoder_plan = encoder_training.EncoderPlan(layers=recipe.layers, seed=recipe.seed)
    encoder_training.train_encoder(start, windows, encoder_plan, say)
    fooled = encoder_training.fooling(start, detector_windows.innocent(seen, windows), int(recipe.windows * 0.08))
    say(f"{len(fooled)} innocent windows that the encoder takes for attacks, and as many of all kinds, once more")
    again = [*fooled, *random.Random(recipe.seed).sample(windows, min(len(windows), 2 * len(fooled)))]
    second = replace(encoder_plan, rate=encoder_plan.rate / 4, seed=recipe.seed + 1)
    encoder.save(folder, encoder_training.train_encoder(start, again, second, say))
    rows = [(one.text, one.source) for one in corpus.calibrate]
    mix = Mix(calibration.floors(quick, words, rows, recipe.asked), recipe.share)
    cascade = Cascade(quick, encoder.load(folder), mix)
    say("thresholds")
    return {
        "shape": {"width": shape.width, "dilations": list(shape.dilations), "around": shape.around},
        "mix": asdict(mix),
        "thresholds": calibration.thresholds(cascade, words, rows, STRANGERS, recipe.seed),
        "recipe": asdict(recipe),
    }


def sampled(rows: Sequence[Example]) -> list[Sample]:
    """Return the rows as numbers, without those that hold no token."""
    words = tokenizer()
    found = []
    for row in rows:
        tokens = words.read(readable(row.text[:MOST_CHARACTERS]))
        if len(tokens.ids):
            found.append(Sample(tokens.ids, tokens.marks, row.attack, row.planted))
    return found
