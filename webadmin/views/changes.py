"""Changes."""

from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from webadmin.guard import Guard


class ChangesView(Guard, BaseView):
    """`/changes/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The list."""
        return self.render("layout.html")
