"""`bartizan lab fingerprint make | check`: was this model made from ours? A p-value that holds for any suspect.

`make` trains models by one procedure, draws which of them is ours, tries what thieves would do, and writes the secret
fingerprint with a SHA-256 that may be published, and a page (secret too: it shows points). `check` asks a suspect, by
labels alone, and writes a page without points. Exit code of `check`: 0 when nothing was found, 1 when the suspect was
made from ours.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bartizan import __version__
from bartizan.cli.base import FAILED, OK, Command, at_least
from bartizan.cli.lab.subject import GOES_ON, Told, bar, folder
from bartizan.core import settings
from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.lab.needs import need

if TYPE_CHECKING:
    import torch

    from bartizan.lab.labelled import Labelled
    from bartizan.lab.membership.shadows import Train
    from bartizan.lab.membership.stacked import Recipe
    from bartizan.lab.ownership.fingerprint import Draft, Rank
    from bartizan.lab.ownership.making import Cohort, Plan
    from bartizan.lab.ownership.trials import Trial

FILE = "fingerprint.safetensors"
PAGE = "fingerprint.html"
_FEWEST = 100
_PASSES, _SAMPLED, _FEWEST_PASSES = 30, 5000, 3
"""Passes over so many records; of more, as many steps in fewer passes, for each model sees each often enough."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    make = verbs.add_parser("make", help="train models, draw which is ours, write fingerprint and commitment")
    make.add_argument("--data", type=Path, metavar="FILE", required=True, help="records to train on: .npz, .csv, IDX")
    make.add_argument("--pool", type=Path, metavar="FILE", help="others like them (default: a third of --data is kept)")
    make.add_argument("--train", metavar="MODULE:FUNCTION", help="your training: (x, y, seed) to a scores function")
    make.add_argument("--hidden", metavar="N,N", default="128", help="or dense networks of these widths (128)")
    make.add_argument("--epochs", type=at_least(1), metavar="N", help="passes over the data (30; fewer of over 5,000)")
    make.add_argument(
        "--model", metavar="MODEL", help="a model that --train made before: it is ours, the others are new"
    )
    make.add_argument("--models", type=int, default=40, metavar="N", help="with ours; 1/N is the smallest p (40)")
    make.add_argument("--points", type=int, default=300, metavar="N", help="questions to a suspect (300)")
    make.add_argument("--share", type=float, metavar="X", help="of the records, drawn for each model (0.8; --model: 1)")
    make.add_argument("--copies", type=int, default=4, metavar="N", help="own thieves that try it; 0: no trial (4)")
    make.add_argument("--questions", type=int, default=2000, metavar="N", help="that each of them asks (2000)")
    make.add_argument("--key", metavar="HEX", help="make again what was made with this key")
    _add_model(make)
    make.set_defaults(act=_make)
    check = verbs.add_parser("check", help="ask a suspect and say the p-value")
    check.add_argument("fingerprint", type=Path, metavar="FILE", help="what make wrote")
    check.add_argument("suspect", metavar="SUSPECT", help="a file, an address, python:module:function")
    check.add_argument("--commitment", metavar="SHA256", help="what was published before: another file is refused")
    check.add_argument("--alpha", type=float, default=0.05, metavar="P", help="p from which it counts as found (0.05)")
    check.add_argument("--classes", type=int, metavar="N", help="classes of the suspect (default: as ours)")
    check.add_argument("--api-key-env", metavar="NAME", default="", help="environment variable that holds its key")
    _add_model(check)
    check.set_defaults(act=_check)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--factory", metavar="MODULE:FUNCTION", help="makes the torch module of a file of weights")
    parser.add_argument("--shape", metavar="1,28,28", help="shape of one example")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path(), help="folder for what is written")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")


def _run(args: argparse.Namespace) -> int:
    for module in ("torch", "scipy", "sklearn", "safetensors.numpy"):
        need(module)
    act: Any = args.act
    return int(act(args))


