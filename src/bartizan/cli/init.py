"""`bartizan init`: writes a commented bartizan.toml. Never overwrites one."""

import argparse
from pathlib import Path

from bartizan.cli.base import OK, Command
from bartizan.core import settings
from bartizan.core.errors import BadSettings


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, default=Path(settings.DEFAULT_FILE), help="where to write it")


def _run(args: argparse.Namespace) -> int:
    path: Path = args.path
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(settings.template())
    except FileExistsError:
        raise BadSettings(f"{path}: exists already", hint="Remove it first, or name another path.") from None
    except OSError as error:
        raise BadSettings(f"{path}: cannot be written: {error}") from error
    print(f"wrote {path}\nnext: bartizan serve --config {path}")
    return OK


COMMAND = Command("init", "Write a commented bartizan.toml.", _arguments, _run)
