"""Sign-in at an identity provider: what is remembered between leaving and coming back, and who somebody is here.

A sign-in under way lives in memory for ten minutes, is used once, and belongs to the browser that began it: a cookie of
its own says which (RFC 9700, section 4.7: another's answer cannot be slipped in). Who comes in this way has no account
in the people file: the name starts with `oidc:`, which no account's may, and the role is what the token says, until
the session ends.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bartizan.core.clock import Clock
from bartizan.core.errors import Refused
from bartizan.core.sections.sso import Sso
from bartizan.core.signed_tokens import words
from bartizan.dashboard.oidc import Provider
from bartizan.dashboard.people import Person, Role

COOKIE = "bartizan-sign-in"
PREFIX = "oidc:"
HOLDS_S = 600
_MOST = 1000
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun."""

    browser: str
    """What the cookie of the browser holds that began it."""
    nonce: str
    verifier: str
    after: str
    """The page of ours that was asked for."""
    at_ns: int


class SingleSignOn:
    """Signs people in at one provider."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        """Use `provider`."""
        self._provider, self._clock = provider, clock
        self._begun: dict[str, Begun] = {}

    async def begin(self, after: str) -> tuple[str, str]:
        """Begin a sign-in that leads to the page `after`; return where to send the browser, and its cookie."""
        state, one = secrets.token_urlsafe(32), self._new(after)
        address = await self._provider.address(state, one.nonce, one.verifier)
        self._begun = {key: old for key, old in self._begun.items() if not self._over(old)}
        while len(self._begun) >= _MOST:
            self._begun.pop(next(iter(self._begun)))
        self._begun[state] = one
        return address, one.browser

    async def finish(self, answer: Mapping[str, str], browser: str) -> tuple[Person, str]:
        """Return who came back with `answer` (the query of the address), and the page that was asked for.

        `browser` is the cookie. Raises Refused, or UpstreamFailed when the provider does not answer.
        """
        one = self._begun.get(answer.get("state", ""))
        if one is None or self._over(one) or not secrets.compare_digest(one.browser.encode(), browser.encode()):
            raise Refused(
                "this sign-in was not begun in this browser, is used up, or took too long",
                hint="Begin again at the sign-in page.",
            )
        del self._begun[answer["state"]]
        if answer.get("error") or not answer.get("code"):
            raise Refused("the identity provider did not let you in", hint="Ask who runs it, or use a password.")
        claims = await self._provider.claims(answer["code"], answer.get("iss", ""), one.nonce, one.verifier)
        return person(claims, self._provider.section, self._clock), one.after

    def _new(self, after: str) -> Begun:
        browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return Begun(browser, nonce, verifier, after, self._clock.monotonic_ns())

    def _over(self, one: Begun) -> bool:
        return self._clock.monotonic_ns() - one.at_ns > HOLDS_S * 1e9


def person(claims: Mapping[str, Any], section: Sso, clock: Clock) -> Person:
    """Return who the claims speak of. Raises Refused when they hold no name or no role that may come in."""
    name = claims.get(section.name_claim)
    if not isinstance(name, str) or not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Refused(
            f"the identity provider gave no name for you that can be used (claim {section.name_claim!r})",
            hint="sso.name_claim must name a claim that is in its tokens.",
        )
    if section.name_claim == "email" and claims.get("email_verified") is not True:
        raise Refused("the identity provider did not verify your e-mail address, so it says nothing about who you are")
    held = set(words(claims.get(section.role_claim)))
    ranks = [Role[one.role.upper()] for one in section.roles if one.claim in held]
    if not ranks:
        raise Refused(
            f"you hold none of the roles that may come in (claim {section.role_claim!r})",
            hint="sso.roles says which; who runs the identity provider gives them.",
        )
    return Person(PREFIX + name, max(ranks).name.lower(), "", clock.wall_ns())
