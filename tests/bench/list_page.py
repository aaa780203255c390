"""Server time of the console's list of many schedules. SQLite, the app's own test client.

python -m tests.bench.list_page REDIS_URL [SCHEDULES]

The server must be a throw-away one: all data is deleted. The aim, with 10,000: a page in 50 ms.
"""

import logging
import re
import sys
from time import perf_counter
from typing import get_args

import click
from flask.testing import FlaskClient

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.schedules.filters import State
from scheduler.services.services import Services
from tests.bench.figures import machine, shown, table, time_each
from tests.bench.healing import fill
from tests.bench.throw_away import throw_away_services
from webadmin import create_app

PASSWORD = "a few plain words"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PAGES = {
    "first page": "/schedules/",
    "a page in the middle": "/schedules/?after=job-05000",
    "by job": "/schedules/?job=reports.job_summary",
    "by job and a tag that few have": "/schedules/?job=reports.job_summary&tag=nobody-has-it",
    "by a part of the name": "/schedules/?q=job-0777",
    **{
        f"state {state}": f"/schedules/?state={state}"
        for state in get_args(State)
        if state != "all"
    },
}


def logged_in(services: Services) -> FlaskClient:
    """Return the browser of a user with the right to edit."""
    services.accounts.create("ada@example.org", PASSWORD, "operator", now=utc_now())
    client = create_app(services.settings).test_client()
    found = TOKEN.search(client.get("/login").text)
    if found is None:
        sys.exit("the login page has no form")
    client.post(
        "/login", data={"csrf_token": found[1], "email": "ada@example.org", "password": PASSWORD}
    )
    return client


def main(redis_url: str, schedules: str = "10000") -> None:
    """Print the time of each page."""
    logging.disable(logging.CRITICAL)
    with throw_away_services(redis_url) as services:
        fill(services, int(schedules))
        recorder = Recorder(services.events, services.engine, services.redis, 1000, "bench")
        while recorder.run_once(utc_now()):
            pass
        client = logged_in(services)
        begun = perf_counter()
        client.get("/schedules/?state=problem")
        rows = [
            [
                "the first with a filter, by which the rest is remembered",
                shown(perf_counter() - begun),
                "-",
            ]
        ]
        for what, path in PAGES.items():
            page = client.get(path)
            if page.status_code != 200:
                sys.exit(f"{path} answers {page.status_code}")
            taken = time_each([lambda: client.get(path)], repeats=10)  # noqa: B023 - called at once
            rows.append([what, shown(taken.mean), f"{len(page.data) / 1000:.0f} kB"])
        click.echo(f"{machine()}; {schedules} schedules")
        table("the list of schedules", ["page", "time", "size"], rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
