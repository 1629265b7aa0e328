"""The shipped doubles keep the interfaces they stand for."""

from bartizan.gateway.testing import MemoryLog, StubUpstream


async def test_the_stub_keeps_what_it_was_sent():
    """And answers as scripted."""
    stub = StubUpstream((b"a", b"b"))
    given = await stub.send("POST", "/x", [], b"q")
    assert [await given.read() for _ in range(3)] == [b"a", b"b", b""]
    assert stub.sent == [("POST", "/x", [], b"q")]


def test_the_memory_log_numbers_its_records():
    """Receipts count from zero."""
    assert [receipt.seq for receipt in MemoryLog().append_many([("k", {}), ("k", {})])] == [0, 1]
