"""`bartizan detector calibrate-turns`: what innocent conversations look like to a classifier, written beside it."""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bartizan import __version__
from bartizan.cli.base import OK
from bartizan.core.errors import BadSettings
from bartizan.core.messages import Message, Text, Trust
from bartizan.detect import shipped
from bartizan.detect.detectors import detectors, rules
from bartizan.detect.judge import Judge
from bartizan.detect.turns import calibration
from bartizan.detect.turns.odds import FILE, document
from bartizan.lab import examples, turns
from bartizan.lab.phrases import wordings
from bartizan.lab.tool_results import compose

ASKED = ("gpteacher", "sgd", "clinc", "banking77", "arena_hard", "coconot_contrast", "sentinel_harmbench_benign")
"""Sources of rows that people asked an assistant."""
ANSWERED = "gpteacher_out"
_FEW, _MOST, _LONGEST = 50, 4_000, 600
"""Rows of a source that are needed and that are kept, and characters of a row."""
_DOCUMENTS = 1_500


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("data", type=Path, help="folder of *.jsonl.gz (text, label, source, licence)")
    parser.add_argument("--model", type=Path, help="folder of a classifier (default: the shipped one)")
    parser.add_argument("--conversations", type=int, default=100, help="of each kind (default 100)")
    parser.add_argument("--seed", type=int, default=1)


def run(args: argparse.Namespace) -> int:
    """Write `turns.json` beside the weights, and print the thresholds. Raises BadSettings for a folder without rows."""
    draw = random.Random(f"turns-{args.seed}")
    kinds = conversations(_rows(args.data), args.conversations, draw)
    documents = [
        Text(compose(wordings().write(name, draw), draw), Trust.TOOL)
        for name in _spread(wordings().names("-"), _DOCUMENTS)
    ]
    model = str(args.model) if args.model else ""
    found: dict[str, Any] = {}
    for name, used in (
        ("1%", detectors("1%", model)),
        ("0.1%", detectors("0.1%", model)),
        ("rules", rules()),
    ):
        odds = calibration.odds(kinds, Judge(used), name, documents)
        found[name] = document(odds)
        print(f"{name}: stopped from {odds.threshold:.2f} nats on")
    made = {
        "command": f"bartizan detector calibrate-turns DATA --conversations {args.conversations} --seed {args.seed}",
        "bartizan": __version__,
        "conversations": {name: len(many) for name, many in kinds.items()},
    }
    path = (args.model or Path(shipped.__file__).parent / "weights") / FILE
    path.write_text(json.dumps({"made": made, "odds": found}) + "\n", encoding="utf-8")
    return OK


def conversations(
    rows: Mapping[str, Sequence[str]], each: int, draw: random.Random
) -> dict[str, list[tuple[Message, ...]]]:
    """Return innocent conversations by kind: those of our own wordings, and of rows as many as of three kinds."""
    found = {kind: [turns.innocent(kind, draw) for _ in range(each)] for kind in turns.LEARNT}
    for source in ASKED:
        if len(rows.get(source, ())) >= _FEW:
            many = max(20, 3 * each // len(ASKED))
            found[source] = [turns.from_rows(rows[source], rows[ANSWERED], draw) for _ in range(many)]
    return found


def _rows(folder: Path) -> dict[str, list[str]]:
    """Return innocent rows of permissive licence by source."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.jsonl.gz")):
        for row in examples.labelled(path):
            wanted = row.source in ASKED or row.source == ANSWERED
            if wanted and row.attack == 0 and row.licence in examples.PERMISSIVE and len(row.text) <= _LONGEST:
                found[row.source].append(row.text)
    if not found[ANSWERED]:
        raise BadSettings(f"{folder}: no innocent rows of the source {ANSWERED}: expected files *.jsonl.gz of rows")
    return {source: sorted(set(many))[:_MOST] for source, many in found.items()}


def _spread(names: Sequence[str], count: int) -> list[str]:
    return [names[number % len(names)] for number in range(count)]
