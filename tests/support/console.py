"""The console in a browser without JavaScript: cookies, pages, and forms sent with all their
fields.
"""

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser

Attributes = dict[str, str]


@dataclass
class Form:
    """A form of a page: its address, and its fields with their values."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, given: dict[str, str | list[str] | None]) -> list[tuple[str, str]]:
        """The fields as a browser sends them; a list is sent as several values, None leaves a field
        (a checkbox) out.
        """
        fields = [(name, value) for name, value in self.fields if name not in given]
        for name, value in given.items():
            values = [] if value is None else [value] if isinstance(value, str) else value
            fields += [(name, one) for one in values]
        return fields


class Forms(HTMLParser):
    """Reads the forms of a page. A button with an address of its own counts as a form of its
    own.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._by_id: dict[str, Form] = {}
        self._elsewhere: list[tuple[str, str]] = []
        self._open: Form | None = None
        self._select: str | None = None
        self._chosen: list[str] = []
        self._option: tuple[str | None, bool] | None = None
        self._area: str | None = None
        self._text = ""
        self.feed(html)
        for owner, action in self._elsewhere:
            if owner in self._by_id:
                self.forms.append(Form(action, list(self._by_id[owner].fields)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""))
            self.forms.append(self._open)
            self._by_id[given.get("id", "")] = self._open
        elif tag == "button" and "formaction" in given:
            self._elsewhere.append((given.get("form", ""), given["formaction"]))
        elif self._open is None:
            return
        elif tag == "input" and "name" in given:
            self._input(self._open, given)
        elif tag == "select":
            self._select, self._chosen = given.get("name"), []
        elif tag == "option" and self._select:
            self._option = (given.get("value"), "selected" in given)
            self._text = ""
        elif tag == "textarea":
            self._area, self._text = given.get("name"), ""

    def _input(self, form: Form, given: Attributes) -> None:
        kind = given.get("type", "text")
        if kind in {"submit", "button", "image", "reset", "file"} or "disabled" in given:
            return
        if kind in {"checkbox", "radio"} and "checked" not in given:
            return
        form.fields.append((given["name"], given.get("value", "on" if kind == "checkbox" else "")))

    def handle_data(self, data: str) -> None:
        if self._area or self._option:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea" and self._area and self._open:
            self._open.fields.append(
                (self._area, self._text.replace("\r\n", "\n").removeprefix("\n"))
            )
            self._area = None
        elif tag == "option" and self._option:
            value, selected = self._option
            if selected or not self._chosen:
                self._chosen = [self._text.strip() if value is None else value]
            self._option = None
        elif tag == "select" and self._select and self._open:
            self._open.fields += [(self._select, value) for value in self._chosen]
            self._select = None


@dataclass
class Page:
    """An answer: its status, its address after redirects, its text."""

    status: int
    url: str
    text: str

    @property
    def path(self) -> str:
        """The path of the address."""
        return urllib.parse.urlsplit(self.url).path

    def form(self, having: str) -> Form:
        """The form with a field of this name, or with an address that ends so."""
        for form in Forms(self.text).forms:
            if any(name == having for name, _ in form.fields) or form.action.endswith(having):
                return form
        raise AssertionError(
            f"{self.url} ({self.status}) has no form with {having!r}:\n{self.text[:3000]}"
        )


class Console:
    """A visitor with cookies."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def get(self, path: str) -> Page:
        """Ask for a page and follow redirects."""
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.base + "/", path)))  # noqa: S310 - loopback

    def send(self, page: Page, having: str, **given: str | list[str] | None) -> Page:
        """Send a form of a page, with changed fields."""
        form = page.form(having)
        address = urllib.parse.urljoin(page.url, form.action or page.url)
        body = urllib.parse.urlencode(form.filled(given)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": page.url}
        return self._open(urllib.request.Request(address, data=body, headers=headers))  # noqa: S310 - loopback

    def submit(self, path: str, having: str, **given: str | list[str] | None) -> Page:
        """Open a page and send the form with the field."""
        return self.send(self.get(path), having, **given)

    def login(self, email: str, password: str) -> Page:
        """Log in; returns the following page."""
        page = self.submit("/login", "password", email=email, password=password)
        assert page.path != "/login", f"the login was refused:\n{page.text[:3000]}"
        return page

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return Page(answer.status, answer.url, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.url, error.read().decode())
