"""One schema of a database, made when it is missing. What its users share is tested with them too."""

import threading
import uuid

import pytest
from tests.doubles.servers import postgres_server

from bartizan.core.errors import BadEvidence
from bartizan.ledger.database import Database, shown


class Notes(Database):
    """One table."""

    what, last_made = "notes", "note"
    schema = "CREATE SCHEMA IF NOT EXISTS {space}; CREATE TABLE IF NOT EXISTS {space}.note (text text)"

    def write(self, text):
        """Add a note."""
        with self._errors("written"):
            self._connected().execute("INSERT INTO note VALUES (%s)", (text,))

    def read(self):
        """Return all notes."""
        with self._errors("read"):
            return [text for (text,) in self._connected().execute("SELECT text FROM note ORDER BY text")]


def test_a_schema_is_made_once_and_kept_apart_from_others():
    """Its statements need not name it; opening it again changes nothing."""
    space, other = f"t{uuid.uuid4().hex}", f"t{uuid.uuid4().hex}"
    first = Notes(postgres_server(), space)
    first.write("a")
    second, apart = Notes(postgres_server(), space), Notes(postgres_server(), other)
    assert (second.read(), apart.read()) == (["a"], [])
    for one in (first, second, apart):
        one.close()
        one.close()


def test_several_that_open_it_at_once_make_it_together():
    """As replicas that start in the same moment."""
    space, failed = f"t{uuid.uuid4().hex}", []

    def start(number):
        try:
            notes = Notes(postgres_server(), space)
            notes.write(str(number))
            notes.close()
        except BadEvidence as error:
            failed.append(error)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    notes = Notes(postgres_server(), space)
    assert notes.read() == [str(number) for number in range(6)]
    notes.close()


def test_an_error_names_the_part_and_the_place_without_the_password():
    """What cannot be reached, and by which name."""
    with pytest.raises(BadEvidence, match=r"the notes in 127\.0\.0\.1/none \(schema s\) cannot be opened") as caught:
        Notes("postgresql://somebody:geheim@127.0.0.1:1/none", "s")
    assert "geheim" not in str(caught.value)
    assert shown("postgresql:///here", "s") == "local/here (schema s)"
