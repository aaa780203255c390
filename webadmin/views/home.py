"""The overview: what is wrong, what runs, what comes next."""

from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from webadmin.guard import Guard


class HomeView(Guard, BaseView):
    """`/` and the fragments that keep it fresh."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The overview."""
        return self.render("home/index.html")

    @expose("/fragments/health")
    def health(self) -> ResponseReturnValue:
        """The pill in the bar of every page."""
        return self.render("home/pill.html")