def _make(args: argparse.Namespace) -> int:
    where = folder(args.output)
    if (where / FILE).exists():
        raise BadSettings(f"{where / FILE} is there already", hint="It may be committed to: name another --output.")
    if args.copies < 0 or args.questions < 50:
        raise BadSettings(f"--copies {args.copies} --questions {args.questions}: expected 0 and 50 at least")
    if args.model and not args.train:
        raise BadSettings("--model needs --train", hint="The others have to be made by what made this one.")
    data, pool = _records(args)
    how = _how(args, len(data))
    work = where / ".bartizan-lab" / "fingerprint"
    plan = _plan(args, work)
    with bar(GOES_ON) as told:
        words = made(args, how, (data, pool), plan, (work, told))
    shutil.rmtree(work)  # what was kept for a stopped run would tell the points
    with contextlib.suppress(OSError):
        work.parent.rmdir()  # other acts may keep something there
    if args.json:
        print(json.dumps(words))
    else:
        _show_made(words, where)
    return OK


def _records(args: argparse.Namespace) -> tuple[Labelled, Labelled]:
    from bartizan.lab.labelled import load

    shape = _shape(args)
    data = load(args.data, training=True).shaped(shape)
    if args.pool:
        pool = load(args.pool, training=True).shaped(shape)
    else:
        cut = len(data) * 2 // 3
        shuffled = data.shuffled(0)
        data, pool = shuffled.first(cut), shuffled.part(cut, len(shuffled))
    if min(len(data), len(pool)) < _FEWEST or data.x.shape[1:] != pool.x.shape[1:]:
        raise BadSettings(
            f"{len(data)} records and {len(pool)} in the pool, of shapes {data.x.shape[1:]} and {pool.x.shape[1:]}: "
            f"expected at least {_FEWEST} of each, of one shape"
        )
    return data, pool


def _shape(args: argparse.Namespace) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in (args.shape or "").split(",") if size)
    except ValueError:
        raise BadSettings(f"--shape {args.shape}: expected whole numbers with commas, such as 1,28,28") from None


def _plan(args: argparse.Namespace, work: Path) -> Plan:
    """Return the plan; the key of a run that was stopped is found again, so that it goes on with its models."""
    from bartizan.lab.ownership.making import KEY_BYTES, Plan

    share = args.share if args.share is not None else 1.0 if args.model else 0.8
    if args.model and share != 1:
        raise BadSettings(f"--share {args.share} with --model: expected 1, for that model was trained on all records")
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = work / "key"
    try:
        key = bytes.fromhex(args.key or (kept.read_text() if kept.exists() else secrets.token_hex(KEY_BYTES)))
        plan = Plan(args.models, args.points, share, key)
    except ValueError as error:
        raise BadSettings(f"--models, --points, --share, --key: {error}") from error
    with _secret(kept) as file:
        file.write(key.hex())
    return plan


def made(
    args: argparse.Namespace,
    how: Recipe | Train,
    records: tuple[Labelled, Labelled],
    plan: Plan,
    during: tuple[Path, Told],
) -> dict[str, Any]:
    """Train, draw, try and write; return what was made, and which model is to be deployed."""
    from bartizan.lab.ownership import making
    from bartizan.lab.ownership.fingerprint_file import save
    from bartizan.lab.ownership.innocents import innocents
    from bartizan.lab.ownership.page import made_page

    (data, pool), (work, told) = records, during
    asked = making.with_mixtures(pool.x, plan)
    models = making.cohort(data, asked, how, plan, cache=work, progress=told)
    notes = []
    if args.model:
        models = _with_own(args, models)
        notes.append(_compared(models.likeness(making.ours_of(plan))))
    half = len(pool) // 2  # thieves own one half of the pool, points come from the other
    blind = innocents(data, seed=int(plan.draw("innocents").integers(2**31)), progress=told)
    try:
        found = making.drafted(models, np.arange(half, len(pool)), [labels for _, labels in blind])
    except ValueError as error:
        raise BadSettings(
            f"no fingerprint: {error}",
            hint="A training that ends alike from every seed has none. Give each model its own draw: --share 0.8.",
        ) from error
    tried = _tried(args, models, found, pool, during)
    ours, where = making.ours_of(plan), args.output
    deployed = _deploy(args, models, ours, where)
    facts = {"bartizan": __version__, "key": plan.key.hex(), "procedure": args.train or repr(how), "ours": deployed}
    facts |= {"data": str(args.data), "share": f"{plan.share:g}"}
    words = {
        "bartizan": __version__,
        "commitment": save(where / FILE, found.drawn(ours), facts),
        "models": plan.models,
        "questions": len(found.points),
        "share of records": plan.share,
        "inputs that models label differently": round(models.differ(), 4),
        "innocent models": len(blind),
        "trials": [_trial(one) for one in tried],
        "notes": notes,
    }
    (where / "fingerprint.json").write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    with _secret(where / PAGE) as page:
        page.write(made_page(words, found.points, models.labels_of(found.points)))
    return words | {"ours": deployed}


