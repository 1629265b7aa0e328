"""`bartizan guard [NAME=PATH …] -- COMMAND …`: starts something only when its artefacts are what the lock approves."""

import argparse
import os
from pathlib import Path

from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.opening import exists
from bartizan.supply.admission import lock as locks
from bartizan.supply.admission.desk import check_sequence
from bartizan.supply.admission.guard import check
from bartizan.supply.admission.lock import Lock
from bartizan.supply.admission.opening import public_key


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--lock", type=Path, metavar="FILE", help="the lock (default: supply.lock_file)")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="public key of the lock (default: beside the private one)"
    )
    parser.add_argument("--least", type=int, default=0, metavar="N", help="refuse a lock of a lower number than this")
    parser.add_argument(
        "words",
        nargs=argparse.REMAINDER,
        metavar="NAME=PATH … -- COMMAND",
        help="artefacts (default: all), and what to start",
    )


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    words: list[str] = args.words
    at = words.index("--") if "--" in words else len(words)
    named, command = words[:at], words[at + 1 :]
    path = args.lock or Path(settings.supply.lock_file)
    found = locks.read(path, public_key(settings.supply, args.key))
    _not_replayed(found, settings, path, args.least)
    wrong = check(found, dict(_place(word) for word in named))
    for one in wrong:
        print(f"{one.rule}: {visible(one.where)}: {visible(one.why)}")
    if wrong:
        print("REFUSED: nothing was started")
        return FAILED
    print(f"guard: {len(named) or len(found.artefacts)} artefacts are as approved in lock {found.sequence}", flush=True)
    if command:
        try:
            os.execvp(command[0], command)  # noqa: S606 - starting the operator's own command is what this is for
        except OSError as error:
            raise BadSettings(f"{command[0]}: cannot be started: {error.strerror or error}") from error
    return OK


def _place(word: str) -> tuple[str, Path]:
    name, sep, path = word.partition("=")
    if not sep or not name or not path:
        raise BadSettings(f"{word!r}: expected NAME=PATH, then -- and the command")
    return name, Path(path)


def _not_replayed(found: Lock, settings: Settings, path: Path, least: int) -> None:
    """Refuse an older lock than the ledger (where there is one) or the operator knows of."""
    if found.sequence < least:
        raise BadSettings(f"{path}: lock number {found.sequence}: expected {least} or later")
    if exists(settings.ledger):
        ledger = Ledger.configured(settings.ledger, SystemClock())
        try:
            check_sequence(found, ledger, path)
        finally:
            ledger.close()


COMMAND = Command("guard", "Start a command only when its artefacts are what the lock approves.", _arguments, _run)
