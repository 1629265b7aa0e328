"""An authorization server that gives tokens to one client and describes itself as it is told."""

import base64
import contextlib
import hashlib
import json
from urllib.parse import parse_qs, urlencode, urlsplit

from bartizan.gateway.call import Answer


class AuthorizationServer:
    """`says` replaces parts of its descriptions; `given` are the tokens that it gave."""

    body_bytes = 1 << 20

    def __init__(self):
        self.url, self.resource, self.says = "", "", {}
        self.asked, self.given = [], []
        self.registers, self.clients = None, {}
        """What it answers to who registers beside what was asked for, nothing where it takes no registrations; and
        who did: id -> what is shown as proof."""
        self.consented = {}
        """What a person consented to: code -> what was asked for."""

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
            about = {"issuer": self.url, "token_endpoint": f"{self.url}/token"}
            about |= {"authorization_endpoint": f"{self.url}/authorize", "code_challenge_methods_supported": ["S256"]}
            about |= {"registration_endpoint": f"{self.url}/register"} if self.registers is not None else {}
            about |= {"token_endpoint_auth_methods_supported": ["client_secret_basic", "none"]}
            return self._json(about)
        if call.path == "/register":
            return self._registered(json.loads(call.body))
        if call.path == "/token":
            form = {key: values[0] for key, values in parse_qs(call.body.decode()).items()}
            proof = dict(call.headers).get(b"authorization", b"")
            if form["grant_type"] != "client_credentials":
                known = self.registers is None or self.clients.get(form["client_id"]) == proof
                return self._for_a_person(form) if known else Answer(401, [])
            pair = base64.b64decode(proof.removeprefix(b"Basic ")).decode()
            if pair != "us:secret" or form["grant_type"] != "client_credentials":
                return Answer(401, [])
            self.given.append(form | {"token": f"token-{len(self.given)}"})
            return self._json({"access_token": self.given[-1]["token"], "token_type": "Bearer", "expires_in": 600})
        return Answer(404, [])

    def consent(self, address):
        """Consent as a person does in a browser; return the query that the browser brings back."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.consented)}"
        self.consented[code] = asked
        return urlencode({"code": code, "state": asked["state"], "iss": self.url})

    def _registered(self, asked):
        """A client is given an id, and a secret where it is told so."""
        client = {**asked, "client_id": f"client-{len(self.clients)}", **self.registers}
        pair = f"{client['client_id']}:{client.get('client_secret', '')}".encode()
        basic = client["token_endpoint_auth_method"] == "client_secret_basic"
        self.clients[client["client_id"]] = b"Basic " + base64.b64encode(pair) if basic else b""
        return Answer(201, [(b"content-type", b"application/json")], json.dumps(client).encode())

    def _for_a_person(self, form):
        """A code counts once, with its verifier; a refresh token counts once, and gives another."""
        if form["grant_type"] == "authorization_code":
            asked = self.consented.pop(form["code"], None)
            proof = (
                base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
            )
            good = asked and (asked["code_challenge"], asked["redirect_uri"]) == (proof, form["redirect_uri"])
        else:
            good = form["refresh_token"] == f"refresh-{len(self.given) - 1}"
        if not good:
            return Answer(400, [])
        number = len(self.given)
        self.given.append(form | {"token": f"token-{number}"})
        about = {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 600}
        return self._json({**about, "refresh_token": f"refresh-{number}"})

    def _json(self, document):
        return Answer(200, [(b"content-type", b"application/json")], json.dumps({**document, **self.says}).encode())
