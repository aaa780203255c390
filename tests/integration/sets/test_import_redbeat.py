"""`schedules import redbeat:URL`: the entries of another RedBeat, written by its own classes."""

import pytest
from celery import Celery
from celery.schedules import crontab, schedule
from redbeat import RedBeatSchedulerEntry

OTHERS = "others:"


@pytest.fixture
def other(valkey):
    """Writes entries as an app with its own key prefix does."""
    app = Celery("other", broker=valkey.url)
    app.conf.update(redbeat_redis_url=valkey.url, redbeat_key_prefix=OTHERS)

    def save(name, rule, task="demo.plain", **more):
        entry = RedBeatSchedulerEntry(name, task, rule, app=app, **more)
        entry.save()
        return entry

    return save


@pytest.fixture
def take(beatdesk):
    """Imports from the other prefix."""
    return lambda *words: beatdesk("schedules", "import", "redbeat:", "--prefix", OTHERS, *words)


def test_its_entries_are_taken_over_and_stay_where_they_are(beatdesk, take, other, redis):
    other(
        "nightly",
        crontab(minute=0, hour=6),
        task="demo.greet",
        kwargs={"whom": "Ada"},
        options={"queue": "slow"},
    )
    other("a task:often", schedule(60))
    other("off", schedule(3600), enabled=False)
    before = {key: redis.hgetall(key) for key in redis.scan_iter(OTHERS + "[a-z]*")}
    result = take()
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "3 created, 0 replaced, 0 unchanged, 0 refused"
    assert (
        "called 'a-task-often', since a schedule cannot be called 'a task:often'" in result.stdout
    )
    nightly = beatdesk.services.schedules.get("nightly")
    assert (nightly.when.crontab, nightly.kwargs, nightly.queue) == (
        "0 6 * * *",
        {"whom": "Ada"},
        "slow",
    )
    assert (nightly.origin, nightly.revision) == ("operator", 1)
    assert beatdesk.services.schedules.get("off").enabled is False
    assert {key: redis.hgetall(key) for key in redis.scan_iter(OTHERS + "[a-z]*")} == before


def test_a_second_import_changes_nothing_though_the_source_has_run_meanwhile(beatdesk, take, other):
    entry = other("often", schedule(60))
    take()
    before = beatdesk.written()
    next(entry)
    assert take().stdout.splitlines()[-1] == "0 created, 0 replaced, 1 unchanged, 0 refused"
    assert beatdesk.written() == before


def test_what_cannot_be_taken_is_refused_by_name(beatdesk, take, other, redis):
    other("static", schedule(60))
    redis.sadd(OTHERS + ":statics", "static")
    other("routed", schedule(60), options={"routing_key": "a.b"})
    other("unknown", schedule(60), task="nobody.knows")
    other("damaged", schedule(60))
    redis.hset(OTHERS + "damaged", "definition", "{")
    other("fine", schedule(60))
    result = take("--json")
    assert result.exit_code == 1
    assert beatdesk.services.schedules.names() == ["fine"]
    for name, why in (
        ("static", "beat_schedule"),
        ("routed", "routing_key"),
        ("unknown", "no worker offers"),
        ("damaged", "not JSON"),
    ):
        assert f'"source": "{name}"' in result.stdout
        assert why in result.stdout


def test_another_server_is_read_by_its_address(beatdesk, other, valkey):
    other("often", schedule(60))
    told = beatdesk.json("schedules", "import", f"redbeat:{valkey.url}", "--prefix", OTHERS)
    assert [(one["source"], one["outcome"]) for one in told["taken"]] == [("often", "created")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("redbeat:",), "own schedules"),
        (("redbeat:redis://127.0.0.1:1/0",), "Redis does not answer"),
        (("redbeat:nonsense",), "write redbeat:redis://host"),
        (("redis://127.0.0.1:1/0",), "write redbeat:"),
    ],
)
def test_a_source_that_is_none_is_refused(beatdesk, words, said):
    assert said in beatdesk.refused("schedules", "import", *words)
