"""The budget around the application: begins the watch, and answers for a request that was ended."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from webadmin.budgets.table import USUAL
from webadmin.budgets.watchdog import Watchdog
from webadmin.budgets.watched import OverBudget, Watched
from webadmin.front.answers import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEY = "beatdesk.budget"
"""Where the request's environment has what is watched."""

ENDED = (
    "This took more processor time than any request needs, and was ended. It is a fault of "
    "Beatdesk's: the web process's log says where. Ask for less at a time; if you saved something, "
    "look whether it is there before you send it again."
)


class Budgets:
    """A WSGI application that watches the requests of another one."""

    def __init__(self, application: "WSGIApplication", watchdog: Watchdog) -> None:
        self._application = application
        self._watchdog = watchdog

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer the request; with 503, where it was ended over its budget."""
        what = f"{environ.get('REQUEST_METHOD')} {str(environ.get('PATH_INFO'))[:200]!a}"
        watched = Watched(what, USUAL)
        environ[KEY] = watched
        has_started = False

        def start(*status: Any, **more: Any) -> Any:
            nonlocal has_started
            has_started = True
            return start_response(*status, **more)

        try:
            self._watchdog.begin(watched)
            try:
                answer = self._application(environ, start)
            finally:
                self._watchdog.end(watched)
        except OverBudget:
            self._watchdog.end(watched)
            if has_started:
                raise TimeoutError(f"{what} was ended over its budget") from None
            return refusal(503, ENDED, start_response, [("Retry-After", "60")])
        if not watched.budget.is_piecewise or _is_file(answer, environ):
            return answer
        return _Body(answer, watched, self._watchdog)


def is_late(environ: "WSGIEnvironment") -> bool:
    """Whether the request has used up its wall time, so that servers answer it no more."""
    watched: Watched | None = environ.get(KEY)
    return watched is not None and watched.is_late


def _is_file(answer: Iterable[bytes], environ: "WSGIEnvironment") -> bool:
    """Whether the server sends a file by itself."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(answer, wrapper)


class _Body:
    """An answer that is made piece by piece; each piece is watched, and all have one end."""

    def __init__(self, pieces: Iterable[bytes], watched: Watched, watchdog: Watchdog) -> None:
        self._pieces: Any = pieces
        self._whole = watched
        self._watchdog = watchdog

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._pieces)
        while True:
            watched = self._whole.for_piece()
            try:
                self._watchdog.begin(watched)
                try:
                    piece = next(pieces, None)
                finally:
                    self._watchdog.end(watched)
            except OverBudget:
                # No server expects anything but an Exception from an answer that it writes.
                self._watchdog.end(watched)
                raise TimeoutError(f"{self._whole.what} was ended over its budget") from None
            if piece is None:
                return
            if self._whole.wall() > self._whole.budget.wall:
                seconds = self._whole.budget.wall
                raise TimeoutError(f"{self._whole.what} took longer than {seconds:g} s")
            yield piece

    def close(self) -> None:
        """Close the answer behind."""
        if hasattr(self._pieces, "close"):
            self._pieces.close()
