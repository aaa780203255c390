"""Where the console shows a document."""

from flask import url_for

from webadmin.help.pages import INDEX, Target, all_pages


def address_of(target: Target) -> str | None:
    """The console's address of a document; none where there is no such document."""
    if target.path not in all_pages():
        return None
    anchor = target.anchor or None
    if target.path == INDEX:
        return url_for("help.index", _anchor=anchor)
    return url_for("help.page", name=target.path, _anchor=anchor)


def help_url(path: str, anchor: str = "") -> str:
    """The address of a document, for templates; empty where this installation does not have it."""
    return address_of(Target(path, anchor)) or ""
