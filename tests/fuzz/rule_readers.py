"""Readers of what people write: rules, times, calendars, sets, crontabs, arguments of commands."""

from datetime import UTC, date, datetime

from scheduler.accounts import policy, rights, strength, tokens
from scheduler.cli import fields as cli_fields
from scheduler.errors import BeatdeskError
from scheduler.history.access_chain import Head
from scheduler.history.queries import cursor
from scheduler.outgoing import addresses, letters, templates
from scheduler.rules import check
from scheduler.rules.calendars import icalendar
from scheduler.rules.calendars import text as calendar_text
from scheduler.rules.crontab import dialect, fields
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import CrontabWhen, RruleWhen
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.ticks import next_ticks
from scheduler.rules.time import typed, zones
from scheduler.sets import (
    crontab_file,
    django_celery_beat,
    found,
    yaml_calendars,
    yaml_set,
    yaml_text,
)
from scheduler.sets.crontab_file import Mapping
from scheduler.sets.django_tables import PeriodicTask
from tests.fuzz.reader import Reader

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BERLIN = zones.zone("Europe/Berlin")
REFUSALS = (BeatdeskError, ValueError)

ICALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1
SUMMARY:Holiday\\, long
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
RRULE:FREQ=YEARLY;COUNT=3
EXDATE;VALUE=DATE:20271224
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;TZID=Office:20261201T100000
DURATION:PT1H30M
RDATE;TZID=Office:20261202T100000
END:VEVENT
END:VCALENDAR
"""
SET = """version: 1
schedules:
  - name: nightly
    job: shop.report
    when:
      kind: crontab
      crontab: "0 3 * * 1-5"
      timezone: Europe/Berlin
    kwargs: {days: 7, deep: [1, {a: null}]}
    tags: [a, b]
calendars:
  - name: holidays
    timezone: Europe/Berlin
    excluded:
      - 2026-12-24..2027-01-01 closed
      - sat-sun
"""
CRONTAB_FILE = """# nightly
CRON_TZ=Europe/Berlin
MAILTO=x
0 3 * * 1-5 /usr/bin/report --days 7 > /dev/null 2>&1
@daily /usr/bin/clean
"""


def read_crontab(text: str) -> None:
    """Parse, place, describe and compute an expression."""
    when = CrontabWhen(crontab=text, resolved=dialect.resolve(text, "a schedule"))
    describe(when)
    next_ticks(when, NOW, 3)


def read_rrule(text: str) -> None:
    """Parse, describe and compute a rule."""
    when = RruleWhen(rrule=text, dtstart=NOW, timezone="Europe/Berlin")
    recurrence_text.parse(when)
    describe(when)
    next_ticks(when, NOW, 3)


def read_set(text: str) -> None:
    """Read a set of schedules with its calendars."""
    _, document = yaml_set.read(text)
    if isinstance(document.value, dict) and isinstance(document.value.get("calendars"), list):
        yaml_calendars.read(document)


def read_crontab_file(text: str) -> None:
    """Read a file of the system's cron."""
    mapping = Mapping.read(".*report.*=shop.report")
    crontab_file.read(text, [mapping], timezone="UTC", now=NOW)


def read_django_row(text: str) -> None:
    """Read a row of django-celery-beat whose every text is the same one."""
    task = {
        "name": text,
        "task": text,
        "args": text,
        "kwargs": text,
        "queue": text,
        "enabled": True,
    }
    crontab = {"minute": text, "hour": "*", "day_of_month": "*", "month_of_year": "*"}
    crontab |= {"day_of_week": "*", "timezone": "UTC"}
    django_celery_beat.read([PeriodicTask(task, "crontab", crontab)])
    django_celery_beat.read([PeriodicTask(task, "crontab", crontab | {"timezone": text})])


def read_calendar(text: str) -> None:
    """Read an exclusion calendar, and write it again."""
    calendar_text.lines_of(
        calendar_text.calendar_of("c", text.splitlines(), timezone="Europe/Berlin")
    )


def read_past(text: str) -> None:
    """Read a time that has passed."""
    typed.read_time(text, "since", now=NOW, direction=typed.Direction.PAST, zone=BERLIN)


def read_ahead(text: str) -> None:
    """Read a time to come, on a clock."""
    typed.read_time(
        text, "until", now=NOW, direction=typed.Direction.AHEAD, zone=BERLIN, plain_zone=BERLIN
    )


