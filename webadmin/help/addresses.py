"""The console's addresses of documents."""

from flask import url_for

from webadmin.help.pages import INDEX, Target, all_pages


def address_of(target: Target) -> str | None:
    """Return the console's address of a document; None for a missing document."""
    if target.path not in all_pages():
        return None
    anchor = target.anchor or None
    if target.path == INDEX:
        return url_for("help.index", _anchor=anchor)
    return url_for("help.page", name=target.path, _anchor=anchor)


def help_url(path: str, anchor: str = "") -> str:
    """Return the address of a document, for templates; empty if the document is not installed."""
    return address_of(Target(path, anchor)) or ""
