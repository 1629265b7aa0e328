"""A person's own account: the passkeys. To make one the password is asked for again, so that a session left open at a
desk cannot be turned into a way in that stays.
"""

import asyncio
import datetime
from collections.abc import Sequence

from starlette.responses import Response

from bartizan.core.errors import BadRequest, Refused
from bartizan.dashboard.pages import Pages
from bartizan.dashboard.passkeys import Passkeys
from bartizan.dashboard.people import People, Person, Role
from bartizan.dashboard.sessions import Throttle
from bartizan.dashboard.visits import Door, Visit
from bartizan.ledger.log import Ledger

_LONGEST_LABEL = 64


class Account:
    """The page of whoever looks at it."""

    def __init__(self, ledger: Ledger, people: People, pages: Pages, passkeys: Passkeys, throttle: Throttle) -> None:
        """Change `people`; wrong passwords count where those of the sign-in count."""
        self._ledger, self._people, self._pages = ledger, people, pages
        self._passkeys, self._throttle = passkeys, throttle

    def doors(self) -> Sequence[Door]:
        """Return the addresses."""
        return (
            Door("/account", "GET", Role.VIEWER, self._show),
            Door("/account/passkeys/begin", "POST", Role.VIEWER, self._begin),
            Door("/account/passkeys", "POST", Role.VIEWER, self._add),
            Door("/account/passkeys/remove", "POST", Role.VIEWER, self._remove),
        )

    async def _show(self, visit: Visit, said: str = "") -> Response:
        person = self._people.find(visit.somebody().name)
        offered = self._passkeys.offered(visit.host)
        host = self._passkeys.host
        why_not = f"Passkeys belong to the name {host}: open this page under it." if host and not offered else ""
        shown = [
            {"id": one.id, "label": one.label, "since": f"{_day(one.created_ns):%Y-%m-%d}"}
            for one in (person.passkeys if person else ())
        ]
        return await self._pages.page(
            "account.html", visit, passkeys=shown, outside=person is None, offered=offered, why_not=why_not, said=said
        )

    async def _begin(self, visit: Visit) -> Response:
        """Check the password once more and return what the browser is asked."""
        name = self._own(visit).name
        keys = (f"name {name}",)
        if self._throttle.wait_s(*keys) > 0:
            return Response("too many tries", 429)
        person = await asyncio.to_thread(self._people.check, name, visit.form.get("password", "")[:1024])
        if person is None:
            self._throttle.failed(*keys)
            raise BadRequest("the password is wrong")
        self._throttle.passed(*keys)
        return Response(self._passkeys.ask_new(person, _session(visit)), media_type="application/json")

    async def _add(self, visit: Visit) -> Response:
        person, label = self._own(visit), visit.form.get("label", "").strip()
        if not label or len(label) > _LONGEST_LABEL or not label.isprintable():
            raise BadRequest(f"a passkey called {label[:80]!r}: expected 1 to {_LONGEST_LABEL} printable characters")
        answer = visit.form.get("credential", "")
        await asyncio.to_thread(self._passkeys.add, person, _session(visit), answer, label, visit.host)
        await self._note("passkey-added", name=person.name, label=label)
        return await self._show(visit, f"{label} signs you in from now on")

    async def _remove(self, visit: Visit) -> Response:
        person, named = self._own(visit), visit.form.get("id", "")
        label = await asyncio.to_thread(self._people.remove_passkey, person.name, named)
        await self._note("passkey-removed", name=person.name, label=label, who=person.name)
        return await self._show(visit, f"{label} signs nobody in any more")

    def _own(self, visit: Visit) -> Person:
        """Return the visitor's account. Raises Refused for somebody who has none here."""
        person = self._people.find(visit.somebody().name)
        if person is None:
            raise Refused("you come in by the identity provider: passkeys are its matter")
        return person

    async def _note(self, kind: str, **body: str) -> None:
        await asyncio.to_thread(self._ledger.append, kind, body)


def _session(visit: Visit) -> str:
    return visit.session.token if visit.session else ""


def _day(ns: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(ns / 1e9, tz=datetime.UTC)
