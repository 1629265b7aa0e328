"""`bartizan lab harden`: trains a torch module on attacks, measures it before and after, and writes its weights."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from bartizan.cli.base import OK, Command
from bartizan.cli.lab.subject import Told, add_subject, bar, folder, subject
from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab
from bartizan.lab.needs import need


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser)
    parser.add_argument("--method", choices=("fast", "pgd", "trades", "none"), default="fast", help="default: fast")
    parser.add_argument("--epochs", type=int, default=10, metavar="N", help="passes over the data (default 10)")
    parser.add_argument("--rate", type=float, default=5e-3, metavar="X", help="largest learning rate (default 0.005)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="start from these weights (default: from scratch)")
    parser.add_argument("--test", metavar="FILE", help="test data (default: the last fifth of --data)")
    parser.add_argument("--examples", type=int, default=500, metavar="N", help="test examples to attack (default 500)")


def _run(args: argparse.Namespace) -> int:
    need("torch")
    lab = subject(args)
    if not lab.factory:
        raise BadSettings("no module to train", hint="Name the function that makes it: --factory module:function.")
    if lab.norm == "L0":
        raise BadSettings("--norm L0: adversarial training works in Linf or L2")
    where = folder(args.output)
    with bar() as told:
        words = hardened(lab, args, told, where)
    (where / "harden.json").write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    if args.json:
        print(json.dumps(words))
        return OK
    console = Console()
    for when in ("before", "after"):
        clean, robust = (words[when][name] for name in ("clean_accuracy", "robust_accuracy"))
        shares = [f"{one['value']:.1%} [{one['low']:.1%}, {one['high']:.1%}]" for one in (clean, robust)]
        console.print(f"{when:7} clean {shares[0]}, under attack {shares[1]}, n={clean['n']}", highlight=False)
    console.print(f"trained in {words['train_s']:.0f} s; wrote {where / 'hardened.safetensors'}", highlight=False)
    return OK


def hardened(lab: Lab, args: argparse.Namespace, told: Told, where: Path) -> dict[str, Any]:
    """Train, measure before and after with the same attacks, write the weights."""
    from bartizan.lab.hardening.adversarial_training import Recipe, trained
    from bartizan.lab.labelled import load
    from bartizan.lab.target import Arrays
    from bartizan.lab.targets.torch_modules import load_weights, named

    data = load(Path(lab.data), lab.low, lab.high).shaped(lab.shape)
    cut = len(data) if args.test else len(data) * 4 // 5
    train = data.first(cut)
    test = load(Path(args.test), lab.low, lab.high).shaped(lab.shape) if args.test else data.part(cut, len(data))
    factory = named(lab.factory, "factory")
    module = load_weights(args.weights, factory) if args.weights else factory()
    spec = Arrays(data.x.shape[1:], lab.low, lab.high)
    recipe = Recipe(args.method, lab.epsilon, lab.norm, args.epochs, peak_rate=args.rate, seed=args.seed)  # type: ignore[arg-type]
    plain = (
        module if args.weights else trained(factory(), train, spec, Recipe("none", epochs=min(args.epochs, 5)), told)
    )
    before = _measured(plain, spec, test.first(args.examples), lab, args.seed, told)
    begun = time.perf_counter()
    module = trained(module, train, spec, recipe, told)
    took = time.perf_counter() - begun
    after = _measured(module, spec, test.first(args.examples), lab, args.seed, told)
    need("safetensors.torch").save_file(module.state_dict(), where / "hardened.safetensors")
    return {"recipe": asdict(recipe), "before": before, "after": after, "train_s": round(took, 1), "data": lab.data}


def _measured(module: Any, spec: Any, test: Any, lab: Lab, seed: int, told: Told) -> dict[str, Any]:
    import torch

    from bartizan.lab.evasion.apgd import Apgd
    from bartizan.lab.evasion.balls import Ball
    from bartizan.lab.evasion.base import Problem
    from bartizan.lab.evasion.suite import QUICK, run_suite
    from bartizan.lab.targets.torch_modules import of_module

    classes = max(int(test.y.max()) + 1, int(module(torch.from_numpy(test.x[:1])).shape[1]))
    target = of_module("module", module, spec, classes=classes)
    ball = Ball(lab.norm if lab.norm != "L0" else "Linf", lab.epsilon)
    problem = Problem(target, ball, torch.from_numpy(test.x), torch.from_numpy(test.y), seed)
    found = run_suite(problem, (*QUICK, Apgd("targeted", 30, aims=3)), told)
    return {"clean_accuracy": asdict(found.clean), "robust_accuracy": asdict(found.robust)}


COMMAND = Command(
    "harden", "Train a torch module on attacks, measure it before and after, write its weights.", _arguments, _run
)
