"""Each `url_for` of a template fits the console's addresses, also in a branch that no test's page
takes.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from jinja2 import nodes


class Link(NamedTuple):
    """A call of `url_for` with a written endpoint and named parameters."""

    template: str
    line: int
    endpoint: str
    parameters: frozenset[str]


def links(app: Flask) -> Iterator[Link]:
    """Every such call; relative endpoints and parameters given as a dict are left out."""
    loader = app.jinja_env.loader
    assert loader is not None
    for template in app.jinja_env.list_templates(extensions=["html"]):
        if template.startswith("admin/"):
            continue  # Flask-Admin's own
        source = loader.get_source(app.jinja_env, template)[0]
        for call in app.jinja_env.parse(source).find_all(nodes.Call):
            if not isinstance(call.node, nodes.Name) or call.node.name != "url_for":
                continue
            is_written = bool(call.args) and isinstance(call.args[0], nodes.Const)
            if not is_written or call.dyn_kwargs is not None:
                continue
            endpoint = call.args[0].value
            if not endpoint.startswith("."):
                names = frozenset(pair.key for pair in call.kwargs)
                yield Link(template, call.lineno, endpoint, names)


def faults(app: Flask, found: Iterator[Link] | list[Link]) -> list[str]:
    """The links to which no address belongs."""
    wanted: dict[str, list[set[str]]] = {}
    for rule in app.url_map.iter_rules():
        wanted.setdefault(rule.endpoint, []).append(rule.arguments - set(rule.defaults or {}))
    return [
        f"{link.template}:{link.line}: {link.endpoint}({', '.join(sorted(link.parameters))})"
        for link in found
        if not any(names <= link.parameters for names in wanted.get(link.endpoint, []))
    ]


def test_every_link_of_a_template_has_an_address(app: Flask) -> None:
    found = list(links(app))
    assert len(found) > 50
    assert faults(app, found) == []


@pytest.mark.parametrize(("endpoint", "parameter"), [("runs.show", "run_id"), ("runs.shown", "id")])
def test_a_link_without_an_address_is_found(app: Flask, endpoint: str, parameter: str) -> None:
    assert faults(app, [Link("a.html", 1, endpoint, frozenset({parameter}))]) != []
