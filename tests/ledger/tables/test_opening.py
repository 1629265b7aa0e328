"""Which database a log's rows are in, as the settings say."""

import pytest

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger.tables.opening import exists, must_exist, open_tables, where
from bartizan.ledger.tables.sqlite import DATABASE


def test_without_a_database_it_is_a_file_in_the_folder(tmp_path):
    """Made when missing; until then there is none."""
    section = Section(directory=str(tmp_path / "a" / "log"))
    assert not exists(section)
    with pytest.raises(BadEvidence, match="no ledger there"):
        must_exist(section)
    open_tables(section).close()
    assert (tmp_path / "a" / "log" / DATABASE).exists()
    must_exist(section)


def test_another_kind_of_url_is_refused(tmp_path):
    """With what was expected, and without what it was: it may hold a password."""
    with pytest.raises(BadSettings, match="postgresql://") as caught:
        open_tables(Section(directory=str(tmp_path), database="mysql://root:geheim@x/y"))
    assert "geheim" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_bad_evidence(tmp_path):
    """A file stands in the way."""
    (tmp_path / "log").write_text("")
    with pytest.raises(BadEvidence, match="cannot be opened"):
        open_tables(Section(directory=str(tmp_path / "log")))


def test_where_it_is_shows_no_password():
    """It is printed at start and stands in reports."""
    assert where(Section(directory="a/b")) == "a/b"
    assert where(Section(database="postgresql://u:geheim@h:5/d", schema="s")) == "h/d (schema s)"
