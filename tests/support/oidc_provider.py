"""An OpenID Connect provider on this machine, of Authlib's provider side: it signs its ID tokens,
and refuses requests without PKCE, codes used twice, and wrong secrets.

Whoever comes is logged in as `person`, without a question. Its claims override the provider's own,
so that a test can spoil an answer.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "beatdesk", "a-secret-of-the-test"


@dataclass
class Client:
    """The console at the provider."""

    client_id: str = CLIENT

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == "http://localhost/login/oidc/back"

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """A code that can be exchanged once."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    auth_time: int | None = None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int | None:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Provider:
    """The provider: who is logged in there, and what it gets wrong on purpose."""

    person: dict[str, Any] = field(
        default_factory=lambda: {
            "sub": "ann-1",
            "email": "ann@example.org",
            "email_verified": True,
            "groups": ["staff"],
        }
    )
    auth_time: int | None = None
    sign_with: RSAKey | None = None
    algorithm: str = "RS256"
    offered: list[str] = field(default_factory=lambda: ["RS256"])
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    codes: dict[str, Code] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    issuer: str = ""
    name_in_discovery: str = ""

    def start(self) -> None:
        """Serve on a free port of the loopback interface."""
        app = Flask("provider")
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._install(app)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def answer(self, address: str) -> str:
        """The path and query with which the provider sends a browser back from `address`."""
        found = requests.get(address, allow_redirects=False, timeout=10)
        assert found.status_code == 302, found.text
        return found.headers["Location"].removeprefix("http://localhost")

    def _install(self, app: Flask) -> None:
        server = AuthorizationServer(app, lambda _id: Client(), lambda _token, _request: None)
        server.register_grant(_grant(self), [_id_token(self), CodeChallenge(required=True)])

        @app.get("/.well-known/openid-configuration")
        def discovery() -> Any:
            return jsonify(
                issuer=self.name_in_discovery or self.issuer,
                authorization_endpoint=f"{self.issuer}/authorize",
                token_endpoint=f"{self.issuer}/token",
                jwks_uri=f"{self.issuer}/keys",
                id_token_signing_alg_values_supported=self.offered,
            )

        @app.get("/keys")
        def keys() -> Any:
            return jsonify(keys=[self.key.as_dict(private=False)])

        @app.get("/authorize")
        def authorize() -> Any:
            self.requests.append(request.args.to_dict())
            grant = server.get_consent_grant(end_user=self)
            return server.create_authorization_response(grant_user=self, grant=grant)

        @app.post("/token")
        def token() -> Any:
            return server.create_token_response()


def _grant(provider: Provider) -> type:
    class Grant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            provider.codes[code] = Code(
                code,
                request.payload.redirect_uri,
                request.payload.scope,
                data.get("nonce", ""),
                data.get("code_challenge", ""),
                data.get("code_challenge_method", ""),
                provider.auth_time,
            )

        def query_authorization_code(self, code: str, client: Any) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            provider.codes.pop(authorization_code.code)

        def authenticate_user(self, authorization_code: Code) -> Provider:
            return provider

    return Grant


def _id_token(provider: Provider) -> OpenIDCode:
    class IdToken(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

        def get_client_algorithm(self, client: Any) -> str:
            return provider.algorithm

        def resolve_client_private_key(self, client: Any) -> RSAKey:
            return provider.sign_with or provider.key

        def get_client_claims(self, client: Any) -> dict[str, Any]:
            return {"iss": provider.issuer, "aud": [CLIENT]}

        def get_encode_header(self, client: Any) -> dict[str, str]:
            return {"alg": provider.algorithm, "kid": "k1"}

        def generate_user_info(self, user: Any, scope: str) -> UserInfo:
            return UserInfo(provider.person)

    return IdToken(require_nonce=True)
