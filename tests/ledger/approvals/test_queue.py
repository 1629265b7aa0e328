"""What is particular to opening a queue; its promises are in contracts/test_every_approval_queue.py."""

from tests.doubles.servers import postgres_server

from bartizan.core.clock import StoppedClock
from bartizan.core.sections.approvals import Approvals
from bartizan.ledger.approvals.queue import Queue, new_id


def test_the_settings_name_a_file_or_a_server(tmp_path):
    """A file is made with its folder; a server's schema too."""
    clock, path = StoppedClock(), tmp_path / "a" / "q.sqlite"
    queue = Queue.configured(Approvals(database=str(path)), clock)
    assert queue.listed() == []
    queue.close()
    assert path.exists()
    server = Queue.configured(Approvals(database=postgres_server()), clock)
    assert server.listed() == []
    server.close()


def test_no_two_questions_share_an_id():
    """They are long enough not to be guessed."""
    assert len({new_id() for _ in range(1000)}) == 1000
    assert len(new_id()) == 12
