"""A crontab file, line by line: what is taken, with which reading, and what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import Refused
from scheduler.sets.crontab_file import Mapping, read
from tests.support.builders import NOON, at


def found(text, *maps, timezone="UTC"):
    return read(text, [Mapping.read(one) for one in maps], timezone=timezone, now=NOON)


def only(text, *maps, timezone="UTC"):
    everything = found(text, *maps, timezone=timezone)
    assert not everything.refused, everything.refused
    (candidate,) = everything.candidates
    return candidate


def refusal(text, *maps):
    everything = found(text, *maps)
    assert not everything.candidates
    (refused,) = everything.refused
    return f"{refused.source}: {refused.reason}"


def test_a_command_that_is_a_job_with_arguments_is_taken():
    spec = only("0 6 * * 1-5  reports.job_summary days=7 'title=Last week' full=true extra\n").spec
    assert (spec.job, spec.args, spec.kwargs) == (
        "reports.job_summary",
        ["extra"],
        {"days": 7, "title": "Last week", "full": True},
    )
    assert (spec.when.crontab, spec.when.timezone, spec.when.day_match) == (
        "0 6 * * 1-5",
        "UTC",
        "and",
    )
    assert (
        spec.description
        == "from a crontab: reports.job_summary days=7 'title=Last week' full=true extra"
    )


def test_a_pattern_maps_a_command_and_its_groups_become_arguments():
    maps = (r"/opt/bin/report\.sh --days (?P<days>\d+)( --to (?P<to>\S+))?=reports.job_summary",)
    spec = only("0 6 * * * /opt/bin/report.sh --days 7\n", *maps).spec
    assert (spec.job, spec.kwargs) == ("reports.job_summary", {"days": 7})
    assert only("0 6 * * * /opt/bin/report.sh --days 7 --to ada\n", *maps).spec.kwargs == {
        "days": 7,
        "to": "ada",
    }
    assert "mapped to no job" in refusal("0 6 * * * /opt/bin/report.sh --days 7 --loud", *maps)


def test_the_first_pattern_that_matches_is_taken():
    assert only("* * * * * true", "tr.*=a.b", "true=c.d").spec.job == "a.b"


def test_a_name_is_given_in_a_comment_or_follows_from_the_line():
    text = "# name: nightly\n# what sales asked for\n0 6 * * * a.b\n0 7 * * * a.b\n"
    first, second = found(text).candidates
    assert first.spec.name == "nightly"
    assert second.spec.name.startswith("a.b-")
    assert second.spec.name == found("\n\n" + text).candidates[1].spec.name
    assert second.spec.name != only("0 8 * * * a.b").spec.name
    assert only("# name: nightly\n\n0 6 * * * a.b").spec.name != "nightly"


@pytest.mark.parametrize(
    "variable", ["CRON_TZ=Europe/Berlin", "TZ = 'Europe/Berlin'", 'CRON_TZ=":Europe/Berlin"']
)
def test_a_zone_holds_for_the_lines_below_it(variable):
    before, after = found(
        f"0 6 * * * a.b\n{variable}\n0 6 * * * a.b\n", timezone="Asia/Tokyo"
    ).candidates
    assert (before.spec.when.timezone, before.notes) == ("Asia/Tokyo", ())
    assert after.spec.when.timezone == "Europe/Berlin"
    assert after.notes[0].endswith("in line 2 is read as the time zone")


def test_other_variables_are_ignored_with_the_reason():
    everything = found('SHELL=/bin/sh\nMAILTO=""\n0 6 * * * a.b\n')
    assert [aside.source for aside in everything.ignored] == ["line 1", "line 2"]
    assert "SHELL is for commands that cron starts" in everything.ignored[0].reason


@pytest.mark.parametrize(
    ("line", "day_match", "either", "both"),
    [
        (
            "0 0 1 * mon",
            "or",
            ["2026-11-23", "2026-11-30", "2026-12-01"],
            ["2027-02-01", "2027-03-01", "2027-11-01"],
        ),
        (
            "0 0 13 * 5",
            "or",
            ["2026-11-27", "2026-12-04", "2026-12-11"],
            ["2027-08-13", "2028-10-13", "2029-04-13"],
        ),
    ],
)
def test_both_readings_of_the_day_fields_are_told_and_that_of_cron_is_taken(
    line, day_match, either, both
):
    candidate = only(f"{line} a.b")
    assert candidate.spec.when.day_match == day_match
    assert candidate.readings.either == [at(f"{day}T00:00Z") for day in either]
    assert candidate.readings.both == [at(f"{day}T00:00Z") for day in both]


@pytest.mark.parametrize(
    "line", ["0 0 */2 * mon", "0 0 1 * *", "0 0 * * mon", "@daily", "5 * * * *"]
)
def test_where_the_readings_are_the_same_none_is_told(line):
    candidate = only(f"{line} a.b")
    assert candidate.readings is None
    assert candidate.spec.when.day_match == "and"
    assert candidate.spec.when.crontab == line


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "0 6 * * * /usr/bin/backup --all",
            "the command '/usr/bin/backup --all' is mapped to no job",
        ),
        ("0 6 * * * true", "it is not the name of a job"),
        ("0 6 * * * a.b 'open", "its words cannot be split"),
        ("0 6 * * * a.b %hello", "the command has a %"),
        ("61 6 * * * a.b", "minute: '61'"),
        ("0 6 * * *", "no command after its fields"),
        ("0 6 * * a.b", "day of week: 'a.b'"),
        ("@reboot a.b", "it has no time"),
        ("@daily", "no command"),
        ("TZ=Europe/Berln", "Europe/Berlin"),
        ("0 6 * * * a.b " + "x" * 20_000, "10000 are read"),
        ("nonsense", "are needed"),
        ("1-100000000 * * * * a.b", "minute"),
    ],
)
def test_a_line_that_cannot_be_taken_is_refused_with_its_number_and_the_reason(line, said):
    told = refusal("# a comment\n" + line)
    assert told.startswith("line 2: ")
    assert said in told


def test_an_escaped_percent_is_one():
    assert only(r"0 6 * * * a.b share=50\%").spec.kwargs == {"share": "50%"}


def test_the_same_line_twice_is_taken_once():
    everything = found("0 6 * * * a.b\n0 6 * * * a.b\n")
    assert len(everything.candidates) == 1
    assert "line 1 makes a schedule" in everything.refused[0].reason


@pytest.mark.parametrize("text", ["no-job", "=a.b", "(=a.b", "x=", "x=a b"])
def test_a_mapping_that_cannot_be_read_is_refused(text):
    with pytest.raises(Refused, match="map"):
        Mapping.read(text)


@given(st.text(max_size=80) | st.text("0123456789*/,-@#=% abTZ\t\n?L", max_size=120))
def test_no_file_raises_anything(text):
    everything = found(text, "(?P<all>a.*)=a.b")
    assert len(everything.candidates) + len(everything.refused) <= len(text.splitlines())
