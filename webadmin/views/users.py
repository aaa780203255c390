"""The list of accounts. The command `beatdesk users` makes and changes accounts."""

from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.accounts.policy import ROLE_WORDS
from scheduler.accounts.store import Accounts
from webadmin.guard import Guard
from webadmin.services import services


class UsersView(Guard, BaseView):
    """`/users/`, for administrators."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the accounts."""
        return self.render(
            "users/index.html", accounts=Accounts(services().engine).list(), role_words=ROLE_WORDS
        )
