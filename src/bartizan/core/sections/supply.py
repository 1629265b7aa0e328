"""`[supply]`: the lock of approved artefacts, and who has to look before something gets into it."""

from typing import Annotated

from msgspec import Meta, Struct


class Supply(Struct, frozen=True, forbid_unknown_fields=True):
    """Admission of models, packages and agent parts."""

    lock_file: Annotated[str, Meta(min_length=1, description="The signed list of what is approved.")] = "bartizan.lock"
    key_file: Annotated[
        str, Meta(min_length=1, description="Private key that signs the lock; made on first use, mode 0600.")
    ] = "bartizan-data/supply.key"
    reviewers: Annotated[int, Meta(ge=0, le=9, description="People who must approve an ordinary artefact.")] = 1
    reviewers_critical: Annotated[
        int, Meta(ge=1, le=9, description="People who must approve what is critical: code, REVIEW, new abilities.")
    ] = 2
    reviewer_keys: Annotated[
        str,
        Meta(description="Folder of NAME.pub files; when set, an approval must be signed with that person's key."),
    ] = ""
    cooldown_hours: Annotated[
        float, Meta(ge=0, le=8760, description="Shortest time between proposal and admission.")
    ] = 0.0
