"""`bartizan lab audit [MODEL]`: what a model, and training on these records, give away: one scorecard.

With a model: membership, a one-run audit of the training, extraction, inversion and attribute inference, each kept
when it is done. Without one the recipe alone is studied: many dense networks on random halves of the data, each
attacked with every membership attack; other kinds of model come in by `--train module:function`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bartizan import __version__
from bartizan.cli.base import OK, Command, at_least
from bartizan.cli.lab.subject import GOES_ON, Told, bar, folder
from bartizan.core.errors import BadSettings
from bartizan.lab.needs import need

if TYPE_CHECKING:
    from bartizan.lab.auditing.family import Family
    from bartizan.lab.auditing.subject import Subject
    from bartizan.lab.labelled import Labelled
    from bartizan.lab.membership.stacked import Recipe
    from bartizan.lab.membership.study import Study

FEWEST = 60


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="what `lab attack` takes; default: only the recipe")
    parser.add_argument(
        "--data",
        metavar="FILE",
        type=Path,
        required=True,
        help="records it was trained on: .npz with x and y, .csv, IDX",
    )
    parser.add_argument("--test", metavar="FILE", type=Path, help="records like them that it was not trained on")
    parser.add_argument("--factory", metavar="MODULE:FUNCTION", help="makes the torch module of a file of weights")
    parser.add_argument("--shape", metavar="1,28,28", help="shape of one example")
    parser.add_argument("--classes", type=at_least(2), metavar="N", help="how many classes (default: the model tells)")
    parser.add_argument(
        "--questions", type=int, default=2000, metavar="N", help="most that a thief asks (default 2000)"
    )
    parser.add_argument("--price", type=float, default=0.0, metavar="DOLLARS", help="what a question costs")
    parser.add_argument("--train", metavar="MODULE:FUNCTION", help="your training: (x, y, seed) to a scores function")
    parser.add_argument("--hidden", metavar="N,N", default="128", help="widths of hidden layers (default 128)")
    parser.add_argument(
        "--epochs", type=at_least(1), default=100, metavar="N", help="passes over the data (default 100)"
    )
    parser.add_argument("--models", type=int, default=16, metavar="N", help="models trained, even (default 16)")
    parser.add_argument("--epsilon", type=float, metavar="E", help="also train with DP-SGD at this epsilon (PLD)")
    parser.add_argument(
        "--relax", type=float, metavar="LOSS", help="also train with RelaxLoss at this loss: no guarantee"
    )
    parser.add_argument("--delta", type=float, default=1e-3, metavar="D", help="delta of DP (default 0.001)")
    parser.add_argument("--seed", type=int, metavar="N", default=20261124, help="the same seed gives the same result")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path(), help="folder for audit.json and .html")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")


def _run(args: argparse.Namespace) -> int:
    for module in ("torch", "scipy", "sklearn"):
        need(module)
    where = folder(args.output)
    with bar(GOES_ON) as told:
        families, words = scored(args, where, told) if args.model else audited(args, where, told)
    from bartizan.lab.auditing.page import as_page

    facts = {
        "model": args.model or f"training on {args.data.name}",
        "about": f"{words['records']} records, {words['models']} models of the attacker's own.",
        "seed": args.seed,
    }
    (where / "audit.json").write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    (where / "audit.html").write_text(as_page(families, facts), encoding="utf-8")
    if args.json:
        print(json.dumps(words))
    elif args.model:
        _show_scores(families, where)
    else:
        _show(words, where)
    return OK


def scored(args: argparse.Namespace, where: Path, told: Told) -> tuple[list[Family], dict[str, Any]]:
    """Audit a model in five families. A run that was stopped goes on with the family it was at."""
    from bartizan.lab.auditing.page import as_json
    from bartizan.lab.auditing.scorecard import families

    if args.models < 6 or args.models % 2 or args.questions < 50:
        raise BadSettings(
            f"--models {args.models} --questions {args.questions}: expected an even number from 6, and 50"
        )
    found = families(_subject(args), _promised(args), where / ".bartizan-lab", told)
    facts = {"model": args.model, "data": str(args.data), "test": str(args.test or ""), "seed": args.seed}
    records = len(_load(args, args.data, training=True)) + (len(_load(args, args.test)) if args.test else 0)
    return found, as_json(found, facts | {"records": records, "models": args.models})


def _subject(args: argparse.Namespace) -> Subject:
    from bartizan.lab.auditing.subject import Subject
    from bartizan.lab.targets.opening import Described, open_target

    members = _load(args, args.data, training=True)
    others = _load(args, args.test) if args.test else members.shuffled(args.seed)
    both = (members, others)
    if min(map(len, both)) < FEWEST or members.x.shape[1:] != others.x.shape[1:]:
        raise BadSettings(
            f"{len(members)} and {len(others)} records of shapes {members.x.shape[1:]} and {others.x.shape[1:]}: "
            f"expected at least {FEWEST} of each, of one shape"
        )
    low, high = min(float(one.x.min()) for one in both), max(float(one.x.max()) for one in both)
    classes = args.classes or 1 + max(int(one.y.max()) for one in both)
    told = Described(members.x.shape[1:], low, max(high, low + 1e-6), classes, args.factory or "")
    return Subject(
        open_target(args.model, told),
        members,
        others,
        _recipe(args),
        args.models,
        args.seed,
        price=args.price,
        questions=args.questions,
        knows_members=args.test is not None,
    )


def _load(args: argparse.Namespace, path: Path, *, training: bool = False) -> Labelled:
    from bartizan.lab.labelled import load

    try:
        shape = tuple(int(size) for size in (args.shape or "").split(",") if size)
    except ValueError:
        raise BadSettings(f"--shape {args.shape}: expected whole numbers with commas, such as 1,28,28") from None
    return load(path, training=training).shaped(shape)


def _promised(args: argparse.Namespace) -> tuple[Recipe, float, float] | None:
    if args.epsilon is None:
        return None
    return _private(_recipe(args), 1000, args.epsilon, args.delta)[0], args.epsilon, args.delta


def audited(args: argparse.Namespace, where: Path, told: Told) -> tuple[list[Family], dict[str, Any]]:
    """Train, attack, and return the result as plain data. A run that was stopped goes on from its models on disk."""
    from bartizan.lab.auditing.members import of_recipe
    from bartizan.lab.membership.study import study

    data = _load(args, args.data, training=True)
    if len(data) < FEWEST or args.models < 6 or args.models % 2:
        raise BadSettings(
            f"{len(data)} records, --models {args.models}: expected at least {FEWEST} records and an even number from 6"
        )
    x = data.x.reshape(len(data), -1)
    x = ((x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6)).astype(np.float32)
    plain = _recipe(args)
    ways: dict[str, Any] = {"as it is": _named(args.train) if args.train else plain}
    notes = []
    if args.epsilon is not None:
        ways["with DP"], note = _private(plain, len(data) // 2, args.epsilon, args.delta)
        notes.append(note)
    if args.relax is not None:
        ways["with RelaxLoss"] = _relaxed(plain, args.relax)
        notes.append("RelaxLoss is regularisation: what it hides from these attacks another may find.")
    told_ways, shown = {}, []
    for name, how in ways.items():
        found = study(
            (x, data.y), how, models=args.models, seed=args.seed, cache=where / ".bartizan-lab", progress=told
        )
        told_ways[name] = _as_words(found)
        shown.append(of_recipe(found, name))
    return shown, {
        "bartizan": __version__,
        "data": str(args.data),
        "records": len(data),
        "models": args.models,
        "seed": args.seed,
        "recipe": args.train or asdict(plain),
        "ways": told_ways,
        "notes": notes,
    }


def _recipe(args: argparse.Namespace) -> Recipe:
    from bartizan.lab.membership.stacked import Recipe

    try:
        hidden = tuple(int(width) for width in args.hidden.split(",") if width)
        return Recipe(hidden=hidden, activation="relu", epochs=args.epochs, batch=32, learning_rate=3e-3)
    except ValueError as error:
        raise BadSettings(f"--hidden {args.hidden} --epochs {args.epochs}: {error}") from error


def _private(plain: Recipe, members: int, epsilon: float, delta: float) -> tuple[Recipe, str]:
    from bartizan.lab.membership.stacked import Noise
    from bartizan.lab.privacy.accountant import Mechanism, noise_for, spent

    batch, epochs = max(1, members // 2), 40
    steps = epochs * max(1, round(members / batch))
    try:
        noise = Noise(0.5, noise_for(epsilon, delta, batch / members, steps))
    except ValueError as error:
        raise BadSettings(f"--epsilon {epsilon} --delta {delta}: {error}") from error
    recipe = replace(plain, epochs=epochs, batch=batch, learning_rate=1.0, optimizer="sgd", noise=noise)
    return recipe, f"DP-SGD spent {spent(Mechanism(batch / members, noise.multiplier, steps), delta)}"


def _relaxed(plain: Recipe, loss: float) -> Recipe:
    try:
        return replace(plain, relax=loss)
    except ValueError as error:
        raise BadSettings(f"--relax {loss}: {error}") from error


def _named(path: str) -> Any:
    from bartizan.lab.targets.torch_modules import named

    return named(path, "train")


def _show_scores(families: list[Family], where: Path) -> None:
    from bartizan.lab.auditing.page import headline

    console = Console()
    table = Table("family", "figure", "", "what was found", pad_edge=False)
    colours = {"leaks": "red", "little": "yellow", "none": "green"}
    for one in families:
        table.add_row(one.name, headline(one), f"[{colours.get(one.grade, 'dim')}]{one.grade}[/]", one.says)
    console.print(table)
    console.print(f"wrote {where / 'audit.json'} and {where / 'audit.html'}", highlight=False)


def _as_words(found: Study) -> dict[str, Any]:
    return {
        "worst attack": found.worst.attack,
        "train accuracy": asdict(found.train_accuracy),
        "test accuracy": asdict(found.test_accuracy),
        "most vulnerable records": list(found.vulnerable),
        "attacks": {
            leak.attack: {
                "auc": asdict(leak.auc),
                **{f"members found at {rate:g} false positives": asdict(got) for rate, got in leak.tpr.items()},
            }
            for leak in found.leaks
        },
    }


def _show(words: dict[str, Any], where: Path) -> None:
    console = Console()
    for name, way in words["ways"].items():
        accuracy = (
            f"accuracy {way['train accuracy']['value']:.1%} on members, {way['test accuracy']['value']:.1%} on others"
        )
        table = Table("attack", "AUC", "found at 0.1 %", "found at 1 %", title=f"{name}: {accuracy}", pad_edge=False)
        for attack, got in way["attacks"].items():
            auc, *rates = got.values()
            shares = [f"{one['value']:.1%} [{one['low']:.1%}, {one['high']:.1%}]" for one in rates]
            table.add_row(
                attack + (" (worst)" if attack == way["worst attack"] else ""), f"{auc['value']:.3f}", *shares
            )
        console.print(table)
        console.print(
            f"most vulnerable records: {', '.join(map(str, way['most vulnerable records']))}", highlight=False
        )
    for note in words["notes"]:
        console.print(note, highlight=False)
    console.print(f"wrote {where / 'audit.json'} and {where / 'audit.html'}", highlight=False)


COMMAND = Command("audit", "What a model, or training on these records, gives away: a scorecard.", _arguments, _run)