def _secret(path: Path) -> IO[str]:
    """Open a file that its owner alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")


def _how(args: argparse.Namespace, records: int) -> Recipe | Train:
    from bartizan.lab.membership.stacked import Recipe
    from bartizan.lab.targets.torch_modules import named

    if args.train:
        return named(args.train, "train")
    try:
        hidden = tuple(int(width) for width in args.hidden.split(",") if width)
        epochs = args.epochs or max(_FEWEST_PASSES, _PASSES * _SAMPLED // max(records, _SAMPLED))
        return Recipe(hidden=hidden, activation="relu", epochs=epochs, batch=32, learning_rate=1e-3)
    except ValueError as error:
        raise BadSettings(f"--hidden {args.hidden} --epochs {args.epochs}: {error}") from error


def _with_own(args: argparse.Namespace, models: Cohort) -> Cohort:
    """Return the cohort with the given model in the place that is drawn."""
    from bartizan.lab.ownership.making import ours_of
    from bartizan.lab.targets.opening import Described, open_target

    classes = models.scores.shape[2]
    target = open_target(args.model, Described(models.asked.shape[1:], None, None, classes, args.factory or ""))
    scores = models.scores.copy()
    scores[ours_of(models.plan)] = target.probabilities(models.asked)
    return replace(models, scores=scores)


def _compared(likeness: tuple[float, float, float]) -> str:
    own, least, most = likeness
    said = f"{own:.1%} of the inputs are labelled as the others label them; of those {least:.1%} to {most:.1%}"
    like = least <= own <= most
    return f"The given model: {said}." + ("" if like else " WARNING: not made like them, so p does not hold.")


def _tried(
    args: argparse.Namespace, models: Cohort, found: Draft, pool: Labelled, during: tuple[Path, Told]
) -> list[Trial]:
    from bartizan.lab.ownership.trials import Thieves, trials
    from bartizan.lab.reference_classifier import network_for

    if not args.copies:
        return []
    half, classes = len(pool) // 2, models.scores.shape[2]
    most = min(args.questions, half)
    thieves = Thieves(
        np.arange(half),
        np.arange(half, len(pool)),
        pool.first(min(half, 500)),
        lambda: network_for(pool.x.shape[1:], classes),
        tuple(sorted({max(50, most // 4), most})),
        args.copies,
        int(models.plan.draw("thieves").integers(2**31)),
    )
    work, told = during
    return trials(models, found, thieves, told, cache=work)


def _trial(one: Trial) -> dict[str, Any]:
    return {
        "way": one.way,
        "questions": one.questions,
        "found": asdict(one.found),
        "agreement": round(one.agreement, 4),
        "p": list(one.values),
    }


def _deploy(args: argparse.Namespace, models: Cohort, ours: int, where: Path) -> str:
    """Write what is needed to deploy the model that was drawn, and say it. It is the drawn one that must be used."""
    from bartizan.lab.ownership.making import seed_of

    if args.model:
        return args.model  # type: ignore[no-any-return]
    if not args.train:
        stack = models.network(ours)
        state: dict[str, torch.Tensor] = {}
        for layer, (weight, bias) in enumerate(zip(stack.weights, stack.biases, strict=True)):
            state |= {
                f"{1 + 2 * layer}.weight": weight[0].T.contiguous(),
                f"{1 + 2 * layer}.bias": bias[0, 0].contiguous(),
            }
        need("safetensors.torch").save_file(state, where / "ours.safetensors")
        return "ours.safetensors: torch.nn.Sequential(Flatten, Linear, ReLU, …, Linear)"
    seed = seed_of(models.plan) + ours
    if models.plan.share == 1:
        return f"{args.train} on all records with seed {seed}"
    drawn = models.records(ours)
    np.savez_compressed(where / "ours.npz", x=drawn.x, y=drawn.y)
    return f"{args.train} on the records in ours.npz with seed {seed}"


def _show_made(words: dict[str, Any], where: Path) -> None:
    from bartizan.lab.ownership.page import hits, plain_copies

    console = Console()
    if words["trials"]:
        table = Table("what a thief does", "questions", "agreement", "found at p ≤ 0.05", pad_edge=False)
        for one in words["trials"]:
            table.add_row(one["way"], f"{one['questions']:,}", f"{one['agreement']:.1%}", hits(one))
        console.print(table)
    for line in (
        *filter(None, (plain_copies(words["trials"]),)),
        *words["notes"],
        f"{words['questions']} questions to a suspect; 1 of {words['models']} models is ours: {words['ours']}",
        f"commitment (publish it, with its date): {words['commitment']}",
        f"wrote {where / FILE} and {where / PAGE} (secret, both), and {where / 'fingerprint.json'}",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _check(args: argparse.Namespace) -> int:
    from bartizan.lab.ownership.fingerprint_file import load
    from bartizan.lab.ownership.page import checked_page, plain_copies
    from bartizan.lab.targets.opening import Described, open_target

    if not 0 < args.alpha < 1:
        raise BadSettings(f"--alpha {args.alpha}: expected more than 0 and less than 1")
    fingerprint, facts, commitment = load(args.fingerprint)
    if args.commitment and args.commitment.lower() != commitment:
        raise BadEvidence(
            f"{args.fingerprint} has SHA-256 {commitment}, not {args.commitment}",
            hint="It is not what was committed to: nothing was asked.",
        )
    shape = _shape(args) or fingerprint.points.shape[1:]
    key = settings.secret(args.api_key_env, "", "--api-key-env") if args.api_key_env else ""
    classes = args.classes or fingerprint.evidence.shape[2]
    target = open_target(args.suspect, Described(shape, None, None, classes, args.factory or "", key))
    answers = target.labels(fingerprint.points.reshape(len(fingerprint.points), *shape))
    rank, trials, where = fingerprint.of_answers(answers), _trials_of(args.fingerprint, commitment), folder(args.output)
    words = _checked(rank, args) | {"commitment": commitment, "made with": facts.get("bartizan", "")}
    (where / "check.json").write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    (where / "check.html").write_text(checked_page(words, fingerprint, answers, trials), encoding="utf-8")
    if args.json:
        print(json.dumps(words))
    else:
        said = (words["says"], str(rank), plain_copies(trials), f"SHA-256 of the fingerprint: {commitment}")
        print("\n".join(filter(None, (*said, f"wrote {where / 'check.json'} and {where / 'check.html'}"))))
    return FAILED if words["found"] else OK


def _trials_of(path: Path, commitment: str) -> list[dict[str, Any]]:
    """Return what `make` found of copies, where its report still lies beside the fingerprint."""
    try:
        words = json.loads((path.parent / "fingerprint.json").read_text(encoding="utf-8"))
        return list(words["trials"]) if words["commitment"] == commitment else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _checked(rank: Rank, args: argparse.Namespace) -> dict[str, Any]:
    found = rank.p <= args.alpha
    says = (
        f"{args.suspect} was made from our model: "
        "one that knows nothing of it ranks it as high with no more than the chance p"
        if found
        else f"{args.suspect}: not found. That is no proof of innocence"
    )
    return {
        "suspect": args.suspect,
        "found": found,
        "p": rank.p,
        "p of the rank": rank.exact,
        "says": says,
        **asdict(rank),
    }


COMMAND = Command("fingerprint", "Was a model made from ours? Make a secret test, check a suspect.", _arguments, _run)
