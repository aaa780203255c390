"""Reports."""

from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from webadmin.guard import Guard


class ReportsView(Guard, BaseView):
    """`/reports/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The list."""
        return self.render("layout.html")
