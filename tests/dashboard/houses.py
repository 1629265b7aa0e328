"""A small dashboard for tests: a ledger with some traffic, one person of each role, one panel of two things."""

from contextlib import contextmanager

from starlette.testclient import TestClient

from bartizan.core import settings as files
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest
from bartizan.dashboard.app import Dashboard
from bartizan.dashboard.panels import Action, Field, Item, Part
from bartizan.dashboard.people import People, Role
from bartizan.ledger.log import Ledger

PASSWORD = "correct horse battery"
BASE = "http://127.0.0.1:8788"
HOSTILE = "<script>alert(1)</script>\u202e"


class Shelf:
    """A panel over a dict: two artefacts, one of them critical and asked for by `rex`."""

    name, title, about, columns = "shelf", "Shelf", "Things on a shelf.", ("name", "state")
    actions = (
        Action("add", "Add", Role.OPERATOR, (Field("name", "Name"), Field("kind", "Kind", "a", ("a", "b"))), new=True),
        Action("release", "Release", Role.REVIEWER, two_people=True),
        Action("break", "Break", Role.REVIEWER, danger=True),
    )

    def __init__(self):
        """Put two things there."""
        self.things = {"plain": "waits", "critical": "waits", HOSTILE: "done"}
        self.done = []
        self.asked = 0

    def items(self):
        """Return the things."""
        self.asked += 1
        return [
            Item(
                name,
                (name, state),
                "warn" if state == "waits" else "",
                ("release", "break") if state == "waits" else (),
                critical=name == "critical",
                asked_by="rex" if name == "plain" else "",
            )
            for name, state in self.things.items()
        ]

    def detail(self, item):
        """Return one text, one table, one picture, one sound."""
        return (
            Part("Text", HOSTILE),
            Part("Rows", rows=(("a", HOSTILE),)),
            Part("Picture", image="data:image/png;base64,AAAA"),
            Part("Sound", audio="data:audio/wav;base64,AAAA"),
        )

    def act(self, action, item, who, values):
        """Change a thing; breaking always fails."""
        if action == "break":
            raise BadRequest("it does not break")
        self.things[item or values["name"]] = "done"
        self.done.append((action, item, who, values["why"]))
        return f"{action} of {item or values['name']} done"


class Drawer(Shelf):
    """A panel that only reviewers see."""

    name, title, readers = "drawer", "Drawer", Role.REVIEWER


class House:
    """Everything a test needs of a dashboard."""

    def __init__(self, folder, *, clock=None, **dashboard):
        """Build it in `folder`."""
        self.clock = clock or StoppedClock()
        self.ledger = Ledger.open(folder / "log", origin="t", clock=self.clock, checkpoint_file=folder / "c.txt")
        self.people = People(folder / "people.json", self.clock)
        self.shelf, self.drawer = Shelf(), Drawer()
        lines = [f"{key} = {files.toml_value(value)}" for key, value in dashboard.items()]
        keys = f'[gateway]\nkeys_file = "{folder}/keys.json"\n[limits]\nrules_file = "{folder}/rules.json"\n'
        self.settings = files.parse("\n".join([keys, "[dashboard]", *lines]))

    def with_people(self):
        """Add one person of each role, called by its first letters: vic, rex, ola, ann."""
        for name, role in (("vic", Role.VIEWER), ("rex", Role.REVIEWER), ("ola", Role.OPERATOR), ("ann", Role.ADMIN)):
            self.people.add(name, role, PASSWORD)
        return self

    def dashboard(self):
        """Return the dashboard."""
        return Dashboard(self.ledger, self.people, self.clock, (self.shelf, self.drawer), self.settings)

    @contextmanager
    def browser(self, app=None, base=BASE):
        """Open a browser that keeps cookies and does not follow redirects."""
        with TestClient(app or self.dashboard().app(), base_url=base, follow_redirects=False) as client:
            yield client


def sign_in(client, name, password=PASSWORD):
    """Sign in and return the answer."""
    client.cookies.clear()
    return client.post("/login", data={"name": name, "password": password, "next": "/"})


def token(client, path="/"):
    """Return the token that the forms of a page carry."""
    page = client.get(path).text
    return page.partition('name="csrf" value="')[2].partition('"')[0]