RULES: dict[str, Reader] = {
    "scheduler.rules.crontab.dialect": Reader(
        read_crontab,
        (
            "0 3 * * 1-5",
            "H H(0-7) * * *",
            "*/5 0-23/2 1,15,L * *",
            "0 0 * jan-mar mon#2,fri",
            "@daily",
        ),
    ),
    "scheduler.rules.crontab.fields": Reader(fields.parse, ("0 3 * * 1-5", "*/5 1,2 * jan mon")),
    "scheduler.rules.rrule.text": Reader(
        read_rrule,
        (
            "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9",
            "FREQ=MONTHLY;INTERVAL=7;COUNT=100;BYDAY=MO,TU,2WE",
            "FREQ=YEARLY;BYWEEKNO=1,-1;BYDAY=MO;BYSETPOS=-1;UNTIL=20300101T000000Z",
        ),
    ),
    "scheduler.rules.calendars.icalendar": Reader(
        lambda text: icalendar.read(text, name="c", until=date(2030, 1, 1)),
        (ICALENDAR,),
        longest=50_000,
    ),
    "scheduler.rules.calendars.text": Reader(
        read_calendar,
        (
            "2026-12-24\n2026-12-24..2027-01-01 closed\nsat-sun",
            "2026-12-24T14:00..2026-12-27T06:00 trip\nmon-fri 22:00-06:00 night",
        ),
        longest=100_000,
    ),
    "scheduler.rules.time.typed": Reader(
        read_past,
        ("24h", "monday 8:00", "2026-11-20T05:00:00Z", "yesterday 7:00 Asia/Tokyo"),
        longest=20_000,
    ),
    "scheduler.rules.time.typed ahead": Reader(
        read_ahead,
        ("3 days", "08:00:30 UTC", "2026-11-23 06:00:00+01:00", "tomorrow 7:00"),
        longest=20_000,
    ),
    "scheduler.rules.time.typed length": Reader(
        lambda text: typed.read_length(text, "every"), ("90s", "1.5 h", "3 days"), longest=20_000
    ),
    "scheduler.rules.time.zones": Reader(zones.zone, ("Europe/Berlin", "UTC"), longest=20_000),
    "scheduler.rules.check name": Reader(check.check_name, ("nightly-report",), longest=20_000),
    "scheduler.rules.check job": Reader(check.check_job, ("shop.report",), longest=20_000),
    "scheduler.rules.check queue": Reader(check.check_queue, ("default",), longest=20_000),
    "scheduler.sets.yaml_set": Reader(read_set, (SET,), longest=20_000, seconds=1.0),
    "scheduler.sets.yaml_text": Reader(
        yaml_text.read, (SET, "a: [1, {b: c}]", "- 'x'\n- |\n  y"), longest=20_000, seconds=1.0
    ),
    "scheduler.sets.crontab_file": Reader(read_crontab_file, (CRONTAB_FILE,), longest=50_000),
    "scheduler.sets.crontab_file mapping": Reader(
        Mapping.read, (".*report.*=shop.report", "/opt/x.sh=shop.x"), errors=REFUSALS
    ),
    "scheduler.sets.django_celery_beat": Reader(
        read_django_row, ('["a", 1]', '{"days": 7}', "*/5"), longest=20_000
    ),
    "scheduler.sets.found": Reader(found.usable_name, ("Nightly report (Ü)",), longest=20_000),
    "scheduler.cli.fields list": Reader(cli_fields.json_list, ('["a", {"b": 1}]',), 100_000),
    "scheduler.cli.fields object": Reader(cli_fields.json_object, ('{"b": [1.5e3]}',), 100_000),
    "scheduler.cli.fields whole": Reader(
        lambda text: cli_fields.whole(text, "max_runs", 1, 9), ("7",), longest=20_000
    ),
    "scheduler.accounts.policy address": Reader(
        policy.check_email, ("ann@example.org", "Jörg.Ünal+x@exämple.org"), longest=8_000
    ),
    "scheduler.accounts.policy role": Reader(policy.check_role, ("viewer",), longest=8_000),
    "scheduler.accounts.policy password": Reader(
        lambda text: policy.check_password(text, "ann@example.org"),
        ("correct horse battery staple", "Tr0ub4dor&3 1234 qwertz"),
        longest=8_000,
    ),
    "scheduler.accounts.strength": Reader(
        strength.weakness, ("correct horse battery staple",), longest=200
    ),
    "scheduler.accounts.rights": Reader(rights.check_tag, ("billing",), longest=20_000),
    "scheduler.accounts.rights scope": Reader(rights.check_scope, ("read",), longest=20_000),
    "scheduler.accounts.tokens": Reader(tokens.check_name, ("ci",), longest=20_000),
    "scheduler.history.access_chain": Reader(Head.from_text, ("17:" + 64 * "5",), longest=20_000),
    "scheduler.history.queries.cursor": Reader(
        cursor.key_of, (cursor.cursor(17), cursor.cursor(2**40)), longest=20_000
    ),
    "scheduler.outgoing.addresses": Reader(
        addresses.target_of,
        (
            "https://example.org:8443/a?b=c#d",
            "http://[2001:db8::1]/",
            "http://xn--bcher-kva.example/",
        ),
        longest=20_000,
    ),
    "scheduler.outgoing.letters": Reader(letters.subject_line, ("Nightly report",), 20_000),
    "scheduler.outgoing.letters recipients": Reader(
        lambda text: letters.recipients([text]), ("ann@example.org",), longest=20_000
    ),
    "scheduler.outgoing.templates": Reader(
        lambda text: templates.from_template(text, {"name": "Ann"}, to=[]),
        ("welcome",),
        longest=20_000,
    ),
}
