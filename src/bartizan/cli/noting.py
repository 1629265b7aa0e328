"""Writes what an operator did to the ledger: who may call, what it may cost and what is stopped is evidence too."""

from bartizan.core.clock import SystemClock
from bartizan.core.sections import Settings
from bartizan.ledger.log import Ledger


def note(settings: Settings, kind: str, **body: object) -> None:
    """Append one record and sign a checkpoint."""
    log = Ledger.configured(settings.ledger, SystemClock())
    try:
        log.append(kind, body)
        log.checkpoint()
    finally:
        log.close()
