"""`bartizan reference`: serves the embedded reference model on a loopback port until stopped."""

import argparse

from bartizan.cli.base import OK, Command
from bartizan.lab import reference


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=reference.default_threads(), help="threads of the engine")
    parser.add_argument("--until-input-ends", action="store_true", help="stop when standard input ends")


def _run(args: argparse.Namespace) -> int:
    reference.serve(args.threads, until_input_ends=args.until_input_ends)
    return OK


COMMAND = Command(
    "reference", "Serve the embedded reference model (SmolLM2-135M) on a loopback port.", _arguments, _run
)
