"""A request by somebody who may make it, as the pages get it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request

from bartizan.core.errors import BadRequest, Refused
from bartizan.dashboard.panels import Item
from bartizan.dashboard.people import Person
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


def whole(given: str, name: str) -> int:
    """Return a number that a browser sent. Raises BadRequest when it is none."""
    if not given.isdecimal() or not given.isascii() or len(given) > 18:
        raise BadRequest(f"{name} = {given[:40]!r}: expected the number of a record")
    return int(given)
