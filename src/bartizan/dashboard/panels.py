"""What a page of things with actions is made of. Whoever owns the things gives a `Panel`; the dashboard knows no other.

So the pages for keys, limits, approvals, artefacts and data sets are one piece of code, and one place asks who may do
what, with which reason, and whether a second person must agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bartizan.dashboard.people import Role


@dataclass(frozen=True, slots=True)
class Field:
    """A value that an action asks for."""

    name: str
    label: str
    value: str = ""
    choices: tuple[str, ...] = ()
    required: bool = True
    secret: bool = False
    """A password: never shown, never recorded."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person may do with a thing, or with the whole page when `fields` describe a new thing."""

    name: str
    label: str
    role: Role
    fields: tuple[Field, ...] = ()
    new: bool = False
    """Whether it makes a new thing: it then stands above the list and concerns no thing there is."""
    danger: bool = False
    """Shown as such."""
    usual: str = ""
    """What stands in the field for the reason already, where people decide the same way many times."""
    two_people: bool = False
    """Whether a second person must ask for the same before it happens, for things that are critical. Has no fields."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a page."""

    id: str
    cells: tuple[str, ...]
    """What is shown of it. The same as long as the thing is the same: two people agree to exactly this."""
    tone: str = ""
    """`good`, `warn`, `bad` or nothing."""
    actions: tuple[str, ...] = ()
    """Names of the actions that make sense for it now."""
    critical: bool = False
    """Whether what policy calls critical is at stake: then `two_people` actions need two."""
    asked_by: str = ""
    """Who wants it; that person may not decide on it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of what is known about one thing. Exactly one of text, rows, image and audio is given."""

    title: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    image: str = ""
    """A data: URI of a picture."""
    audio: str = ""
    """A data: URI of a sound."""


class Panel(Protocol):
    """A page of things."""

    @property
    def name(self) -> str:
        """Return the word in the address."""
        ...

    @property
    def title(self) -> str:
        """Return the heading, and the word in the navigation."""
        ...

    @property
    def about(self) -> str:
        """Return one sentence that says what the page shows."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the headings of the cells."""
        ...

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return everything that can be done here."""
        ...

    def items(self) -> Sequence[Item]:
        """Return the things, the most urgent first. Raises BartizanError."""
        ...

    def detail(self, item: str) -> Sequence[Part]:
        """Return what is known about one of them; nothing if there is no more than its cells."""
        ...

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Do it and return what happened, in a sentence; `values` holds `why` and the action's fields.

        `item` is empty for an action on the whole page. Raises BartizanError when it cannot be done.
        """
        ...


@runtime_checkable
class Restricted(Protocol):
    """A page that not everybody who is signed in may see."""

    @property
    def readers(self) -> Role:
        """Return the least role that may see it."""
        ...


def readers(panel: Panel) -> Role:
    """Return the least role that may see a page."""
    return panel.readers if isinstance(panel, Restricted) else Role.VIEWER
