"""`schedules next | preview`: words, ticks and warnings before and after a schedule is saved."""

import pytest

SPRING = ("--from", "2026-03-28T00:00:00Z")


def test_a_preview_says_words_ticks_and_warnings_and_writes_nothing(beatdesk):
    before = beatdesk.written()
    seen = beatdesk.json(
        "schedules", "preview", "--cron", "15 2 * * *", "--tz", "Europe/Berlin", "-n", "3", *SPRING
    )
    assert seen == {
        "words": seen["words"],
        "ticks": ["2026-03-28T01:15:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"],
        "warnings": seen["warnings"],
    }
    assert "02:15" in seen["words"]
    assert "2026-03-29" in " ".join(seen["warnings"])
    assert beatdesk.written() == before


def test_a_preview_for_people_has_the_zones_own_clock_beside_utc(beatdesk):
    result = beatdesk(
        "schedules", "preview", "--cron", "15 2 * * *", "--tz", "Europe/Berlin", "-n", "2", *SPRING
    )
    assert result.exit_code == 0
    assert "2026-03-28 02:15:00 Europe/Berlin  2026-03-28T01:15:00Z" in result.stdout
    assert "2026-03-29 03:00:00 Europe/Berlin  2026-03-29T01:00:00Z" in result.stdout
    assert "warning: On 2026-03-29 02:15 is skipped" in result.stderr


def test_a_preview_of_an_interval_counts_from_where_it_is_asked_for(beatdesk):
    seen = beatdesk.json("schedules", "preview", "--every", "90", "-n", "2", *SPRING)
    assert seen["ticks"] == ["2026-03-28T00:01:30Z", "2026-03-28T00:03:00Z"]


def test_ten_ticks_are_shown_unless_another_number_is_given(beatdesk):
    assert len(beatdesk.json("schedules", "preview", "--cron", "* * * * *")["ticks"]) == 10


def test_a_preview_of_an_interval_has_whole_seconds_as_the_saved_schedule_will(beatdesk):
    assert "." not in beatdesk.json("schedules", "preview", "--every", "60", "-n", "1")["ticks"][0]
    assert "." not in beatdesk.json("schedules", "add", "n", "demo.plain", "--every", "60")["next"]


def test_the_next_ticks_are_those_that_a_preview_showed(beatdesk):
    rule = ("--cron", "0 6 * * mon-fri", "--tz", "Europe/Berlin")
    beatdesk.done("schedules", "add", "n", "demo.plain", *rule)
    assert beatdesk.json("schedules", "next", "n", *SPRING) == beatdesk.json(
        "schedules", "preview", *rule, *SPRING
    )


def test_the_first_of_the_next_ticks_is_the_next_run_of_the_schedule(beatdesk):
    saved = beatdesk.json("schedules", "add", "n", "demo.plain", "--every", "3600")
    assert beatdesk.json("schedules", "next", "n", "-n", "1")["ticks"] == [saved["next"]]


def test_ticks_of_a_disabled_schedule_are_shown_with_a_word_that_none_will_run(beatdesk):
    beatdesk.done("schedules", "add", "n", "demo.plain", "--cron", "0 6 * * *", "--disabled")
    result = beatdesk("schedules", "next", "n", "-n", "1")
    assert result.exit_code == 0
    assert "06:00:00" in result.stdout
    assert "disabled" in result.stderr
    assert "schedules enable n" in result.stderr


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (("--cron", "61 * * * *"), "crontab", "61"),
        (("--cron", "0 0 30 2 *"), "crontab", "30"),
        (("--cron", "* * * * *", "--tz", "Mars/Base"), "timezone", "Mars/Base"),
        (("--every", "0"), "every", "0"),
        (("--cron", "* * * * *", "--from", "tomorrow"), "from", "tomorrow"),
        (("--cron", "* * * * *", "--from", "2026-03-28T00:00:00"), "from", "time zone"),
        (("--cron", "* * * * *", "--from", "9999-12-31T23:59:59Z"), "from", "9999"),
        (("--every", "60", "--from", "9999-12-31T23:59:59Z"), "from", "9999"),
    ],
)
def test_a_preview_of_bad_input_is_refused_with_the_field(beatdesk, words, field, value):
    assert value in beatdesk.refused("schedules", "preview", *words)
    body = beatdesk.refused_json("schedules", "preview", *words)
    assert body["field"] == field
