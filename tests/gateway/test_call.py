"""A call knows its path; pieces that nobody began to read are abandoned once, others only closed."""

import pytest

from bartizan.gateway.call import Call, Pieces


def test_the_path_is_the_target_without_its_query():
    """What follows the question mark is for the model server."""
    assert Call("GET", "/v1/models?limit=1", [], b"").path == "/v1/models"


@pytest.mark.parametrize(("begun", "abandoned"), [(False, 1), (True, 0)])
async def test_a_stream_that_nobody_reads_is_abandoned(begun, abandoned):
    """A generator that never ran cleans nothing up, so somebody else must."""
    told = []

    async def numbers():
        yield b"1"
        yield b"2"

    pieces = Pieces(numbers(), lambda: told.append("abandoned"))
    if begun:
        async for _ in pieces:
            break
    await pieces.close()
    assert len(told) == abandoned
