"""Dead letters: events that the recorder could not store. List, detail page, retry, drop."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import NotFound
from scheduler.events.dead_letters import MOST_LETTERS
from scheduler.events.letter_text import content_of, error_of, texts_of
from scheduler.rules.model.edit import Edit
from scheduler.rules.phrases import counted
from webadmin.form_values import comment
from webadmin.guard import Guard, edit_by_visitor
from webadmin.present import first_line
from webadmin.services import services

PAGE = 50
GONE = "It no longer exists: somebody has retried or dropped it already."


class DeadLettersView(Guard, BaseView):
    """`/dead-letters/`."""

    def is_visible(self) -> bool:
        """Hide the view from the menu; the overview links to existing dead letters."""
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the dead letters, newest first."""
        after = request.args.get("after") or None
        store = services().dead_letters
        page = store.page(after, PAGE)
        lines = [
            (letter, content_of(letter), first_line(error_of(letter))) for letter in page.items
        ]
        return self.render(
            "dead_letters/index.html",
            lines=lines,
            count=store.count(),
            newest=store.newest(),
            most=MOST_LETTERS,
            next_url=url_for(".index", after=page.next) if page.next else None,
            first_url=url_for(".index") if after else None,
        )

    @expose("/<id>")
    def show(self, id: str) -> ResponseReturnValue:
        """Show one letter: error, times, attempts, and the event with secrets masked."""
        letter = services().dead_letters.get(id)
        return self.render(
            "dead_letters/show.html",
            letter=letter,
            content=content_of(letter),
            error=error_of(letter),
            texts=texts_of(letter),
        )

    @expose("/<id>/retry", methods=["POST"])
    def retry(self, id: str) -> ResponseReturnValue:
        """Send one letter back to the recorder."""
        try:
            services().dead_letters.retry([id], _edit())
        except NotFound:
            flash(GONE, "info")
        else:
            flash(
                "The event is on its way to the history. If it fails again, it comes back here.",
                "success",
            )
        return redirect(url_for(".index"), 303)

    @expose("/retry-all", methods=["POST"])
    def retry_all(self) -> ResponseReturnValue:
        """Send back all letters up to the newest one on the submitted page."""
        count = services().dead_letters.retry_all(request.form.get("until", ""), _edit())
        flash(
            f"{_letters(count)} on the way to the history. What fails again comes back here.",
            "success",
        )
        return redirect(url_for(".index"), 303)

    @expose("/<id>/drop", methods=["GET", "POST"])
    def drop(self, id: str) -> ResponseReturnValue:
        """GET shows the consequences of dropping a letter; POST drops the letter."""
        if request.method != "POST":
            letter = services().dead_letters.get(id)
            content = content_of(letter)
            return self.render("dead_letters/drop.html", letter=letter, content=content, count=1)
        try:
            services().dead_letters.drop([id], _edit())
        except NotFound:
            flash(GONE, "info")
        else:
            flash("The dead letter is dropped. Who did it stands among the changes.", "success")
        return redirect(url_for(".index"), 303)

    @expose("/drop-all", methods=["GET", "POST"])
    def drop_all(self) -> ResponseReturnValue:
        """GET shows the consequences; POST drops all letters up to the newest one shown."""
        store = services().dead_letters
        if request.method != "POST":
            count, newest = store.count(), store.newest()
            return self.render(
                "dead_letters/drop.html", letter=None, content=None, count=count, newest=newest
            )
        count = store.drop_all(request.form.get("until", ""), _edit())
        flash(f"{_letters(count)} dropped. Who did it stands among the changes.", "success")
        return redirect(url_for(".index"), 303)


def _edit() -> Edit:
    """Return an Edit with the visitor, the comment and the current time."""
    return edit_by_visitor(now=utc_now(), comment=comment())


def _letters(count: int) -> str:
    return counted(count, "dead letter is", "dead letters are")
