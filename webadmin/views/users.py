"""Users."""

from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from webadmin.guard import Guard


class UsersView(Guard, BaseView):
    """`/users/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The list."""
        return self.render("layout.html")
