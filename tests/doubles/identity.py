"""A small identity provider that speaks OpenID Connect over loopback: codes with PKCE, client secrets, ID tokens.

It keeps the rules that a real one keeps: a code works once, for the client and address it was made for, with the
verifier of its challenge. A test makes it lie by changing one of `claims`, `metadata`, `extra`, `published`, `sign`.
"""

import base64
import contextlib
import hashlib
import json
import secrets
import socket
import threading
from urllib.parse import parse_qsl, unquote, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT, SECRET = "bartizan", "s3cret of + the client"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(key, kid):
    """Return the key as a provider publishes it."""
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "alg": "RS256"}


class Identity:
    """The provider. `user` is who signs in, at once and without a question; the rest is what it gets wrong."""

    def __init__(self, clock):
        """Issue tokens that are good by `clock`."""
        self.issuer = ""
        self.honest(clock)

    def honest(self, clock):
        """Forget every lie; return the provider."""
        self.clock = clock
        self.user = {"sub": "u-17", "preferred_username": "ann", "roles": ["security", "everybody"]}
        self.claims, self.metadata, self.extra = {}, {}, {}
        self.sign = self.signed
        self.published = [public(KEY, "one")]
        self.codes, self.exchanges = {}, 0
        return self

    @contextlib.contextmanager
    def running(self):
        """Answer on a free port until the block ends."""
        routes = [
            Route("/.well-known/openid-configuration", self._metadata),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/keys", lambda request: JSONResponse({"keys": self.published})),
        ]
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning", lifespan="off"))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                yield self
            finally:
                server.should_exit = True
                thread.join()

    def signed(self, claims):
        """Return the ID token of `claims`."""
        return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "one"})

    def _metadata(self, request):
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return JSONResponse(found | self.metadata)

    def _authorize(self, request):
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"]} | self.extra
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    async def _token(self, request):
        form = dict(parse_qsl((await request.body()).decode()))
        self.exchanges += 1
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        right = (
            self._is_the_client(request, form)
            and asked is not None
            and form["redirect_uri"] == asked["redirect_uri"]
            and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        )
        if not right:
            return JSONResponse({"error": "invalid_grant", "error_description": "<script>no</script>"}, 400)
        now = self.clock.wall_ns() // 10**9
        base = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        said = {name: value for name, value in (base | self.user | self.claims).items() if value is not None}
        return JSONResponse({"id_token": self.sign(said), "access_token": "x", "token_type": "Bearer"})

    def _is_the_client(self, request, form):
        ways = self.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" not in ways:
            return form.get("client_id") == CLIENT and form.get("client_secret") == SECRET
        pair = base64.b64decode(request.headers.get("authorization", "").partition(" ")[2]).decode()
        name, _, secret = pair.partition(":")
        return (unquote(name), unquote(secret)) == (CLIENT, SECRET) and "client_secret" not in form
