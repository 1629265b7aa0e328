"""`bartizan threats`: prints the register, or writes THREATS.md from it."""

import argparse
from pathlib import Path

from bartizan.cli.base import OK, Command
from bartizan.core.errors import BadSettings
from bartizan.threats import THREATS
from bartizan.threats.document import markdown


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--write", metavar="FILE", type=Path, nargs="?", const=Path("THREATS.md"), help="write THREATS.md"
    )


def _run(args: argparse.Namespace) -> int:
    path: Path | None = args.write
    if path is None:
        print(markdown(THREATS), end="")
        return OK
    try:
        path.write_text(markdown(THREATS), encoding="utf-8")
    except OSError as error:
        raise BadSettings(f"{path}: cannot be written: {error}") from error
    print(f"wrote {path}")
    return OK


COMMAND = Command("threats", "Print the register of the ten threats.", _arguments, _run)
