"""`bartizan detector`: train the text classifier, show what the shipped one is, compare two of them."""

import argparse
import json
import platform
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bartizan import __version__
from bartizan.cli.base import FAILED, OK, Command
from bartizan.core.errors import BadSettings
from bartizan.detect import calibration, network
from bartizan.detect.classifier import readable
from bartizan.detect.tokens import SPECIAL, tokenizer
from bartizan.lab import detector_corpus, word_vectors

if TYPE_CHECKING:
    from bartizan.lab import detector_training

MOST_CHARACTERS = 6_000
"""Of a text in training; longer ones are read in part."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(metavar="WHAT", dest="what", required=True)
    train = what.add_parser("train", help="Train the classifier from labelled rows and our own wordings.")
    train.add_argument("data", type=Path, help="folder of *.jsonl.gz (text, label, source, licence)")
    train.add_argument("--vectors", type=Path, required=True, help="wheel of a sentence encoder to begin from")
    train.add_argument("--out", type=Path, required=True, help="folder to write network.npz and card.json to")
    train.add_argument("--scale", type=float, default=1.0, help="share of the corpus (default 1)")
    train.add_argument("--passes", type=float, default=2.0, help="times that each row is seen (default 2)")
    train.add_argument("--rate", type=float, default=8e-3, help="learning rate (default 0.008)")
    train.add_argument("--start", type=Path, help="folder of a classifier to go on from")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--leave-out", nargs="*", default=[], metavar="SOURCE", help="sources to measure on later")
    info = what.add_parser("info", help="Show the card of a classifier: data, licences, thresholds, limits.")
    info.add_argument("model", nargs="?", type=Path, help="folder (default: the shipped one)")
    compare = what.add_parser("compare", help="Accept a new classifier only if it is nowhere worse.")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    compare.add_argument("suites", type=Path, nargs="+", help="files of labelled rows, *.jsonl.gz")


def _run(args: argparse.Namespace) -> int:
    actions: dict[str, Callable[[argparse.Namespace], int]] = {"train": _train, "info": _info, "compare": _compare}
    return actions[args.what](args)


def _train(args: argparse.Namespace) -> int:
    try:
        from bartizan.lab import detector_training
    except ModuleNotFoundError as error:
        raise BadSettings(f"training needs {error.name}", hint="pip install 'bartizan[lab]'") from error
    if not list(args.data.glob("*.jsonl.gz")):
        raise BadSettings(f"{args.data}: expected files *.jsonl.gz of labelled rows")
    corpus = detector_corpus.assembled(args.data, args.scale, args.seed, args.leave_out)
    words = tokenizer()
    samples = _samples(corpus.train, detector_training)
    shape = detector_training.Shape()
    small = word_vectors.from_wheel(args.vectors, words.pieces, shape.width)
    vectors = word_vectors.with_buckets(small, SPECIAL, words.size, args.seed)
    plan = detector_training.Plan(passes=args.passes, seed=args.seed, rate=args.rate)
    start = network.weights_of(args.start) if args.start else None
    _say(f"{len(samples)} texts")
    weights = detector_training.train(samples, vectors, shape, plan, _say, start)
    network.save(args.out, weights, _card(args, corpus.train, shape, plan))
    model = network.load(args.out)
    model.card["thresholds"] = calibration.thresholds(
        model.network, words, [(one.text, one.source) for one in corpus.calibrate], args.seed
    )
    network.save(args.out, weights, model.card)
    _say(f"written to {args.out}")
    return OK


def _samples(rows: Sequence[detector_corpus.Example], training: Any) -> "list[detector_training.Sample]":
    words = tokenizer()
    found = []
    for row in rows:
        tokens = words.read(readable(row.text[:MOST_CHARACTERS]))
        if len(tokens.ids):
            found.append(training.Sample(tokens.ids, tokens.marks, row.attack, row.planted))
    return found


def _card(args: argparse.Namespace, rows: Sequence[detector_corpus.Example], shape: Any, plan: Any) -> dict[str, Any]:
    counts: dict[str, dict[str, Any]] = defaultdict(lambda: {"attack": 0, "innocent": 0, "unasked": 0})
    for row in rows:
        entry = counts[row.source]
        entry["licence"] = row.licence
        entry[{1: "attack", 0: "innocent"}.get(row.attack, "unasked")] += 1
    return {
        "what": "finds prompt injections, jailbreaks and orders planted in documents; text only",
        "shape": {"width": shape.width, "dilations": list(shape.dilations), "around": shape.around},
        "training": {
            "seed": plan.seed,
            "passes": plan.passes,
            "scale": args.scale,
            "rate": args.rate,
            "went on from": str(args.start.name) if args.start else None,
            "left out": list(args.leave_out),
            "vectors": args.vectors.name,
            "bartizan": __version__,
            "python": platform.python_version(),
        },
        "data": {name: counts[name] for name in sorted(counts)},
        "limits": [
            "A patient attacker finds wordings that pass: see the curve of the mutation search.",
            "Plain requests for harmful things, without any trick, are not its task.",
            "The rise of the thresholds with length is capped: composed pages of a megabyte go over the budget.",
            "Languages beyond those of lab/phrases are read by letters only.",
        ],
    }


def _info(args: argparse.Namespace) -> int:
    card = (network.load(args.model) if args.model else network.shipped()).card
    print(json.dumps(card, indent=1, ensure_ascii=False))
    return OK


def _compare(args: argparse.Namespace) -> int:
    """Exit 0 when the new classifier is not worse on any suite: recall at 1 % of that suite's own innocent rows."""
    models = [network.load(folder) for folder in (args.old, args.new)]
    worse = False
    for path in args.suites:
        rows = list(detector_corpus.labelled(path))
        truth = np.array([row.attack for row in rows])
        old, new = (_margins(model, rows) for model in models)
        was, now = recall_at(old, truth, 0.01), recall_at(new, truth, 0.01)
        worse = worse or now < was
        print(f"{path.name}: recall at 1 % false positives {was:.1%} -> {now:.1%}{'  WORSE' if now < was else ''}")
    print("refused: worse on a suite" if worse else "accepted")
    return FAILED if worse else OK


def _margins(model: network.Shipped, rows: Sequence[detector_corpus.Example]) -> NDArray[np.float32]:
    words = tokenizer()
    return np.array([calibration.worst(model.network, words, row.text)[0] for row in rows], np.float32)


def recall_at(scores: NDArray[np.float32], truth: NDArray[np.int64], budget: float) -> float:
    """Return the share of attacks above the threshold that a share `budget` of the innocent rows exceeds."""
    if not (truth == 1).any() or not (truth == 0).any():
        raise BadSettings("a suite needs attacks and innocent rows")
    threshold = np.quantile(scores[truth == 0], 1 - budget, method="higher")
    return float((scores[truth == 1] > threshold).mean())


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


COMMAND = Command("detector", "Train, show and compare the text classifier.", _arguments, _run)
