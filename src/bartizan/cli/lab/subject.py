"""What is attacked or hardened, from the command line over `[lab]` of the settings; and the progress bar of the lab."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bartizan.cli.base import add_config, at_least, configured
from bartizan.cli.lines import Lines
from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab

Told = Callable[[str, int, int], None]


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that describe a model, its data and the attacker's bound."""
    add_config(parser)
    parser.add_argument("--data", metavar="FILE", help=".npz with x and y, .csv, …-images-idx3-ubyte.gz; .jsonl: texts")
    parser.add_argument("--factory", metavar="MODULE:FUNCTION", help="makes the torch module of a file of weights")
    parser.add_argument("--shape", metavar="1,28,28", help="shape of one example")
    parser.add_argument("--low", type=float, metavar="X", help="smallest input value (default 0)")
    parser.add_argument("--high", type=float, metavar="X", help="largest input value (default 1)")
    parser.add_argument("--classes", type=at_least(2), metavar="N", help="how many classes (default: the model tells)")
    parser.add_argument("--norm", choices=("Linf", "L2", "L0", "patch"), help="how changes are measured (Linf)")
    parser.add_argument("--epsilon", type=float, metavar="X", help="how far (default 0.1); of a patch: its area")
    parser.add_argument("--seed", type=int, metavar="N", default=20261124, help="the same seed gives the same result")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path(), help="folder for what is written")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")


def subject(args: argparse.Namespace) -> Lab:
    """Return `[lab]` of the settings with the command line's words over it. Raises BadSettings for a bad one."""
    names = ("data", "factory", "low", "high", "classes", "norm", "epsilon")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.shape is not None:
        try:
            given["shape"] = tuple(int(size) for size in args.shape.split(",") if size)
        except ValueError:
            raise BadSettings(f"--shape = {args.shape}: expected whole numbers with commas, such as 1,28,28") from None
    lab: Lab = replace(configured(args).lab, **given)
    if not lab.data:
        raise BadSettings("no data to work on", hint="Name it: --data FILE, or `data` in [lab] of bartizan.toml.")
    if not lab.epsilon >= 0 or not lab.low < lab.high:
        raise BadSettings(f"epsilon {lab.epsilon}, low {lab.low}, high {lab.high}: expected epsilon ≥ 0 and low < high")
    return lab


def folder(path: Path) -> Path:
    """Return the output folder, made if it was not there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"--output = {path}: cannot be made: {error}") from error
    return path


@contextmanager
def bar(again: str = "") -> Iterator[Told]:
    """Show progress on standard error, so that standard output stays the result; in a log, as a line now and then.

    `again` says, to who stops the work, what becomes of what was done.
    """
    console = Console(file=sys.stderr)
    try:
        if not console.is_terminal:
            yield Lines(lambda what, before: what != before).told
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = (TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, *times, console=console, transient=True) as progress:
            running = progress.add_task("reading", total=None)

            def told(what: str, done: int, total: int) -> None:
                progress.update(running, description=what, completed=done, total=total)

            yield told
    except KeyboardInterrupt:
        if again:
            print(again, file=sys.stderr)
        raise


GOES_ON = "given again, the same command goes on from here"
