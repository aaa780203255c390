"""Logins, logouts and exports leave a row; the page, the export and the table of endpoints."""

import logging
import re
from collections.abc import Callable
from typing import get_args

import pytest
from flask import Flask

from scheduler.accounts.access_log import LOGGER
from scheduler.clock import utc_now
from scheduler.events.schema import AnyEvent
from scheduler.history.queries.access import AccessView
from scheduler.history.recording.recorder import Recorder
from scheduler.process_logs import formatter
from scheduler.services.services import Services
from tests.architecture.tree import ROOT
from tests.support.valkey import ValkeyServer
from tests.support.webadmin.addresses import rules
from tests.support.webadmin.visitor import PASSWORD, Visitor
from webadmin.audit.table import RECORDS, RECORDS_NOTHING
from webadmin.guard import LEAST_ROLE

HOSTILE = "eve\n2026 WARNING beatdesk.access: login_failed from=192.0.2.1 \x1b[2J@example.org"


def recorded(services: Services) -> list[AccessView]:
    """The rows, oldest first."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass
    return list(services.access_history.rows())


def test_logins_logouts_and_exports_leave_a_row(
    visitor: Visitor, services: Services, account: Callable[[str], str]
) -> None:
    email = account("operator")
    visitor.login(email, "wrong")
    visitor.login("nobody@example.org")
    visitor.login(email)
    visitor.get("/schedules/export")
    visitor.post("/logout")
    rows = recorded(services)
    assert [(row.kind, row.actor, row.subject, row.address, row.detail) for row in rows] == [
        ("login_failed", "", email, "127.0.0.1", "wrong_password"),
        ("login_failed", "", "nobody@example.org", "127.0.0.1", "unknown_account"),
        ("logged_in", email, email, "127.0.0.1", "password"),
        ("exported", email, "schedules.yaml", "127.0.0.1", ""),
        ("logged_out", email, email, "127.0.0.1", ""),
    ]
    assert services.access_history.verify().fault is None


def test_the_name_of_a_failed_login_is_bounded_and_harmless(
    visitor: Visitor, services: Services
) -> None:
    visitor.login(HOSTILE)
    visitor.login("x" * 500)
    first, second = recorded(services)
    assert first.subject.isprintable()
    assert len(second.subject) == 255


def test_a_login_is_recorded_while_redis_is_away(
    visitor: Visitor, services: Services, account: Callable[[str], str], valkey: ValkeyServer
) -> None:
    email = account("viewer")
    token = visitor.token("/login")
    valkey.stop()
    fields = {"csrf_token": token, "email": email, "password": PASSWORD}
    assert visitor.client.post("/login", data=fields).status_code == 302
    assert [row.kind for row in services.access_history.rows()] == ["logged_in"]


@pytest.mark.parametrize("format", ["text", "json"])
def test_fail2ban_reads_the_address_of_a_wrong_login_and_nobody_can_forge_one(
    visitor: Visitor, caplog: pytest.LogCaptureFixture, format: str
) -> None:
    filters = (ROOT / "config/fail2ban/filter.d/beatdesk.conf").read_text(encoding="utf-8")
    patterns = re.findall(r"^(?:failregex =|\s{12})(.+)$", filters, re.MULTILINE)
    assert len(patterns) == 2
    regexes = [re.compile(one.strip().replace("<ADDR>", r"(?P<host>\S+)")) for one in patterns]
    with caplog.at_level(logging.INFO):
        visitor.login("ann@example.org", "wrong")
        visitor.login(HOSTILE, "wrong")
        for number in range(19):
            visitor.login(f"{number}@example.org", "wrong")
        logging.getLogger("webadmin.errors").warning("cannot answer GET /%s", HOSTILE)
    lines = [formatter(format).format(record) for record in caplog.records]
    dateless = [re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", "", line) for line in lines]
    banned = [
        match["host"] for line in dateless for regex in regexes if (match := regex.search(line))
    ]
    assert set(banned) == {"127.0.0.1"}
    assert len(banned) == 21
    assert {record.name for record in caplog.records} >= {LOGGER}


def test_admins_see_filter_and_export_the_log(
    admin: Visitor, services: Services, viewer: Visitor
) -> None:
    recorded(services)
    page = admin.get("/access-log/").text
    assert "admin@example.org" in page
    assert "Logged in" in page
    assert "viewer@example.org" in page
    only = admin.get("/access-log/?person=viewer@example.org&kind=logged_in").text
    assert 'strong wrap-any">viewer@example.org' in only
    assert 'strong wrap-any">admin@example.org' not in only
    empty = admin.get("/access-log/?until=2020-01-01").text
    assert "Nothing fits" in empty
    assert "Show the whole log" in empty
    exported = admin.post("/access-log/export?person=viewer@example.org")
    assert exported.mimetype == "application/x-ndjson"
    assert [line.count("viewer@example.org") for line in exported.text.splitlines()] == [2]
    assert recorded(services)[-1].kind == "exported"
    assert viewer.get("/access-log/").status_code == 403


def test_a_tag_is_shown_as_it_is_written(
    admin: Visitor, services: Services, account: Callable[[str], str]
) -> None:
    admin.post(f"/users/{account('viewer')}/grant", {"role": "operator", "tag": "night_jobs"})
    admin.client.get("/account/whoami", headers={"Authorization": "Bearer bd_wrong"})
    recorded(services)
    page = admin.get("/access-log/").text
    assert "operator of tag:night_jobs" in page
    assert ">wrong token<" in page


@pytest.mark.parametrize(
    ("query", "field"),
    [("kind=x", "kind"), ("since=x", "since"), ("until=9999-12-31", "until"), ("after=x", "after")],
)
def test_a_wrong_filter_is_named(admin: Visitor, query: str, field: str) -> None:
    answer = admin.get(f"/access-log/?{query}")
    assert answer.status_code == 400
    assert f"{field}: " in answer.text


def test_an_export_with_a_wrong_filter_is_refused_and_leaves_no_row(
    admin: Visitor, services: Services
) -> None:
    answer = admin.post("/access-log/export?kind=x")
    assert answer.status_code == 400
    assert "kind: " in answer.text
    assert "exported" not in {row.kind for row in recorded(services)}


def test_every_endpoint_that_changes_something_says_what_it_records(app: Flask) -> None:
    changing = {rule.endpoint for rule in rules(app) if "POST" in (rule.methods or ())}
    listed = RECORDS.keys() | RECORDS_NOTHING.keys()
    assert changing - listed == set(), "add a row to webadmin/audit/table.py"
    assert listed - LEAST_ROLE.keys() - {"security.verify"} == set()
    assert RECORDS.keys() & RECORDS_NOTHING.keys() == set()


def test_every_kind_in_the_table_is_in_the_vocabulary() -> None:
    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(AnyEvent)[0])}
    assert {kind for row in RECORDS.values() for kind in row} <= kinds
