"""`schedules rebuild` says what is wrong, and puts it right."""

from scheduler.storage import keys


def test_what_redis_lost_is_shown_and_put_back(beatdesk, record, services):
    for name in ("one", "two"):
        beatdesk.done("schedules", "add", name, "demo.plain", "--every", "60")
    record()
    assert beatdesk.json("schedules", "rebuild")["items"] == []
    services.redis.delete(keys.entry("one"))
    row = {"name": "one", "action": "put back as it was saved", "reason": "it was gone from Redis"}
    assert beatdesk.json("schedules", "rebuild", "--dry-run") == {"dry_run": True, "items": [row]}
    assert not services.redis.exists(keys.entry("one"))
    assert beatdesk.json("schedules", "rebuild") == {"dry_run": False, "items": [row]}
    assert services.redis.exists(keys.entry("one"))
    record()
    assert "nothing to repair" in beatdesk("schedules", "rebuild").stderr


def test_it_waits_for_changes_that_the_history_has_not_heard_of(beatdesk, services):
    beatdesk.done("schedules", "add", "one", "demo.plain", "--every", "60")
    services.redis.delete(keys.entry("one"))
    assert "see that a recorder runs" in beatdesk.refused("schedules", "rebuild")
