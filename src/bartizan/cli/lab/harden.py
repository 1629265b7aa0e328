"""`bartizan lab harden`: hardens a classifier, measures it before and after, and writes it, JSON and a page.

Rows of tables (with a schema) and texts (JSON lines) have estimators with scikit-learn's interface
(`cli/lab/harden_estimators.py`); everything else is a torch module, hardened in one of three ways: training on attacks
(`fast`, `pgd`, `trades`), randomised smoothing with certificates (`smooth`), and a calibrated test that leaves doubtful
inputs without an answer (`reject`). Unfinished work is kept under the output folder: the same command goes on where it
was stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bartizan.cli.base import OK, Command, at_least
from bartizan.cli.lab import harden_estimators
from bartizan.cli.lab.subject import GOES_ON, Told, add_subject, bar, folder, subject
from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab
from bartizan.lab.needs import need

if TYPE_CHECKING:
    from bartizan.lab.hardening.outcome import Outcome
    from bartizan.lab.hardening.studies import Study

_TRAINED = ("fast", "pgd", "trades", "none")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser)
    parser.add_argument(
        "--method",
        choices=(*_TRAINED, "smooth", "reject", *harden_estimators.WAYS),
        help="train on attacks (fast, the default, pgd, trades), smooth with certificates, or reject what is doubtful; "
        "rows: augment (the default) or reject; texts: spelling (the default) or reject",
    )
    harden_estimators.add_bounds(parser)
    parser.add_argument("--epochs", type=at_least(1), default=10, metavar="N", help="passes over the data (default 10)")
    parser.add_argument("--rate", type=float, default=5e-3, metavar="X", help="largest learning rate (default 0.005)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="start from these (default: from scratch)")
    parser.add_argument("--test", metavar="FILE", help="test data (default: the last fifth of --data)")
    parser.add_argument(
        "--examples", type=at_least(1), default=500, metavar="N", help="test examples to use (default 500)"
    )
    smooth = parser.add_argument_group("smooth")
    smooth.add_argument("--sigma", type=float, default=0.25, metavar="X", help="deviation of the noise (default 0.25)")
    smooth.add_argument(
        "--samples", type=at_least(1), default=1000, metavar="N", help="votes on a certificate (default 1000)"
    )
    reject = parser.add_argument_group("reject")
    reject.add_argument(
        "--by",
        choices=("confidence", "stability", "features"),
        default="confidence",
        help="the test: the largest probability (default), whether the answer survives small changes of images, or how "
        "near the inputs of the last linear layer are to those of training data",
    )
    reject.add_argument(
        "--false-alarms", type=float, default=0.02, metavar="X", help="clean inputs left unanswered (default 0.02)"
    )


def _run(args: argparse.Namespace) -> int:
    need("torch")
    lab = subject(args)
    estimators = harden_estimators.takes(lab, args)
    if not lab.factory and not (estimators and args.weights):
        raise BadSettings("no module to train", hint="Name the function that makes it: --factory module:function.")
    if not estimators and args.method in harden_estimators.WAYS:
        raise BadSettings(f"--method {args.method}: only for {harden_estimators.WAYS[args.method]}")
    if not estimators and lab.norm not in ("Linf", "L2"):
        raise BadSettings(f"--norm {lab.norm}: hardening works in Linf or L2")
    where = folder(args.output)
    begun = time.perf_counter()
    with bar(GOES_ON) as told:
        outcome, wrote = (harden_estimators.hardened if estimators else hardened)(lab, args, told, where)
    took = time.perf_counter() - begun
    from bartizan.lab.hardening.outcome import as_json, as_page

    words = as_json(outcome) | {"data": lab.data, "seconds": round(took, 1)}
    (where / "harden.json").write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    (where / "harden.html").write_text(as_page(outcome, lab.factory or args.weights.name), encoding="utf-8")
    if args.json:
        print(json.dumps(words))
    else:
        _show(outcome, took, [wrote, where / "harden.json", where / "harden.html"])
    return OK


def hardened(lab: Lab, args: argparse.Namespace, told: Told, where: Path) -> tuple[Outcome, Path]:
    """Harden, measure, write the weights; return what came of it and their file."""
    from bartizan.lab.hardening import studies
    from bartizan.lab.hardening.adversarial_training import Recipe

    method = {"smooth": "noise", "reject": "none", None: "fast"}.get(args.method, args.method)
    recipe = Recipe(
        method, lab.epsilon, lab.norm, args.epochs, peak_rate=args.rate, sigma=args.sigma, seed=args.seed  # type: ignore[arg-type]
    )  # fmt: skip
    study = opened(lab, args, told, where / ".bartizan-lab")
    if args.method == "smooth":
        module, outcome = studies.smoothed(study, recipe, args.samples)
    elif args.method == "reject":
        module, outcome = studies.rejecting(study, recipe, args.by, args.false_alarms)
    else:
        module, outcome = studies.trained_on_attacks(study, recipe)
    weights = where / "hardened.safetensors"
    need("safetensors.torch").save_file(module.state_dict(), weights)
    return outcome, weights


def opened(lab: Lab, args: argparse.Namespace, told: Told, kept: Path) -> Study:
    """Return the study that the settings describe: module, data, bound, and where unfinished work is kept."""
    from bartizan.lab.evasion.balls import Ball
    from bartizan.lab.hardening.studies import Study
    from bartizan.lab.labelled import load
    from bartizan.lab.target import Arrays
    from bartizan.lab.targets.torch_modules import load_weights, named

    data = load(Path(lab.data), lab.low, lab.high, training=True).shaped(lab.shape)
    cut = len(data) if args.test else len(data) * 4 // 5
    test = load(Path(args.test), lab.low, lab.high).shaped(lab.shape) if args.test else data.part(cut, len(data))
    factory = named(lab.factory, "factory")
    weights = load_weights(args.weights, factory) if args.weights else None
    spec, ball = Arrays(data.x.shape[1:], lab.low, lab.high), Ball(lab.norm, lab.epsilon)
    return Study(factory, weights, data.first(cut), test.first(args.examples), spec, ball, args.seed, told, kept)


def _show(outcome: Outcome, took: float, wrote: list[Path]) -> None:
    console = Console()
    console.print(outcome.how, markup=False, highlight=False, soft_wrap=True)
    for when, figures in (("before", outcome.before), ("after", outcome.after)):
        for name, value in figures.items():
            console.print(f"{when:7} {name.replace('_', ' ')}: {value}", highlight=False, soft_wrap=True)
    for radius, value in outcome.points[1:]:
        console.print(f"        certified within {radius:.3g}: {value}", highlight=False, soft_wrap=True)
    for note in outcome.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    console.print(f"{took:.0f} s; wrote {', '.join(map(str, wrote))}", highlight=False, soft_wrap=True)


COMMAND = Command(
    "harden", "Harden a classifier, measure it before and after, write what came of it.", _arguments, _run
)
