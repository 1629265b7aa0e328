"""Writes what an operator did to the ledger: who may call, what it may cost and what is stopped is evidence too."""

from pathlib import Path

from bartizan.core.clock import SystemClock
from bartizan.core.sections import Settings
from bartizan.ledger.log import Ledger


def note(settings: Settings, kind: str, **body: object) -> None:
    """Append one record and sign a checkpoint."""
    ledger = settings.ledger
    log = Ledger.open(
        Path(ledger.directory),
        origin=ledger.origin,
        clock=SystemClock(),
        checkpoint_file=Path(ledger.checkpoint_file),
    )
    try:
        log.append(kind, body)
        log.checkpoint()
    finally:
        log.close()
