"""`schedules import FILE`: a crontab file, or a set of ours."""

import json

import pytest

CRONTAB = """\
# what ran on the old machine
MAILTO=ops@example.org
CRON_TZ=Europe/Berlin
# name: morning
0 6 * * 1-5  demo.greet whom=Ada
30 3 1 * mon /opt/bin/sweep --all
0 5 * * * /usr/bin/backup
"""


@pytest.fixture
def crontab(tmp_path):
    file = tmp_path / "crontab"
    file.write_text(CRONTAB)
    return str(file)


def test_a_crontab_is_taken_line_by_line_with_both_readings(beatdesk, crontab):
    result = beatdesk(
        "schedules", "import", crontab, "--map", "/opt/bin/sweep --all=demo.plain", "--json"
    )
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert [(one["source"], one["outcome"]) for one in told["taken"]] == [
        ("line 5", "created"),
        ("line 6", "created"),
    ]
    assert told["taken"][0]["readings"] is None
    assert (
        len(told["taken"][1]["readings"]["either"])
        == len(told["taken"][1]["readings"]["both"])
        == 3
    )
    assert [one["source"] for one in told["ignored"]] == ["line 2"]
    assert [one["source"] for one in told["refused"]] == ["line 7"]
    assert "--map" in told["refused"][0]["reason"]
    schedules = beatdesk.services.schedules
    assert schedules.get("morning").when.timezone == "Europe/Berlin"
    assert schedules.get(told["taken"][1]["name"]).when.day_match == "or"
    again = beatdesk("schedules", "import", crontab, "--map", "/opt/bin/sweep --all=demo.plain")
    assert again.stdout.splitlines()[-1] == "0 created, 0 replaced, 2 unchanged, 1 refused"
    assert "either day field is enough, as cron has it: " in again.stdout


def test_lines_without_a_zone_are_read_in_the_one_that_is_given(beatdesk, tmp_path):
    file = tmp_path / "plain.txt"
    file.write_text("# name: noon\n0 12 * * * demo.plain\n")
    beatdesk.done(
        "schedules", "import", str(file), "--tz", "Asia/Tokyo", "--comment", "moved house"
    )
    assert beatdesk.services.schedules.get("noon").when.timezone == "Asia/Tokyo"


def test_a_set_is_imported_without_changing_what_is_there(beatdesk, tmp_path):
    beatdesk.done("schedules", "add", "often", "demo.plain", "--every", "300")
    file = tmp_path / "set.yaml"
    text = beatdesk.done("schedules", "export")
    file.write_text(
        text.replace("every: 300", "every: 60")
        + "- {name: new, job: demo.plain, when: {kind: interval, every: 60}}\n"
    )
    result = beatdesk("schedules", "import", str(file))
    assert result.exit_code == 1
    assert "there is a schedule 'often' with another when.every" in result.stdout
    assert beatdesk.services.schedules.names() == ["new", "often"]
    assert beatdesk.services.schedules.get("often").when.every == 300
    assert beatdesk.done("schedules", "import", str(file), "--replace").endswith(
        "0 created, 1 replaced, 1 unchanged, 0 refused\n"
    )
    assert beatdesk.services.schedules.get("often").when.every == 60


def test_a_set_with_one_bad_schedule_is_not_imported_at_all(beatdesk):
    text = (
        "version: 1\nschedules:\n- {name: a, job: demo.plain, when: {kind: interval, every: "
        "60}}\n- {name: b}\n"
    )
    result = beatdesk("schedules", "import", "-", typed=text)
    assert result.exit_code == 1
    assert "schedules[1].job (line 4): this is missing" in result.stderr
    assert beatdesk.services.schedules.names() == []


def test_a_mapping_that_cannot_be_read_is_refused(beatdesk, crontab):
    assert "PATTERN=JOB" in beatdesk.refused("schedules", "import", crontab, "--map", "nonsense")
