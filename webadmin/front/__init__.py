"""What a request passes before any page.

In the order in which a request meets them:

    proxies   address, scheme and host by the headers of trusted proxies only; the path prefix
    hosts     names under which the console is served
    methods   HEAD is GET without a body; other methods than GET, POST and OPTIONS are refused
    lengths   bodies, fields, queries and headers, by endpoint, before anything reads them

`install` puts them in front of the application, whatever server runs it.
"""

from typing import TYPE_CHECKING

from scheduler.settings.errors import BadSettings
from scheduler.settings.validation import hostless

if TYPE_CHECKING:
    from flask import Flask

    from scheduler.settings.schema import Settings


def install(app: "Flask", settings: "Settings") -> None:
    """Put the parts in front of the application, the outermost last.

    Raises BadSettings for a console in production without a list of its hosts.
    """
    from webadmin.front.hosts import Hosts
    from webadmin.front.lengths import Lengths, bound_json
    from webadmin.front.methods import Methods
    from webadmin.front.proxies import Proxies

    bound_json(app)
    if faults := hostless(settings):
        raise BadSettings(faults)
    inner = Methods(Lengths(app.wsgi_app))
    app.wsgi_app = Proxies(Hosts(inner, settings), settings)  # type: ignore[method-assign]
