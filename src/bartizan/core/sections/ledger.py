"""`[ledger]`: where evidence is kept and how often it is sealed."""

from typing import Annotated

from msgspec import Meta, Struct


class Ledger(Struct, frozen=True, forbid_unknown_fields=True):
    """The evidence: where it is kept and how often a checkpoint is signed."""

    directory: Annotated[str, Meta(min_length=1, description="Folder of the log, its key and its database.")] = (
        "bartizan-data/ledger"
    )
    database: Annotated[
        str,
        Meta(
            description="PostgreSQL URL for gateways on several machines (postgresql://…; the password is best in "
            "~/.pgpass); empty: a SQLite file in the folder."
        ),
    ] = ""
    schema: Annotated[
        str, Meta(min_length=1, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Schema of the log in that database.")
    ] = "bartizan_ledger"
    checkpoint_file: Annotated[
        str,
        Meta(
            min_length=1,
            description="Where signed checkpoints are written; best where the database's owner cannot write.",
        ),
    ] = "bartizan-data/checkpoints.txt"
    checkpoint_every_s: Annotated[
        float, Meta(gt=0, le=3600, description="Longest time between checkpoints while records arrive.")
    ] = 1.0
    origin: Annotated[
        str, Meta(min_length=1, pattern=r"^[^\s+]+$", description="Name of this log in its checkpoints.")
    ] = "bartizan.local/ledger"
