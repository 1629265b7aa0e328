"""A call is counted until its answer is there. Over HTTP: tests/mcp/http/test_door.py."""

import asyncio

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import UpstreamFailed
from bartizan.core.sections.limits import LimitRule, Limits
from bartizan.gateway.limits.files import Files
from bartizan.gateway.limits.limiter import Limiter
from bartizan.ledger.stores.memory import MemoryStore
from bartizan.mcp.limits import CallLimits


def limiter(folder, store, *rules):
    """What counts, in `store`."""
    limits = Limits(rules=rules, rules_file=str(folder / "none.json"), prices_file=str(folder / "none"))
    return Limiter(limits, Files(limits, StoppedClock()), store, StoppedClock())


async def test_a_slot_is_held_until_the_call_is_over(tmp_path):
    """Its answer, or the end of the conversation, frees it; who has no limit is not counted."""
    counting = limiter(tmp_path, MemoryStore(StoppedClock()), LimitRule("key:ann", "1 at once"))
    async with counting.running():
        ann, bob = (CallLimits(counting, (f"key:{name}",), "far") for name in ("ann", "bob"))
        assert await ann.begin(1, "read") == ""
        assert "(1 at once)" in await ann.begin(2, "read")
        assert await bob.begin(1, "read") == await bob.begin(2, "read") == ""
        ann.end(1)
        ann.end(1)
        await asyncio.sleep(0)  # what is settled is written down soon
        assert await ann.begin(3, "read") == ""
        ann.close()
        await asyncio.sleep(0)
        assert await ann.begin(4, "read") == ""


async def test_what_cannot_be_counted_does_not_happen(tmp_path):
    """A store that is away is no free pass, where a limit counts."""

    class Away(MemoryStore):
        async def admit(self, hold, lease_ms):
            raise UpstreamFailed("the store is away")

    counting = limiter(tmp_path, Away(StoppedClock()), LimitRule("tool:far__pay", "5 requests per minute"))
    async with counting.running():
        ann = CallLimits(counting, ("key:ann",), "far")
        assert "the operator has stopped this" in await ann.begin(1, "pay")
        assert await ann.begin(2, "read") == ""
