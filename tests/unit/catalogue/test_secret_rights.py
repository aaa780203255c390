"""Which job may use which secret, where a call is saved and where it runs."""

from typing import Any

import pytest

from scheduler.catalogue.call_check import check_arguments
from scheduler.catalogue.records import Job, Parameter
from scheduler.catalogue.secret_rights import references, refuse_forbidden
from scheduler.errors import BadArguments
from scheduler.events.bounds import DEEPEST
from scheduler.settings.secret_uses import secret_use

USES = [
    secret_use("shop-token http.request:headers@Shop.example"),
    secret_use("mail-key mail.send:context"),
    secret_use("sync-key shop.jobs.sync"),
    secret_use("url-key http.request:url@shop.example"),
]
SHOP = {
    "url": "https://shop.example/ping",
    "headers": {"Authorization": "Bearer secret://shop-token"},
}


def refuse(job: str, kwargs: dict[str, Any], *, is_guarded: bool) -> None:
    refuse_forbidden(job, kwargs.items(), USES, is_guarded=is_guarded)


@pytest.mark.parametrize(
    ("job", "kwargs", "is_guarded"),
    [
        ("http.request", SHOP, True),
        ("http.request", SHOP | {"url": "https://SHOP.example:8443/"}, True),
        ("mail.send", {"context": {"a": ["secret://mail-key"]}}, True),
        ("shop.jobs.sync", {"anything": "secret://sync-key"}, False),
        ("shop.jobs.other", {"anything": "secret://free-key"}, False),
        ("reports.sql_query", {"statement": "SELECT 1"}, True),
    ],
)
def test_a_permitted_use_is_accepted(job: str, kwargs: dict[str, Any], is_guarded: bool) -> None:
    refuse(job, kwargs, is_guarded=is_guarded)


@pytest.mark.parametrize(
    ("job", "kwargs", "is_guarded"),
    [
        ("http.request", SHOP | {"url": "https://evil.example/"}, True),
        ("http.request", SHOP | {"url": "https://shop.example@evil.example/"}, True),
        ("http.request", SHOP | {"url": "https://shop.example.evil.example/"}, True),
        ("http.request", SHOP | {"url": "https://[broken/"}, True),
        ("http.request", {"url": "https://shop.example/?k=secret://shop-token"}, True),
        ("http.request", {"url": "https://shop.example/?k=secret://url-key"}, True),
        ("http.request", {"url": "https://shop.example/", "body": "secret://shop-token"}, True),
        ("http.request", {"url": "https://shop.example/", "headers": {"X": "secret://free"}}, True),
        ("http.request", {"url": "https://a.b/", "headers": {"secret://free": "x"}}, True),
        ("mail.send", {"text": "secret://mail-key"}, True),
        ("mail.send", {"text": "secret://free-key"}, True),
        ("reports.sql_query", {"statement": "SELECT 'secret://free-key'"}, True),
        ("reports.sql_query", {"parameters": {"a": "secret://shop-token"}}, True),
        ("shop.jobs.other", {"anything": "secret://sync-key"}, False),
        ("shop.jobs.other", {"anything": "x secret://shop-token y"}, False),
    ],
)
def test_any_other_use_is_refused_with_the_remedy(
    job: str, kwargs: dict[str, Any], is_guarded: bool
) -> None:
    with pytest.raises(BadArguments, match="BEATDESK_SECRET_USES"):
        refuse(job, kwargs, is_guarded=is_guarded)


def test_a_call_is_judged_by_the_catalogue_also_by_position() -> None:
    job = Job(
        name="reports.x",
        parameters=[Parameter(name="text")],
        is_guarded=True,
        secret_uses=[["a-key", "reports.x", "text", None]],
    )
    check_arguments(job, ["secret://a-key"], {})
    with pytest.raises(BadArguments, match=r"b-key reports\.x:text"):
        check_arguments(job, ["secret://b-key"], {})


def test_references_are_found_at_any_depth_and_in_names() -> None:
    found = references({"secret://a": [{"b": ("x secret://c y",)}], "d": 1})
    assert found == {"a", "c"}


def test_references_are_found_below_the_deepest_level_that_is_shown() -> None:
    value: Any = "secret://a"
    for _ in range(10 * DEEPEST):
        value = [{"in": value}]
    assert references(value) == {"a"}


@pytest.mark.parametrize(
    "text",
    ["", "shop-token", "Shop http.request", "a http.request:headers", "a mail.send@host", "a b c"],
)
def test_an_entry_with_a_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not NAME JOB|names no host|names a host"):
        secret_use(text)
