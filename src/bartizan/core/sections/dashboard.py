"""`[dashboard]`: where the pages are served and how long a person stays signed in."""

from typing import Annotated

from msgspec import Meta, Struct


class Dashboard(Struct, frozen=True, forbid_unknown_fields=True):
    """The web pages: where they listen, under which names, and for how long a sign-in lasts."""

    host: Annotated[
        str, Meta(min_length=1, description="Address to listen on; put a TLS proxy in front before it is not loopback.")
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 picks a free one.")] = 8788
    names: Annotated[
        tuple[str, ...], Meta(min_length=1, description="Host names the pages answer to; another is refused.")
    ] = ("127.0.0.1", "localhost", "[::1]")
    https: Annotated[
        bool, Meta(description="Whether a TLS proxy stands in front: the session cookie is then sent over TLS only.")
    ] = False
    people_file: Annotated[str, Meta(min_length=1, description="Who may sign in, with which role.")] = (
        "bartizan-data/people.json"
    )
    passkey_host: Annotated[
        str,
        Meta(description="Host name that passkeys belong to; pages under another offer none. Empty: no passkeys."),
    ] = "localhost"
    idle_minutes: Annotated[float, Meta(gt=0, le=1440, description="Signed out after this long without a request.")] = (
        60.0
    )
    session_hours: Annotated[float, Meta(gt=0, le=168, description="Signed out after this long in any case.")] = 12.0
