"""`bartizan assess`: attacks the target without and with the gateway, prints the table, writes the reports."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bartizan.cli.base import Command, add_config, configured
from bartizan.cli.lines import Lines
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.ledger.log import Ledger
from bartizan.threats import THREATS, history
from bartizan.threats.assess import assess
from bartizan.threats.base import State, Threat
from bartizan.threats.reports import REPORTS, text
from bartizan.threats.resume import NAME

_STATES = {state.value for state in State}


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--target", metavar="URL", help="OpenAI-compatible endpoint (default: the embedded model)")
    parser.add_argument("--model", metavar="NAME", help="model to ask for (default: the first that the endpoint lists)")
    parser.add_argument("--api-key-env", metavar="NAME", help="environment variable that holds the endpoint's key")
    parser.add_argument("--max-requests", type=int, metavar="N", help="the target never gets more requests than this")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same attacks")
    parser.add_argument("--threat", action="append", metavar="T01", help="assess only this threat; can be repeated")
    parser.add_argument("--profile", choices=("quick", "full"), help="quick: about ten minutes; full: four times it")
    parser.add_argument("--jobs", type=int, metavar="N", help="proofs at the same time, each on its own cores")
    parser.add_argument(
        "--evidence", action="append", metavar="FILE", help="result file of garak or promptfoo to show beside ours"
    )
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    parser.add_argument("--output", metavar="DIR", help="folder for the reports")


def _run(args: argparse.Namespace) -> int:
    settings = _overridden(configured(args), args)
    threats = _chosen(args.threat)
    folder = Path(settings.assess.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"assess.output = {folder}: cannot be made: {error}") from error
    console = Console()
    clock = SystemClock()
    kept = settings.ledger
    ledger = Ledger.configured(settings.ledger, clock)
    try:
        with _told(len(threats)) as progress, _ended():
            done = assess(settings, threats, ledger, clock, progress, resume=args.resume)
    except (KeyboardInterrupt, SystemExit):
        print(f"bartizan: finished rows are kept in {folder / NAME}; go on with --resume", file=sys.stderr)
        raise
    finally:
        ledger.close()
    console.print(text.render(done))
    for name, render in REPORTS:
        path = folder / name
        path.write_text(render(done), encoding="utf-8")
        console.print(f"wrote {path}", highlight=False)
    if settings.assess.history:
        path = history.keep(Path(settings.assess.history), done)
        console.print(f"kept {path}, compare it with: bartizan runs diff", highlight=False)
    console.print(f"ledger: {kept.directory}, check it with: bartizan ledger verify", highlight=False)
    console.print("dashboard: bartizan dashboard, then http://127.0.0.1:8788/", highlight=False)
    return done.exit_code()


class _Shown:
    """One line for each threat that is being proved, and one for all of them."""

    def __init__(self, bar: Progress, threats: int) -> None:
        """Show on `bar` how many of `threats` rows are done."""
        self._bar = bar
        self._all = bar.add_task("threats", total=threats)
        self._lines: dict[str, TaskID] = {}

    def progress(self, what: str, done: int, total: int) -> None:
        """Hear what a proof is doing, or that a row is there."""
        threat = what.partition(" ")[0]
        if _finished(what):
            self._bar.update(self._all, completed=done, total=total)
            if threat in self._lines:
                self._bar.remove_task(self._lines.pop(threat))
            return
        if threat not in self._lines:
            self._lines[threat] = self._bar.add_task(what, total=total)
        self._bar.update(self._lines[threat], description=what, completed=done, total=total)


def _finished(what: str) -> bool:
    return what.rpartition(": ")[2] in _STATES


@contextmanager
def _told(threats: int) -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on standard error, so that standard output stays the result; in a log, as a line now and then."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield Lines(lambda what, _before: _finished(what), first_s=0.0).told
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bar:
        yield _Shown(bar, threats).progress


@contextmanager
def _ended() -> Iterator[None]:
    """Unwind when this process is asked to end, so that the proofs, which are processes of their own, end with it."""

    def leave(*_: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _overridden(settings: Settings, args: argparse.Namespace) -> Settings:
    names = ("target", "model", "api_key_env", "max_requests", "seed", "profile", "jobs", "evidence", "output")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if not 1 <= given.get("jobs", 1) <= 64:
        raise BadSettings(f"--jobs = {given['jobs']}: expected 1 to 64")
    if not 10 <= given.get("max_requests", 10) <= 1_000_000:
        raise BadSettings(f"--max-requests = {given['max_requests']}: expected 10 to 1000000")
    if given.get("target") and not given["target"].startswith(("http://", "https://")):
        raise BadSettings(f"--target = {given['target']}: expected an address that starts with http:// or https://")
    return replace(settings, assess=replace(settings.assess, **given))


def _chosen(names: list[str] | None) -> tuple[Threat, ...]:
    known = {threat.id: threat for threat in THREATS}
    for name in names or ():
        if name not in known:
            raise BadSettings(f"--threat = {name}: expected one of {', '.join(known)}")
    return tuple(known[name] for name in names) if names else THREATS


COMMAND = Command(
    "assess", "Attack a model without and with the gateway and report what was measured.", _arguments, _run
)
