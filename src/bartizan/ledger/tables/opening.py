"""Opens the tables of the log that the settings name."""

from pathlib import Path

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger.database import shown
from bartizan.ledger.tables.base import Tables
from bartizan.ledger.tables.postgres import PostgresTables
from bartizan.ledger.tables.sqlite import DATABASE, SqliteTables

_SERVERS = ("postgresql://", "postgres://")


def open_tables(section: Section) -> Tables:
    """Return the tables; a folder and its file are made when missing. Raises BadSettings, BadEvidence."""
    folder = Path(section.directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadEvidence(f"the ledger in {folder} cannot be opened: {error}") from error
    if not section.database:
        return SqliteTables(folder)
    if section.database.startswith(_SERVERS):
        return PostgresTables(section.database, section.schema)
    raise BadSettings(f"ledger.database: expected nothing or a URL that starts with {_SERVERS[0]}")


def exists(section: Section) -> bool:
    """Return whether there is a log, without starting one; a database that is named is taken to hold one."""
    return bool(section.database) or (Path(section.directory) / DATABASE).exists()


def must_exist(section: Section) -> None:
    """Raise BadEvidence unless there is a log: reading must not start an empty one."""
    if not exists(section):
        raise BadEvidence(
            f"{section.directory}: no ledger there", hint="Name its folder with --directory or in bartizan.toml."
        )


def where(section: Section) -> str:
    """Return where the rows are, as people read it, without a password."""
    return shown(section.database, section.schema) if section.database else section.directory
