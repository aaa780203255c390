"""What a request passes before any page.

In the order in which a request meets them:

    methods   HEAD is GET without a body; other methods than GET, POST and OPTIONS are refused
    lengths   bodies, fields, queries and headers, by endpoint, before anything reads them

`install` puts them in front of the application, whatever server runs it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def install(app: "Flask") -> None:
    """Put the parts in front of the application, the outermost last."""
    from webadmin.front.lengths import Lengths, bound_json
    from webadmin.front.methods import Methods

    bound_json(app)
    app.wsgi_app = Methods(Lengths(app.wsgi_app))  # type: ignore[method-assign]
