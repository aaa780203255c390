"""HTTP methods, before any view: HEAD is answered as GET, without the body.

A view then sees GET or POST and never HEAD, so that no view can take a HEAD for a POST. TRACE and
methods that nobody wrote a view for are refused here, for every address.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from webadmin.front.answers import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SERVED = ("GET", "POST", "OPTIONS")
"""Methods that reach the application; HEAD reaches it as GET."""


class Methods:
    """A WSGI application in front of another one."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer the request, or refuse its method with 405."""
        method = environ["REQUEST_METHOD"]
        if method == "HEAD":
            return self._without_body(environ, start_response)
        if method not in SERVED:
            text = f"The method {method[:20]!a} is not served. Use GET, HEAD or POST."
            headers = [("Allow", "GET, HEAD, POST, OPTIONS")]
            return refusal(405, text, start_response, headers)
        return self._application(environ, start_response)

    def _without_body(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Return the empty body, with the status and the headers of GET."""
        parts = self._application({**environ, "REQUEST_METHOD": "GET"}, start_response)
        try:
            for _ in parts:  # a lazy application starts its response with the first part
                break
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return []
