"""What a command is: a name, one line of help, its arguments, and a function from arguments to an exit code."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bartizan.core import settings
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings

OK = 0
FAILED = 1
CANNOT = 2


@dataclass(frozen=True)
class Command:
    """One word of the command line."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config FILE` to a command that reads the settings."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="settings file (default: bartizan.toml if it exists)"
    )


def configured(args: argparse.Namespace) -> Settings:
    """Return the settings that `--config` names, those of ./bartizan.toml, or the defaults."""
    named: Path | None = args.config
    if named is not None:
        return settings.load(named)
    here = Path(settings.DEFAULT_FILE)
    return settings.load(here) if here.exists() else settings.parse("")


def named_port(port: int) -> int:
    """Return the value of `--port`. Raises BadSettings where it is none."""
    if not 0 <= port <= 65535:
        raise BadSettings(f"--port = {port}: expected 0 to 65535")
    return port


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads an argument as a whole number from `least`; argparse names the argument where it is none."""

    def read(word: str) -> int:
        if word.removeprefix("-").isdecimal() and int(word) >= least:
            return int(word)
        raise argparse.ArgumentTypeError(f"{word}: expected a whole number from {least}")

    return read
