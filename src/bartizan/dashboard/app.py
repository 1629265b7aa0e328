"""The web pages: who may see them, what they show, what is decided on them. Every answer passes `_guarded`.

One guard does what every page needs: host name, session, role, and for whatever changes something a token of the
session and an origin of our own (OWASP CSRF cheat sheet). Nothing is loaded from elsewhere; no script or style stands
in a page.
"""

import dataclasses
import logging
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
from bartizan.core.errors import BadEvidence, BadRequest, BadSettings, BartizanError, Refused, UpstreamFailed
from bartizan.core.sections import Settings
from bartizan.dashboard.account import Account
from bartizan.dashboard.entrance import Entrance
from bartizan.dashboard.pages import Pages
from bartizan.dashboard.panels import Panel
from bartizan.dashboard.people import People, Role
from bartizan.dashboard.sessions import Session
from bartizan.dashboard.single_sign_on import SingleSignOn
from bartizan.dashboard.visits import Door, Visit
from bartizan.ledger.log import Ledger

_log = logging.getLogger("bartizan.dashboard")
_MOST_FORM = 65536
_STATIC = {"style.css": "text/css", "htmx.min.js": "text/javascript", "verify.js": "text/javascript",
           "passkeys.js": "text/javascript"}  # fmt: skip
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; media-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer a browser sends `Origin: null` with our own forms
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_STATUS: tuple[tuple[type[BartizanError], int], ...] = (
    (Refused, 403),
    (BadRequest, 400),
    (BadSettings, 400),
    (UpstreamFailed, 502),
)


class Dashboard:
    """The pages over one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        people: People,
        clock: Clock,
        panels: Sequence[Panel],
        settings: Settings,
        *,
        sso: SingleSignOn | None = None,
    ) -> None:
        """Show `ledger` and `panels` to `people`, and to whom `sso` vouches for."""
        self._names = settings.dashboard.names
        self._pages = Pages(ledger, clock, panels, settings)
        self._entrance = Entrance(ledger, people, clock, self._pages, settings.dashboard, sso)
        self._account = Account(ledger, people, self._pages, self._entrance.passkeys, self._entrance.throttle)

    @property
    def setup_token(self) -> str:
        """Return what lets the first admin in; nothing once there is somebody."""
        return self._entrance.setup_token

    def doors(self) -> list[Door]:
        """Return every address with the role it needs. A test walks through each as each role."""
        pages, viewer = self._pages, Role.VIEWER
        return [
            *self._entrance.doors(),
            *self._account.doors(),
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
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=list(self._names))
        return Starlette(routes=routes, middleware=[hosts], exception_handlers={404: self._missing})

    async def _missing(self, request: Request, _: Exception) -> Response:
        said = BadRequest("There is no page here.", hint="The first page has links to all there are.")
        response = await self._pages.problem(Visit(request), 404, said)
        response.headers.update(HEADERS)
        return response

    def _guarded(self, door: Door) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visit = Visit(request)
            try:
                visit = self._entrance.who(visit)
                person = visit.person
                form = await _form(request) if door.method == "POST" else {}
                if door.role is not None and person is None:
                    back = quote(request.url.path) if door.method == "GET" else "/"
                    return RedirectResponse(f"/login?next={back}", 303, headers=HEADERS)
                if door.method == "POST":
                    _must_be_ours(request, visit.session if door.role is not None else None, form)
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


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("not found", 404)
    data = files("bartizan.dashboard").joinpath("static", name).read_bytes()
    headers = {**HEADERS, "cache-control": "max-age=3600"}
    return Response(data, media_type=_STATIC[name], headers=headers)
