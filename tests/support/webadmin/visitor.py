"""Somebody before the console, with a browser that runs no JavaScript."""

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "a few plain words"


TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser without JavaScript: keeps cookies, sends forms with the token of the page they
    stand on.
    """

    client: FlaskClient

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def token(self, page: str = "/") -> str:
        found = TOKEN.search(self.get(page, follow_redirects=True).text)
        assert found, f"{page} has no form"
        return found[1]

    def post(
        self, path: str, fields: dict[str, Any] | None = None, page: str = "/", **options: Any
    ) -> TestResponse:
        return self.client.post(
            path, data={"csrf_token": self.token(page), **(fields or {})}, **options
        )

    def login(self, email: str, password: str = PASSWORD, query: str = "") -> TestResponse:
        return self.post("/login" + query, {"email": email, "password": password}, page="/login")

    @property
    def session(self) -> str:
        cookie = self.client.get_cookie("beatdesk")
        return cookie.value if cookie else ""
