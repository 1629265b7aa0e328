"""An authorization server that gives tokens to one client and describes itself as it is told."""

import base64
import contextlib
import json
from urllib.parse import parse_qs

from bartizan.gateway.call import Answer


class AuthorizationServer:
    """`says` replaces parts of its descriptions; `given` are the tokens that it gave."""

    body_bytes = 1 << 20

    def __init__(self):
        self.url, self.resource, self.says = "", "", {}
        self.asked, self.given = [], []

    @contextlib.asynccontextmanager
    async def running(self):
        yield

    async def leave(self):
        """Nothing waits."""

    def admits(self, headers):
        return ""

    def refusal(self, path, status, code, message):
        return Answer(status, [], message.encode())

    async def answer(self, call):
        self.asked.append(call.path)
        if call.path == "/.well-known/oauth-protected-resource":
            return self._json({"resource": self.resource, "authorization_servers": [self.url]})
        if call.path == "/.well-known/oauth-authorization-server":
            return self._json({"issuer": self.url, "token_endpoint": f"{self.url}/token"})
        if call.path == "/token":
            form = {key: values[0] for key, values in parse_qs(call.body.decode()).items()}
            pair = base64.b64decode(dict(call.headers)[b"authorization"].removeprefix(b"Basic ")).decode()
            if pair != "us:secret" or form["grant_type"] != "client_credentials":
                return Answer(401, [])
            self.given.append(form | {"token": f"token-{len(self.given)}"})
            return self._json({"access_token": self.given[-1]["token"], "token_type": "Bearer", "expires_in": 600})
        return Answer(404, [])

    def _json(self, document):
        return Answer(200, [(b"content-type", b"application/json")], json.dumps({**document, **self.says}).encode())
