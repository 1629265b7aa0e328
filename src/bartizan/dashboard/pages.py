"""Renders the pages: values from the ledger and the panels into templates that escape everything."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from urllib.parse import quote, urlencode

import msgspec
from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, Response

from bartizan.core.clock import Clock
from bartizan.core.display import visible
from bartizan.core.errors import BadRequest, BartizanError, Refused
from bartizan.core.sections import Settings
from bartizan.dashboard.coverage import holes
from bartizan.dashboard.decisions import Decisions
from bartizan.dashboard.overview import checkpoint, lines, overview
from bartizan.dashboard.panels import Action, Item, Panel, readers
from bartizan.dashboard.people import Person, Role
from bartizan.dashboard.traffic import Wanted, listed, request
from bartizan.dashboard.visits import Visit, whole
from bartizan.ledger.log import Ledger, public_key_file
from bartizan.ledger.verify import Verified, verify

PAGE = 50


class Pages:
    """Makes answers. Whether the person may see them is decided before."""

    def __init__(self, ledger: Ledger, clock: Clock, panels: Sequence[Panel], settings: Settings) -> None:
        """Show `ledger` and `panels`; `settings` say which controls enforce."""
        self._ledger, self._clock, self._settings = ledger, clock, settings
        self._decisions = Decisions(ledger, clock)
        self._panels = {panel.name: panel for panel in panels}
        folder = files("bartizan.dashboard").joinpath("templates")
        sources = {one.name: one.read_text(encoding="utf-8") for one in folder.iterdir() if one.name.endswith(".html")}
        self._templates = Environment(
            autoescape=True, undefined=StrictUndefined, loader=DictLoader(sources), trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters.update(seen=visible, money=money, quoted=lambda text: quote(text, safe=""))

    async def page(self, template: str, visit: Visit, status: int = 200, **values: object) -> Response:
        """Return a rendered page."""
        shared = {"person": visit.person, "csrf": visit.csrf, "panels": self._readable(visit)}
        waiting = await asyncio.to_thread(self._waiting, visit) if visit.person else {}
        here = {"here": visit.request.url.path, "waiting": waiting}
        return HTMLResponse(self._templates.get_template(template).render({**shared, **here, **values}), status)

    async def problem(self, visit: Visit, status: int, error: BartizanError) -> Response:
        """Return a page that says what went wrong and what to do."""
        return await self.page("problem.html", visit, status, what=str(error), hint=error.hint())

    async def overview(self, visit: Visit) -> Response:
        """Return the first page."""
        seen = await asyncio.to_thread(overview, self._ledger, self._clock.wall_ns())
        return await self.page("overview.html", visit, seen=seen, holes=await asyncio.to_thread(holes, self._settings))

    async def traffic(self, visit: Visit) -> Response:
        """Return the list of requests."""
        before = visit.asked("before")
        below = whole(before, "before") if before else None
        wanted = Wanted(visit.asked("verdict"), visit.asked("caller"), visit.asked("model"), below)
        found = await asyncio.to_thread(listed, self._ledger, wanted)
        asked = {name: value for name in ("verdict", "caller", "model") if (value := getattr(wanted, name))}
        older = urlencode({**asked, "before": found.older}) if found.older is not None else ""
        return await self.page(
            "traffic.html", visit, rows=found.rows, wanted=wanted, older=older, query=urlencode(asked)
        )

    async def request(self, visit: Visit) -> Response:
        """Return one request."""
        one = await asyncio.to_thread(request, self._ledger, visit.number("seq"))
        return await self.page("request.html", visit, one=one)

    async def records(self, visit: Visit) -> Response:
        """Return a page of the audit log."""
        size = await asyncio.to_thread(self._ledger.size)
        asked = visit.asked("first")
        first = min(whole(asked, "first") if asked else max(0, size - PAGE), max(size - 1, 0))
        shown = lines(await asyncio.to_thread(self._ledger.entries, first, PAGE))
        return await self.page("records.html", visit, rows=shown, first=first, size=size, page=PAGE)

    async def proof(self, visit: Visit) -> Response:
        """Return what a browser needs to check one record against the last signed checkpoint (RFC 6962)."""
        return JSONResponse(await asyncio.to_thread(self._proof, visit.number("seq")))

    def _proof(self, seq: int) -> Mapping[str, object]:
        note = checkpoint(self._ledger)
        if note is None or seq >= note.size:
            raise BadRequest(f"record {seq}: no checkpoint covers it yet", hint="One is signed within a second.")
        entry = self._ledger.entries(seq, 1)[0]
        return {
            "seq": seq,
            "size": note.size,
            "record": base64.b64encode(msgspec.json.encode(entry.record)).decode(),
            "leaf": entry.leaf_hash.hex(),
            "path": [one.hex() for one in self._ledger.inclusion_proof(seq, note.size)],
            "root": note.root.hex(),
            "note": str(note),
            "key": public_key_file(self._ledger.checkpoint_file).read_text(encoding="utf-8").strip(),
        }

    async def verify(self, visit: Visit) -> Response:
        """Verify the whole ledger, record the outcome, and show it."""
        result: Verified = await asyncio.to_thread(verify, self._ledger.section)
        outcome = {"intact": result.intact, "records": result.records, "problems": len(result.problems)}
        await asyncio.to_thread(self._ledger.append, "verified", {**outcome, "who": visit.somebody().name})
        return await self.page("verified.html", visit, result=result)

    async def panel(self, visit: Visit) -> Response:
        """Return a page of things."""
        return await self._things(visit, self._known(visit), "")

    async def thing(self, visit: Visit) -> Response:
        """Return what is known about one thing."""
        panel, name = self._known(visit), visit.word("item")
        items = await asyncio.to_thread(_items, visit, panel)
        item = next((one for one in items if one.id == name), None)
        if item is None:
            raise BadRequest(f"{panel.title}: {name!r} is not there any more")
        parts = await asyncio.to_thread(panel.detail, name)
        firsts = await asyncio.to_thread(self._decisions.waiting, panel, [item])
        offered = _offered(panel, item, visit.somebody())
        return await self.page("thing.html", visit, panel=panel, item=item, parts=parts, offered=offered, firsts=firsts)

    async def decide(self, visit: Visit) -> Response:
        """Take a decision and show the things as they are then."""
        panel, form = self._known(visit), visit.form
        action, item = form.get("action", ""), form.get("item", "")
        decided = await asyncio.to_thread(self._decisions.decide, panel, action, item, visit.somebody(), form)
        return await self._things(visit, panel, decided.said)

    async def _things(self, visit: Visit, panel: Panel, said: str) -> Response:
        items = await asyncio.to_thread(_items, visit, panel)
        person = visit.somebody()
        new = [action for action in panel.actions if action.fields and action.new and person.rank() >= action.role]
        return await self.page("things.html", visit, panel=panel, items=items, said=said, new=new)

    def _known(self, visit: Visit) -> Panel:
        name = visit.word("panel")
        if name not in self._panels:
            raise BadRequest(f"there is no page called {name!r}")
        panel, person = self._panels[name], visit.somebody()
        if person.rank() < readers(panel):
            raise Refused(
                f"{panel.title}: needs the role {readers(panel).name.lower()}, {person.name} is {person.role}"
            )
        return panel

    def _readable(self, visit: Visit) -> Sequence[Panel]:
        """Return the pages that the visitor may see."""
        rank = visit.person.rank() if visit.person else 0
        return [panel for panel in self._panels.values() if rank >= readers(panel)]

    def _waiting(self, visit: Visit) -> dict[str, int]:
        """Return how many things wait for a reviewer, by panel; a panel that fails shows that on its own page."""
        counts = {}
        for panel in self._readable(visit):
            name = panel.name
            if any(action.role is Role.REVIEWER for action in panel.actions):
                try:
                    counts[name] = sum(1 for item in _items(visit, panel) if item.tone == "warn" and item.actions)
                except (BartizanError, OSError):
                    counts[name] = 0
        return counts


def _items(visit: Visit, panel: Panel) -> Sequence[Item]:
    """Return the things of a panel, which is asked once a request."""
    if panel.name not in visit.read:
        visit.read[panel.name] = panel.items()
    return visit.read[panel.name]


def _offered(panel: Panel, item: Item, person: Person) -> list[Action]:
    """Return what this person may do with this thing now."""
    may = [action for action in panel.actions if action.name in item.actions and person.rank() >= action.role]
    return [] if item.asked_by == person.name else may


def money(nano: int | None) -> str:
    """Return nano-dollars as dollars, with as many decimals as small sums need."""
    if nano is None:
        return "–"
    return f"${nano / 1e9:,.2f}" if nano >= 10**7 or nano == 0 else f"${nano / 1e9:.6f}"
