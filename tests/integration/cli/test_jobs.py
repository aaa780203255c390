"""`jobs list | show`: what workers offer, without importing it."""

JOB_KEYS = {
    "name",
    "title",
    "doc",
    "parameters",
    "queue",
    "module",
    "soft_time_limit",
    "time_limit",
    "retries",
    "json_schema",
    "least_role",
    "secret_uses",
    "is_guarded",
    "workers",
}


def test_the_jobs_that_workers_offer_are_listed(beatdesk):
    listed = beatdesk.json("jobs", "list")
    assert [item["name"] for item in listed["items"]] == ["demo.echo", "demo.greet", "demo.plain"]
    assert all(set(item) == JOB_KEYS for item in listed["items"])
    assert listed["items"][0]["workers"] == ["w1@host"]
    table = beatdesk.done("jobs", "list")
    assert "demo.greet(whom: str, times: int = 1)" in table


def test_a_job_is_shown_with_its_parameters(beatdesk):
    job = beatdesk.json("jobs", "show", "demo.greet")
    assert [parameter["name"] for parameter in job["parameters"]] == ["whom", "times"]
    said = beatdesk.done("jobs", "show", "demo.greet")
    assert "Say hello." in said
    assert "Who it is for." in said
    assert "required" in said


def test_a_job_that_nobody_offers_is_refused_with_what_may_be_meant(beatdesk):
    said = beatdesk.refused("jobs", "show", "demo.gret")
    assert "demo.gret" in said
    assert "demo.greet" in said
    assert beatdesk.refused_json("jobs", "show", "demo.gret")["field"] == "job"


def test_no_jobs_are_told_with_what_to_do(beatdesk):
    beatdesk.services.redis.flushall()
    result = beatdesk("jobs", "list")
    assert result.exit_code == 0
    assert "celery -A scheduler worker" in result.stderr


def test_a_job_that_no_living_worker_offers_is_gone(beatdesk):
    beatdesk.services.catalogue.leave("w1@host")
    assert beatdesk.json("jobs", "show", "demo.greet")["workers"] == []
    assert "gone: no living worker offers it" in beatdesk.done("jobs", "show", "demo.greet")
    assert "gone" in beatdesk.done("jobs", "list")
