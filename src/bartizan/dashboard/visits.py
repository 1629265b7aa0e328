"""A request by somebody who may make it, as the pages get it; and the doors that lead to pages."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from bartizan.core.errors import BadRequest, Refused
from bartizan.dashboard.panels import Item
from bartizan.dashboard.people import Person, Role
from bartizan.dashboard.sessions import Session


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks for what. `person` is None only behind doors that are open to anybody."""

    request: Request
    person: Person | None = None
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    read: dict[str, Sequence[Item]] = field(default_factory=dict)
    """The things of each panel that was asked during this request, so that none is asked twice."""

    @property
    def csrf(self) -> str:
        """Return the token that every form of this session carries."""
        return self.session.csrf if self.session else ""

    @property
    def host(self) -> str:
        """Return the name and port under which the page was asked for, one of those that are ours."""
        return self.request.headers.get("host", "")

    @property
    def address(self) -> str:
        """Return where the request comes from."""
        return self.request.client.host if self.request.client else ""

    def somebody(self) -> Person:
        """Return who is signed in. Raises Refused when nobody is."""
        if self.person is None:
            raise Refused("nobody is signed in")
        return self.person

    def word(self, name: str) -> str:
        """Return a part of the address."""
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """Return a number in the address. Raises BadRequest when it is none."""
        return whole(self.word(name), name)

    def asked(self, name: str) -> str:
        """Return a value behind the question mark, at most 300 characters."""
        return self.request.query_params.get(name, "")[:300]


Page = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """One address: who may go through (None: anybody) and what is behind it."""

    path: str
    method: str
    role: Role | None
    page: Page


def whole(given: str, name: str) -> int:
    """Return a number that a browser sent. Raises BadRequest when it is none."""
    if not given.isdecimal() or not given.isascii() or len(given) > 18:
        raise BadRequest(f"{name} = {given[:40]!r}: expected the number of a record")
    return int(given)
