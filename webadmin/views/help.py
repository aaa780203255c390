"""The documents, for every logged-in user."""

from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.errors import NotFound
from webadmin.guard import Guard
from webadmin.help import pages
from webadmin.help.addresses import address_of
from webadmin.help.pages import INDEX
from webadmin.help.rendering import render


class HelpView(Guard, BaseView):
    """`/help/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the index of the documents."""
        return self._show(INDEX)

    @expose("/<path:name>")
    def page(self, name: str) -> ResponseReturnValue:
        """Show one document by its path, `how-to/use-flask`."""
        return self._show(name)

    def _show(self, name: str) -> ResponseReturnValue:
        found = pages.all_pages()
        if name not in found:
            raise NotFound(
                f"there is no help page {name[:80]!r}; the index lists all of them", field="name"
            )
        page = found[name]
        rendered = render(page, address_of)
        return self.render(
            "help/page.html", page=page, rendered=rendered, sections=pages.sections(found)
        )
