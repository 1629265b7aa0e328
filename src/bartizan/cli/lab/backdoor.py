"""`bartizan lab backdoor`: scans a trained torch module for backdoors, repairs it, says what both show and cost."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bartizan.cli.base import FAILED, OK, Command
from bartizan.cli.lab.subject import add_subject, bar, folder, subject
from bartizan.core.errors import BadSettings
from bartizan.lab.needs import need

if TYPE_CHECKING:
    from bartizan.lab.poisoning.examination import Examined


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="state dict: .safetensors, .pt, .pth, .bin")
    add_subject(parser)
    parser.add_argument("--repair", action="store_true", help="train what is found away, write repaired.safetensors")
    parser.add_argument("--isolated", metavar="FILE", help="rows that a check held back, with the labels they had")


def _run(args: argparse.Namespace) -> int:
    need("torch")
    lab = subject(args)
    if not lab.factory:
        raise BadSettings("no module to scan", hint="Name the function that makes it: --factory module:function.")
    from bartizan.lab.hardening.outcome import as_json, as_page
    from bartizan.lab.labelled import load
    from bartizan.lab.poisoning.examination import Task, examine
    from bartizan.lab.targets.torch_modules import load_weights, named

    where = folder(args.output)
    network = load_weights(args.weights, named(lab.factory, "factory")).eval()
    sets = [load(Path(one), lab.low, lab.high).shaped(lab.shape) if one else None for one in (lab.data, args.isolated)]
    data, isolated = [None if one is None else (one.x, one.y) for one in sets]
    if data is None or len(data[0]) < 100:
        raise BadSettings(f"--data {lab.data}: expected 100 and more honest examples with their classes")
    with bar() as told:
        found = examine(network, data, (lab.low, lab.high), told, Task(args.repair, isolated, args.seed))
    words = as_json(found.outcome) | {"data": lab.data, "triggers": _triggers(found)}
    (where / "backdoor.json").write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    (where / "backdoor.html").write_text(as_page(found.outcome, str(args.weights)), encoding="utf-8")
    if found.network is not network:
        need("safetensors.torch").save_file(found.network.state_dict(), where / "repaired.safetensors")
    if args.json:
        print(json.dumps(words))
    else:
        _show(found, where)
    return FAILED if found.scan.suspects else OK


def _triggers(found: "Examined") -> list[dict[str, object]]:
    suspects = {(one.kind, one.target) for one in found.scan.suspects}
    return [
        {"kind": one.kind, "class": one.target, "size": one.size, "wins": one.wins,
         "suspect": (one.kind, one.target) in suspects}
        for one in found.scan.triggers
    ]  # fmt: skip


def _show(found: "Examined", where: Path) -> None:
    console = Console()
    sizes = {kind: sorted(one.size for one in found.scan.triggers if one.kind == kind) for kind in ("patch", "shade")}
    for one in found.scan.suspects:
        usual = sizes[one.kind][len(sizes[one.kind]) // 2]
        console.print(
            f"class {one.target}: a {one.kind} of {one.size:.1%} of the input turns {one.wins:.0%} of all examples "
            f"into it; into most classes it takes {usual:.1%}",
            highlight=False,
        )
    if not found.scan.suspects:
        console.print("no backdoor found: changes into all classes are of like size", highlight=False)
    for figure, before in found.outcome.before.items():
        after = found.outcome.after.get(figure)
        console.print(f"{figure}: {before}" + (f" -> {after}" if after else ""), highlight=False)
    if found.outcome.after:
        console.print(f"clean accuracy lost: {found.outcome.after['clean accuracy lost']}", highlight=False)
    console.print(f"wrote {where / 'backdoor.json'} and backdoor.html", highlight=False)


COMMAND = Command("backdoor", "Scan a torch module for backdoors; repair it and say what that costs.", _arguments, _run)
