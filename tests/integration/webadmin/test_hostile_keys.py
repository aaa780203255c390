"""Foreign values under every key: each page is there."""

import pytest
from flask import Flask
from redis import Redis

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from scheduler.storage import key_types, keys
from tests.support.storage.planted import of_another_type, put
from tests.support.webadmin.addresses import pages
from tests.support.webadmin.samples import make_samples
from tests.support.webadmin.visitor import Visitor


@pytest.fixture
def _samples(services: Services, offered: None) -> None:
    make_samples(services, "mail.digest", {"days": 1})
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass


@pytest.mark.usefixtures("_samples")
def test_every_page_is_there_beside_foreign_content_under_every_key(
    app: Flask, admin: Visitor, redis: Redis
) -> None:
    for key, kind in key_types.types().items():
        if kind != "string":  # one of these has one value, and not a foreign one beside its own
            put(redis, key, kind)
    answers = {path: admin.get(path).status_code for path in pages(app).values()}
    assert {path: code for path, code in answers.items() if code != 200} == {}


@pytest.mark.usefixtures("_samples")
@pytest.mark.parametrize("key", [keys.SCHEDULE_ZSET, keys.CATALOGUE_HASH, keys.EVENTS_STREAM])
def test_no_page_breaks_where_a_key_is_of_another_type(
    app: Flask, admin: Visitor, redis: Redis, key: str
) -> None:
    redis.delete(key)
    put(redis, key, of_another_type(key))
    answers = {path: admin.get(path).status_code for path in pages(app).values()}
    assert set(answers.values()) <= {200, 302, 400, 404, 409, 503}, answers
