"""The writer thread: one commit for many, receipts only for what is kept."""

import asyncio

import pytest

from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadEvidence
from bartizan.gateway.evidence import Recorder
from bartizan.gateway.testing import MemoryLog


async def test_concurrent_records_share_commits_and_keep_their_receipts():
    """A thousand records take far fewer commits, and each receipt points at its own record."""
    log = MemoryLog()
    recorder = Recorder(log, SystemClock(), 0.01)
    receipts = await asyncio.gather(*(recorder.record("k", {"n": n}) for n in range(1000)))
    await recorder.close()
    assert [log.records[receipt.seq][1]["n"] for receipt in receipts] == list(range(1000))
    assert len(log.batches) < 500
    assert log.closed
    assert log.checkpoints >= 1


async def test_a_failing_log_fails_its_waiters_and_recovers():
    """The error reaches the one who waits; the next record works again."""
    log = MemoryLog(fails=True)
    recorder = Recorder(log, SystemClock(), 0.01)
    with pytest.raises(BadEvidence, match="disk full"):
        await recorder.record("k", {})
    assert recorder.failed == "OSError"
    log.fails = False
    assert (await recorder.record("k", {})).seq == 0
    assert recorder.failed == ""
    await recorder.close()


async def test_queued_records_are_written_before_closing():
    """Nothing that was accepted is lost by a clean stop."""
    log = MemoryLog()
    recorder = Recorder(log, SystemClock(), 1)
    for n in range(10):
        recorder.enqueue("k", {"n": n})
    await recorder.close()
    assert len(log.records) == 10
