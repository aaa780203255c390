"""What the tests of the schedule pages share: jobs in the catalogue, an operator, and the editor's
form.
"""

import html
import re
from typing import Any

from werkzeug.test import TestResponse

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Schedule
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB, a_spec
from tests.support.console import Form, Forms

FORM = {
    "name": "nightly",
    "enabled": "on",
    "kind": "crontab",
    "crontab": "0 6 * * mon-fri",
    "timezone": "Europe/Berlin",
    "job": JOB,
    "arguments": "form",
    "p.days": "3",
    "action": "save",
}


def offer_jobs(services: Services) -> None:
    """As a worker does when it starts."""
    jobs = [
        Job(
            name=JOB,
            title="Summary",
            doc="A report.",
            module="scheduler.jobs.reports",
            queue="reports",
            parameters=[
                Parameter(
                    name="days",
                    required=False,
                    default=1,
                    annotation="int",
                    doc="How many days back.",
                ),
                Parameter(name="title", required=False, default="", annotation="str"),
                Parameter(name="filters", required=False, default=None, annotation="dict | None"),
            ],
        ),
        Job(
            name="mail.send",
            module="shop.mail",
            parameters=[Parameter(name="to", annotation="str")],
        ),
    ]
    now = utc_now()
    worker = Worker(name="w1@host", pid=1, host="host", at=now, jobs=[job.name for job in jobs])
    services.catalogue.publish(jobs, worker, now)


def saved(services: Services, name: str = "nightly", **parts: Any) -> Schedule:
    """A schedule in Redis."""
    spec = a_spec(name, JOB, **parts)
    return services.schedules.create(spec, edit=Edit(actor="ada@example.org", now=utc_now()))


def everything_written(services: Services) -> dict[str, Any]:
    """Every entry, every due time, the ticks that wait, the messages, and the length of the stream:
    two of these are equal where nothing was written.
    """
    redis: Any = services.redis
    entries = {
        key: redis.hgetall(key)
        for key in sorted(redis.keys("redbeat:*"))
        if redis.type(key) == "hash"
    }
    return {
        "entries": entries,
        "due": redis.zrange("redbeat::schedule", 0, -1, withscores=True),
        "waiting": {
            key: redis.zrange(key, 0, -1)
            for key in redis.scan_iter(f"{keys.WAITING_PREFIX}*", _type="zset")
        },
        "messages": {key: redis.llen(key) for key in redis.scan_iter(_type="list")},
        "events": redis.xlen("beatdesk:events"),
        "lock": redis.get("redbeat::lock"),
    }


def fault_at(page: TestResponse, field: str) -> str:
    """The message beside a field."""
    found = re.search(rf'id="e-{re.escape(field)}">.*?<span>(.*?)</span>', page.text, re.DOTALL)
    assert found, (
        f"no fault at {field}; faults: "
        f"{re.findall(r'class=.fault.*?<span>(.*?)</span>', page.text, re.DOTALL)}"
    )
    return html.unescape(found[1])


def editor_of(page: TestResponse) -> Form:
    """The editor's form as a browser would send it."""
    return next(
        form for form in Forms(page.text).forms if any(name == "crontab" for name, _ in form.fields)
    )


def fields_of(page: TestResponse) -> dict[str, str]:
    """What stands in the editor."""
    return dict(editor_of(page).fields)
