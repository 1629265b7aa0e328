"""`[data]`: where admitted data sets are kept, who may release rows, and the data set that T04's proof runs on."""

from typing import Annotated

from msgspec import Meta, Struct


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """Data set admission: the trusted store, the quarantine, the reviewers."""

    store: Annotated[
        str, Meta(min_length=1, description="Folder of the admitted data sets: all that training reads.")
    ] = "bartizan-data/data"
    quarantine: Annotated[
        str,
        Meta(min_length=1, description="Folder of rows that are not trusted yet; best where no training job can read."),
    ] = "bartizan-data/quarantine"
    origin: Annotated[
        str, Meta(min_length=1, pattern=r"^[^\s+]+$", description="Name of the key that signs manifests.")
    ] = "bartizan.local/data"
    key_file: Annotated[
        str, Meta(min_length=1, description="Private key that signs manifests; made on first use, mode 0600.")
    ] = "bartizan-data/data.key"
    dataset: Annotated[
        str,
        Meta(description="Labelled pictures (npz) that T04's proof poisons a copy of; empty means a small reference."),
    ] = ""
    label: Annotated[
        str, Meta(description="Array of the classes in data.dataset; empty means the only one that fits.")
    ] = ""
