"""The pages for API keys and for the people who may sign in."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bartizan.cli.noting import note
from bartizan.core.clock import Clock
from bartizan.core.errors import BadRequest
from bartizan.core.sections import Settings
from bartizan.dashboard.panels import Action, Field, Item, Part
from bartizan.dashboard.people import People, Role
from bartizan.gateway.grants import Grant
from bartizan.gateway.keys import Key, KeyBook

ROLES = tuple(role.name.lower() for role in Role)
_OVERLAP_HOURS = 24.0


@dataclass(frozen=True)
class Keys:
    """API keys: who may call, until when, with what."""

    settings: Settings
    clock: Clock
    name: str = "keys"
    title: str = "Keys"
    about: str = "Who may call the gateway. A key's text is shown once, when it is made."
    columns: tuple[str, ...] = ("name", "id", "state", "counts for", "models", "expires (UTC)")
    actions: tuple[Action, ...] = (
        Action(
            "create",
            "New key",
            Role.OPERATOR,
            (
                Field("name", "Who it is for"),
                Field("days", "Days until it expires", "90"),
                Field("models", "Models, as patterns with *, separated by spaces", "*"),
                Field("team", "Team whose limits it counts for too", required=False),
            ),
            new=True,
        ),
        Action("rotate", "Rotate: a second secret; the old one works a day longer", Role.OPERATOR),
        Action("revoke", "Revoke at once", Role.OPERATOR, danger=True),
    )

    def items(self) -> Sequence[Item]:
        """Return the keys, the live ones first."""
        now = self.clock.wall_ns()
        keys = sorted(self._book().keys(), key=lambda key: (key.state(now) != "live", key.name, key.id))
        return [self._item(key, now) for key in keys]

    def detail(self, item: str) -> Sequence[Part]:
        """Return what the key may do."""
        key = {key.id: key for key in self._book().keys()}[item]  # noqa: SIM118 - a book, no dict
        rows = [(name.replace("_", " "), _read(getattr(key.grant, name))) for name in key.grant.__struct_fields__]
        return (Part("What it may do", rows=tuple(rows)),)

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Make, rotate or revoke a key."""
        book = self._book()
        if action == "create":
            days = number(values["days"], "Days", 1, 3650)
            grant = Grant(models=tuple(values["models"].split()))
            key, text = book.create(values["name"], days=days, grant=grant, owners={"team": values.get("team", "")})
            note(self.settings, "key-created", key=key.id, name=key.name, expires_ns=key.expires_ns, who=who)
            return f"Key {key.id}. Copy it now, it is shown once: {text}"
        if action == "rotate":
            text = book.rotate(item, overlap_hours=_OVERLAP_HOURS)
            note(self.settings, "key-rotated", key=item, overlap_hours=_OVERLAP_HOURS, who=who)
            return f"Copy it now, it is shown once: {text}"
        book.revoke(item)
        note(self.settings, "key-revoked", key=item, who=who)
        return f"{item} is revoked"

    def _item(self, key: Key, now: int) -> Item:
        state = key.state(now)
        expires = datetime.datetime.fromtimestamp(key.expires_ns / 1e9, tz=datetime.UTC)
        counts = ", ".join(key.scopes()) or "itself"
        cells = (key.name, key.id, state, counts, " ".join(key.grant.models), f"{expires:%Y-%m-%d}")
        return Item(key.id, cells, "" if state == "live" else "soft", ("rotate", "revoke") if state == "live" else ())

    def _book(self) -> KeyBook:
        return KeyBook(Path(self.settings.gateway.keys_file), self.clock)


@dataclass(frozen=True)
class Who:
    """The people who may sign in, and their roles."""

    settings: Settings
    clock: Clock
    name: str = "people"
    title: str = "People"
    about: str = "Who may sign in here. A viewer reads, a reviewer decides, an operator changes limits and keys."
    columns: tuple[str, ...] = ("name", "role", "passkeys", "since (UTC)")
    actions: tuple[Action, ...] = (
        Action(
            "add",
            "Add a person",
            Role.ADMIN,
            (
                Field("name", "Name"),
                Field("role", "Role", "viewer", ROLES),
                Field("password", "First password, 12 characters or more", secret=True),
            ),
            new=True,
        ),
        Action("role", "Another role", Role.ADMIN, (Field("role", "Role", "viewer", ROLES),)),
        Action("forget", "Take all passkeys away: a device was lost", Role.ADMIN),
        Action("remove", "Remove", Role.ADMIN, danger=True),
    )

    def items(self) -> Sequence[Item]:
        """Return everybody by name."""
        rows = []
        for one in self._people().everybody():
            since = datetime.datetime.fromtimestamp(one.created_ns / 1e9, tz=datetime.UTC)
            actions = ("role", "forget", "remove") if one.passkeys else ("role", "remove")
            cells = (one.name, one.role, str(len(one.passkeys)), f"{since:%Y-%m-%d}")
            rows.append(Item(one.name, cells, "", actions))
        return rows

    def detail(self, item: str) -> Sequence[Part]:
        """Return nothing more."""
        return ()

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Add a person, change a role, take passkeys away, or remove somebody."""
        people = self._people()
        if action == "add":
            people.add(values["name"], Role[values["role"].upper()], values["password"])
            note(self.settings, "person-added", name=values["name"], role=values["role"], who=who)
            return f"{values['name']} may sign in as {values['role']}"
        if action == "role":
            people.promote(item, Role[values["role"].upper()])
            note(self.settings, "person-changed", name=item, role=values["role"], who=who)
            return f"{item} is {values['role']} now"
        if action == "forget":
            gone = people.forget_passkeys(item)
            note(self.settings, "passkeys-forgotten", name=item, count=gone, who=who)
            return f"{gone} passkeys of {item} sign nobody in any more"
        people.remove(item)
        note(self.settings, "person-removed", name=item, who=who)
        return f"{item} may not sign in any more"

    def _people(self) -> People:
        return People(Path(self.settings.dashboard.people_file), self.clock)


def _read(value: object) -> str:
    """Return what a grant says, in words."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "no limit of its own"
        case tuple():
            return ", ".join(map(str, value)) or "none named"
        case _:
            return str(value)


def number(given: str, what: str, low: float, high: float) -> float:
    """Return a number that a person typed. Raises BadRequest when it is none or out of range."""
    try:
        value = float(given)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise BadRequest(f"{what} = {given[:40]!r}: expected a number from {low:g} to {high:g}")
    return value
