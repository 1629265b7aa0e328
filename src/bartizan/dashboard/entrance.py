"""How people come in and go out: passwords, passkeys, the identity provider, the first admin.

Behind every door here the answer is the same for a name that nobody has as for a wrong password. Each sign-in, and each
that failed, is in the ledger with the address it came from.
"""

import asyncio
import secrets
from collections.abc import Sequence

from starlette.responses import RedirectResponse, Response

from bartizan.core.clock import Clock
from bartizan.core.errors import BartizanError, Refused
from bartizan.core.sections.dashboard import Dashboard as Section
from bartizan.dashboard import single_sign_on
from bartizan.dashboard.pages import Pages
from bartizan.dashboard.passkeys import Passkeys
from bartizan.dashboard.people import People, Person, Role
from bartizan.dashboard.sessions import Sessions, Throttle
from bartizan.dashboard.single_sign_on import SingleSignOn
from bartizan.dashboard.visits import Door, Visit
from bartizan.ledger.log import Ledger

COOKIE = "bartizan-session"


class Entrance:
    """Signs in and out."""

    def __init__(
        self, ledger: Ledger, people: People, clock: Clock, pages: Pages, section: Section, sso: SingleSignOn | None
    ) -> None:
        """Let in `people`, and whom `sso` vouches for. `setup_token` lets the first admin in while there is nobody."""
        self._ledger, self._people, self._pages, self._section, self._sso = ledger, people, pages, section, sso
        self.sessions = Sessions(clock, idle_s=60 * section.idle_minutes, longest_s=3600 * section.session_hours)
        self.throttle = Throttle(clock)
        self.passkeys = Passkeys(people, clock, section.passkey_host, https=section.https)
        self.setup_token = "" if people.everybody() else secrets.token_urlsafe(32)

    def doors(self) -> Sequence[Door]:
        """Return the addresses."""
        return (
            Door("/login", "GET", None, self._login_form),
            Door("/login", "POST", None, self._login),
            Door("/setup", "GET", None, self._setup_form),
            Door("/setup", "POST", None, self._setup),
            Door("/login/passkey/begin", "POST", None, self._ask_passkey),
            Door("/login/passkey", "POST", None, self._passkey),
            Door("/sso", "GET", None, self._leave),
            Door("/sso/return", "GET", None, self._come_back),
            Door("/logout", "POST", Role.VIEWER, self._logout),
        )

    def who(self, visit: Visit) -> Visit:
        """Return the visit with whom its cookie belongs to, if anybody."""
        session = self.sessions.find(visit.request.cookies.get(COOKIE, ""))
        person = (session.person or self._people.find(session.name)) if session else None
        return Visit(visit.request, person, session if person else None)

    async def _login_form(self, visit: Visit) -> Response:
        if not self._people.everybody() and self._sso is None:
            return await self._pages.page("welcome.html", visit)
        return await self._form(visit, local(visit.asked("next") or "/"), "")

    async def _form(self, visit: Visit, after: str, said: str, status: int = 200) -> Response:
        passkeys = self.passkeys.offered(visit.host) and any(one.passkeys for one in self._people.everybody())
        return await self._pages.page(
            "login.html", visit, status, next=after, said=said, sso=self._sso is not None, passkeys=passkeys
        )

    async def _login(self, visit: Visit) -> Response:
        name, address = visit.form.get("name", "")[:64], visit.address
        keys = (f"name {name}", f"address {address}")
        after = local(visit.form.get("next", "/"))
        wait = self.throttle.wait_s(*keys)
        if wait > 0:
            return await self._form(visit, after, f"Too many wrong passwords. Wait {wait:.0f} seconds.", 429)
        person = await asyncio.to_thread(self._people.check, name, visit.form.get("password", "")[:1024])
        if person is None:
            self.throttle.failed(*keys)
            await self._note("sign-in-failed", name=name, address=address)
            return await self._form(visit, after, "Name or password is wrong.", 401)
        self.throttle.passed(*keys)
        await self._note("signed-in", name=name, address=address)
        return self._signed_in(visit, person, after)

    async def _ask_passkey(self, visit: Visit) -> Response:
        """Return what the browser is asked, the same for everybody."""
        del visit
        return Response(self.passkeys.ask(), media_type="application/json")

    async def _passkey(self, visit: Visit) -> Response:
        """Sign in whose passkey answered."""
        key, after = f"passkey {visit.address}", local(visit.form.get("next", "/"))
        wait = self.throttle.wait_s(key)
        if wait > 0:
            return await self._form(visit, after, f"Too many tries. Wait {wait:.0f} seconds.", 429)
        try:
            person = await asyncio.to_thread(self.passkeys.check, visit.form.get("credential", ""), visit.host)
        except Refused as error:
            self.throttle.failed(key)
            await self._note("sign-in-failed", name="", address=visit.address, by="passkey")
            return await self._form(visit, after, str(error).capitalize() + ".", 401)
        self.throttle.passed(key)
        await self._note("signed-in", name=person.name, address=visit.address, by="passkey")
        return self._signed_in(visit, person, after)

    async def _leave(self, visit: Visit) -> Response:
        """Send the browser to the identity provider."""
        address, cookie = await self._provider().begin(local(visit.asked("next") or "/"))
        response = RedirectResponse(address, 303)
        # Lax: the browser comes back from another site, and must still show that it is the one that left.
        response.set_cookie(
            single_sign_on.COOKIE, cookie, max_age=single_sign_on.HOLDS_S, path="/sso/return",
            httponly=True, samesite="lax", secure=self._section.https,
        )  # fmt: skip
        return response

    async def _come_back(self, visit: Visit) -> Response:
        """Let in whom the identity provider vouches for.

        The answer is a page that goes on by itself, no redirect: what follows from another site carries no strict
        cookie, so a redirect would end at the sign-in page again.
        """
        query = visit.request.query_params
        cookie = visit.request.cookies.get(single_sign_on.COOKIE, "")
        try:
            if len({key for key, _ in query.multi_items()}) != len(query.multi_items()):
                raise Refused("an answer of an identity provider that says something twice")
            person, after = await self._provider().finish(query, cookie)
        except BartizanError as error:
            # What anybody can cause without a sign-in under way is not worth a record.
            if cookie:
                await self._note("sign-in-failed", name="", address=visit.address, by="oidc", why=str(error))
            raise
        await self._note("signed-in", name=person.name, address=visit.address, by="oidc", role=person.role)
        response = self._signed_in(visit, person, after, await self._pages.page("came-back.html", visit, after=after))
        response.delete_cookie(single_sign_on.COOKIE, path="/sso/return")
        return response

    def _provider(self) -> SingleSignOn:
        if self._sso is None:
            raise Refused("there is no identity provider here", hint="`[sso]` in bartizan.toml names one.")
        return self._sso

    async def _setup_form(self, visit: Visit) -> Response:
        self._must_have_token(visit.asked("token"))
        return await self._pages.page("setup.html", visit, token=self.setup_token)

    async def _setup(self, visit: Visit) -> Response:
        self._must_have_token(visit.form.get("token", ""))
        name = visit.form.get("name", "")
        await asyncio.to_thread(self._people.add, name, Role.ADMIN, visit.form.get("password", ""))
        self.setup_token = ""
        await self._note("person-added", name=name, role="admin", who="first run")
        person = self._people.find(name)
        if person is None:
            raise Refused(f"{name} was removed again meanwhile")
        return self._signed_in(visit, person, "/")

    def _must_have_token(self, given: str) -> None:
        right = secrets.compare_digest(given.encode(), self.setup_token.encode())
        if not self.setup_token or not right or self._people.everybody():
            raise Refused("the first sign-in needs the address that `bartizan dashboard` printed when it started")

    def _signed_in(self, visit: Visit, person: Person, after: str, response: Response | None = None) -> Response:
        if visit.session:
            self.sessions.end(visit.session.token)
        response = response or RedirectResponse(after, 303)
        token = self.sessions.begin(person).token
        secure = self._section.https
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
        return response

    async def _logout(self, visit: Visit) -> Response:
        if visit.session:
            self.sessions.end(visit.session.token)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def _note(self, kind: str, **body: str) -> None:
        await asyncio.to_thread(self._ledger.append, kind, body)


def local(path: str) -> str:
    """Return `path` if it leads to a page of ours, else the first page (no open redirect)."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path else "/"
