"""Conversations over HTTP: ids that cannot be guessed, owners, bounds, and ends."""

import pytest
from tests.mcp.http.conftest import standing

from bartizan.gateway.auth import Caller
from bartizan.mcp.http.heads import NotTaken
from bartizan.mcp.http.talks import Talks

ALICE, EVE = Caller("alice"), Caller("eve")


async def test_a_session_is_found_by_its_owner_at_its_server(tmp_path):
    """And by nobody else; after its end by nobody."""
    async with standing(tmp_path) as world:
        talks = Talks(world.behind.server.settings, world.behind.server.clock, world.records)
        id_, talk = await talks.begin(world.behind, ALICE)
        assert talks.find(id_, world.behind, ALICE) is talk
        for where, who in ((world.behind, EVE), (None, ALICE)):
            with pytest.raises(NotTaken):
                talks.find(id_, where, who)
        assert len(talks) == 1
        await talks.end(talk, "enough")
        with pytest.raises(NotTaken):
            talks.find(id_, world.behind, ALICE)
        assert len({(await talks.begin(world.behind, ALICE))[0] for _ in range(5)}) == 5
        await talks.close()
        assert len(talks) == 0


async def test_requests_without_a_session_share_one_conversation_per_caller(tmp_path):
    """And one is not another's."""
    async with standing(tmp_path) as world:
        talks = Talks(world.behind.server.settings, world.behind.server.clock, world.records)
        one = await talks.shared(world.behind, ALICE)
        assert await talks.shared(world.behind, ALICE) is one
        assert await talks.shared(world.behind, EVE) is not one
        assert (one.next_id(), one.next_id()) == (1, 2)
        await talks.close()
