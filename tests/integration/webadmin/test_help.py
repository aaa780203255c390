"""The documents in the console: for everybody who has logged in, and from the places where they are
needed.
"""

import re

import pytest

from scheduler.rules.model.run_states import STATES
from tests.support.webadmin.visitor import Visitor
from webadmin.help.pages import INDEX, all_pages

PAGES = ["/help/", *(f"/help/{path}" for path in all_pages() if path != INDEX)]


def test_every_document_is_a_page_whose_links_lead_somewhere(viewer: Visitor) -> None:
    found: set[str] = set()
    for path in PAGES:
        page = viewer.get(path)
        assert page.status_code == 200, path
        found |= set(re.findall(r'href="(/help/[^"#]*)', page.text))
    assert found == set(PAGES)


def test_the_sidebar_leads_to_help(viewer: Visitor) -> None:
    menu = viewer.get("/help/").text.partition("<nav")[2].partition("</nav>")[0]
    assert '<a href="/help/" class="menu-rest" aria-current="page">' in menu


def test_a_visitor_logs_in_first(visitor: Visitor) -> None:
    for path in PAGES[:3]:
        assert visitor.get(path).status_code == 302


@pytest.mark.parametrize(
    "path", ["/help/nothing", "/help/../config", "/help/how-to", "/help/how-to/use-flask.md"]
)
def test_what_is_no_document_is_not_found(viewer: Visitor, path: str) -> None:
    page = viewer.get(path)
    assert page.status_code == 404
    assert "Traceback" not in page.text


def test_the_editor_leads_to_the_policies(operator: Visitor) -> None:
    text = operator.get("/schedules/new").text
    assert 'href="/help/reference/policies"' in text
    assert 'href="/help/reference/policies#overlap"' in text
    assert 'href="/help/reference/schedule-rules"' in text


def test_the_page_of_a_run_leads_to_its_state(viewer: Visitor) -> None:
    page = viewer.get("/help/reference/run-states").text
    assert [state for state in STATES if f'id="{state}"' not in page] == []
