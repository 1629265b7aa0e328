"""The web pages: who may see them, what they show, what is decided on them. Every answer passes `_guarded`.

One guard does what every page needs: host name, session, role, and for whatever changes something a token of the
session and an origin of our own (OWASP CSRF cheat sheet). Nothing is loaded from elsewhere; no script or style stands
in a page.
"""

import asyncio
import dataclasses
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bartizan.core.clock import Clock
from bartizan.core.errors import BadEvidence, BadRequest, BadSettings, BartizanError, Refused
from bartizan.core.sections import Settings
from bartizan.dashboard.pages import Pages
from bartizan.dashboard.panels import Panel
from bartizan.dashboard.people import People, Role
from bartizan.dashboard.sessions import Session, Sessions, Throttle
from bartizan.dashboard.visits import Visit
from bartizan.ledger.log import Ledger

_log = logging.getLogger("bartizan.dashboard")
COOKIE = "bartizan-session"
_MOST_FORM = 65536
_STATIC = {"style.css": "text/css", "htmx.min.js": "text/javascript", "verify.js": "text/javascript"}
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; media-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer a browser sends `Origin: null` with our own forms
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_STATUS: tuple[tuple[type[BartizanError], int], ...] = ((Refused, 403), (BadRequest, 400), (BadSettings, 400))


Page = Callable[[Visit], Awaitable[Response]]


@dataclasses.dataclass(frozen=True, slots=True)
class Door:
    """One address: who may go through (None: anybody) and what is behind it."""

    path: str
    method: str
    role: Role | None
    page: Page


