"""Posts to an address of the operator's, beside the request path, and signs what it posts (Standard Webhooks 1.0).

One post after another, a few tries each; what cannot be delivered is logged and dropped, because telling people must
never hold up a request. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bartizan.core.errors import BadSettings, Refused

_log = logging.getLogger("bartizan.gateway")
_WAITING = 256
_TRIES = 3
_TIMEOUT_S = 5.0
_PREFIX = "whsec_"
_LEAST_BYTES = 24
TOLERANCE_S = 300
"""How far the time of a signed message may be from ours."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The secret that both sides hold."""

    key: bytes

    @staticmethod
    def of(secret: str) -> "Signer":
        """Read a secret: `whsec_` and base64, or any text of 24 bytes and more. Raises BadSettings."""
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True) if _PREFIX in secret else b""
        except binascii.Error as error:
            raise BadSettings("the webhook's secret: expected base64 after whsec_") from error
        key = key or secret.encode()
        if len(key) < _LEAST_BYTES:
            raise BadSettings(
                f"the webhook's secret has {len(key)} bytes: expected {_LEAST_BYTES} and more",
                hint="`openssl rand -base64 32` makes one; write whsec_ before it.",
            )
        return Signer(key)

    def headers(self, id_: str, now_s: int, body: bytes) -> dict[str, str]:
        """Return the headers that sign `body`."""
        return {
            "webhook-id": id_,
            "webhook-timestamp": str(now_s),
            "webhook-signature": f"v1,{self._signed(id_, str(now_s), body)}",
        }

    def check(self, headers: Mapping[str, str], body: bytes, now_s: int) -> None:
        """Raise Refused unless `body` was signed with this secret not long ago. Names of headers in small letters."""
        id_, time, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        if not (id_ and given and time.isascii() and time.isdigit() and len(time) < 12):
            raise Refused("expected the headers webhook-id, webhook-timestamp and webhook-signature")
        wanted = self._signed(id_, time, body).encode()
        signatures = [one.removeprefix("v1,").encode() for one in given.split(" ") if one.startswith("v1,")]
        if not any(hmac.compare_digest(one, wanted) for one in signatures):
            raise Refused("the signature is not ours: another secret, or the body was changed")
        if abs(now_s - int(time)) > TOLERANCE_S:
            raise Refused(f"signed {abs(now_s - int(time))} s away from now: expected at most {TOLERANCE_S} s")

    def _signed(self, id_: str, time: str, body: bytes) -> str:
        made = hmac.new(self.key, b"%b.%b.%b" % (id_.encode(), time.encode(), body), hashlib.sha256)
        return base64.b64encode(made.digest()).decode()


class Poster:
    """A queue of things to say to one address; an empty address takes nothing."""

    def __init__(self, url: str = "", *, pause_s: float = 1.0) -> None:
        """Post to `url`; rest `pause_s` between tries."""
        self._url = url
        self._pause_s = pause_s
        self._queue: asyncio.Queue[tuple[bytes, Callable[[bytes], Mapping[str, str]]]] = asyncio.Queue(_WAITING)
        self.lost = 0

    def post(self, body: Mapping[str, Any], sign: Callable[[bytes], Mapping[str, str]] = lambda data: {}) -> None:
        """Queue a body; `sign` gives its headers when it is sent. Never waits."""
        if not self._url:
            return
        try:
            self._queue.put_nowait((json.dumps(body).encode(), sign))
        except asyncio.QueueFull:
            self.lost += 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Post what is queued while the block runs."""
        task = asyncio.ensure_future(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            while True:
                data, sign = await self._queue.get()
                for _ in range(_TRIES):
                    try:
                        headers = {"content-type": "application/json", **sign(data)}
                        if (await client.post(self._url, content=data, headers=headers)).status_code < 400:
                            break
                    except httpx.HTTPError as error:
                        _log.warning("the webhook does not answer: %s", type(error).__name__)
                    await asyncio.sleep(self._pause_s)
                else:
                    self.lost += 1