class Dashboard:
    """The pages over one ledger."""

    def __init__(
        self, ledger: Ledger, people: People, clock: Clock, panels: Sequence[Panel], settings: Settings
    ) -> None:
        """Show `ledger` and `panels` to `people`. `setup_token` lets the first admin in while there is nobody."""
        self._settings = settings.dashboard
        self._people, self._clock, self._ledger = people, clock, ledger
        self._sessions = Sessions(
            clock, idle_s=60 * self._settings.idle_minutes, longest_s=3600 * self._settings.session_hours
        )
        self._throttle = Throttle(clock)
        self._pages = Pages(ledger, clock, panels, settings)
        self.setup_token = "" if people.everybody() else secrets.token_urlsafe(32)

    def doors(self) -> list[Door]:
        """Return every address with the role it needs. A test walks through each as each role."""
        pages, viewer = self._pages, Role.VIEWER
        return [
            Door("/login", "GET", None, self._login_form),
            Door("/login", "POST", None, self._login),
            Door("/setup", "GET", None, self._setup_form),
            Door("/setup", "POST", None, self._setup),
            Door("/logout", "POST", viewer, self._logout),
            Door("/", "GET", viewer, pages.overview),
            Door("/traffic", "GET", viewer, pages.traffic),
            Door("/traffic/{seq}", "GET", viewer, pages.request),
            Door("/records", "GET", viewer, pages.records),
            Door("/records/{seq}/proof.json", "GET", viewer, pages.proof),
            Door("/verify", "POST", viewer, pages.verify),
            Door("/things/{panel}", "GET", viewer, pages.panel),
            Door("/things/{panel}/{item:path}", "GET", viewer, pages.thing),
            Door("/things/{panel}", "POST", Role.REVIEWER, pages.decide),
        ]

    def app(self) -> Starlette:
        """Return the application."""
        routes = [Route(door.path, self._guarded(door), methods=[door.method]) for door in self.doors()]
        routes.append(Route("/static/{name}", _static))
        names = list(self._settings.names)
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=names)
        return Starlette(routes=routes, middleware=[hosts], exception_handlers={404: self._missing})

    async def _missing(self, request: Request, _: Exception) -> Response:
        said = BadRequest("There is no page here.", hint="The first page has links to all there are.")
        response = await self._pages.problem(Visit(request), 404, said)
        response.headers.update(HEADERS)
        return response

    def _guarded(self, door: Door) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            session = self._sessions.find(request.cookies.get(COOKIE, ""))
            visit = Visit(request)
            try:
                person = self._people.find(session.name) if session else None
                visit = Visit(request, person, session if person else None)
                form = await _form(request) if door.method == "POST" else {}
                if door.role is not None and person is None:
                    back = quote(request.url.path) if door.method == "GET" else "/"
                    return RedirectResponse(f"/login?next={back}", 303, headers=HEADERS)
                if door.method == "POST":
                    _must_be_ours(request, session if door.role is not None else None, form)
                if person is not None and door.role is not None and person.rank() < door.role:
                    raise Refused(f"this needs the role {door.role.name.lower()}; {person.name} is {person.role}")
                response = await door.page(dataclasses.replace(visit, form=form))
            except BadEvidence as error:
                response = await self._pages.problem(visit, 500, error)
            except BartizanError as error:
                status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
                response = await self._pages.problem(visit, status, error)
            except Exception:  # noqa: BLE001 - whoever looks gets a page and no stack trace, the log gets both
                _log.exception("%s %s", door.method, request.url.path)
                ours = BartizanError(
                    "This page failed; that is a bug of ours.", hint="The log of the dashboard has it."
                )
                response = await self._pages.problem(Visit(request), 500, ours)
            response.headers.update(HEADERS)
            return response

        return answer

    async def _login_form(self, visit: Visit) -> Response:
        if not self._people.everybody():
            return await self._pages.page("welcome.html", visit)
        return await self._pages.page("login.html", visit, next=_local(visit.asked("next") or "/"), said="")

    async def _login(self, visit: Visit) -> Response:
        name, address = visit.form.get("name", "")[:64], visit.request.client.host if visit.request.client else ""
        keys = (f"name {name}", f"address {address}")
        after = _local(visit.form.get("next", "/"))
        wait = self._throttle.wait_s(*keys)
        if wait > 0:
            said = f"Too many wrong passwords. Wait {wait:.0f} seconds."
            return await self._pages.page("login.html", visit, 429, next=after, said=said)
        person = await asyncio.to_thread(self._people.check, name, visit.form.get("password", "")[:1024])
        if person is None:
            self._throttle.failed(*keys)
            await self._note("sign-in-failed", name=name, address=address)
            said = "Name or password is wrong."
            return await self._pages.page("login.html", visit, 401, next=after, said=said)
        self._throttle.passed(*keys)
        await self._note("signed-in", name=name, address=address)
        return self._signed_in(visit, person.name, after)

    async def _setup_form(self, visit: Visit) -> Response:
        self._must_have_token(visit.asked("token"))
        return await self._pages.page("setup.html", visit, token=self.setup_token)

    async def _setup(self, visit: Visit) -> Response:
        self._must_have_token(visit.form.get("token", ""))
        name = visit.form.get("name", "")
        await asyncio.to_thread(self._people.add, name, Role.ADMIN, visit.form.get("password", ""))
        self.setup_token = ""
        await self._note("person-added", name=name, role="admin", who="first run")
        return self._signed_in(visit, name, "/")

    def _must_have_token(self, given: str) -> None:
        if not self.setup_token or given != self.setup_token or self._people.everybody():
            raise Refused("the first sign-in needs the address that `bartizan dashboard` printed when it started")

    def _signed_in(self, visit: Visit, name: str, after: str) -> Response:
        if visit.session:
            self._sessions.end(visit.session.token)
        response = RedirectResponse(after, 303)
        token = self._sessions.begin(name).token
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=self._settings.https, path="/")
        return response

    async def _logout(self, visit: Visit) -> Response:
        if visit.session:
            self._sessions.end(visit.session.token)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def _note(self, kind: str, **body: str) -> None:
        await asyncio.to_thread(self._ledger.append, kind, body)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form. Raises BadRequest for another content type or too much of it."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise BadRequest("expected a form")
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > _MOST_FORM:
            raise BadRequest(f"a form of more than {_MOST_FORM} bytes")
    try:
        return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=100, errors="strict"))
    except ValueError as error:
        raise BadRequest(f"a form that cannot be read: {error}") from error


def _must_be_ours(request: Request, session: Session | None, form: Mapping[str, str]) -> None:
    """Refuse what another site made the browser send."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    if site not in ("same-origin", "none") or (origin and urlsplit(origin).netloc != request.headers.get("host")):
        raise Refused("this was sent by another site")
    if session is not None and form.get("csrf") != session.csrf:
        raise Refused("the form is out of date: go back, reload the page and try again")


def _local(path: str) -> str:
    """Return `path` if it leads to a page of ours, else the first page (no open redirect)."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path else "/"


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("not found", 404)
    data = files("bartizan.dashboard").joinpath("static", name).read_bytes()
    headers = {**HEADERS, "cache-control": "max-age=3600"}
    return Response(data, media_type=_STATIC[name], headers=headers)
